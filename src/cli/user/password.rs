//! Prompts for passwords and for confirmation.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::cli::terminal::escaped;

/// Prompts twice for a password, without echo. If standard input is not a terminal, reads its next
/// line instead.
pub(super) fn prompt() -> Result<String, String> {
    if !io::stdin().is_terminal() {
        return read_line();
    }
    let prompt =
        |text| rpassword::prompt_password(text).map_err(|e| format!("cannot read a password: {e}"));
    let password = prompt("Password: ")?;
    if password != prompt("Again: ")? {
        return Err("the two passwords differ; run the command again".into());
    }
    Ok(password)
}

/// Prompts for confirmation.
///
/// # Errors
/// Returns a message if standard input is not a terminal: scripts confirm by `--yes`.
pub(in crate::cli) fn confirm(question: &str) -> Result<bool, String> {
    if !io::stdin().is_terminal() {
        return Err("cannot ask for confirmation without a terminal; add --yes".into());
    }
    eprint!("{} [y/N] ", escaped(question));
    io::stderr().flush().map_err(|e| e.to_string())?;
    Ok(matches!(read_line()?.trim(), "y" | "Y" | "yes"))
}

fn read_line() -> Result<String, String> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    match read.map_err(|e| format!("standard input: {e}"))? {
        0 => Err("standard input is empty; a password was expected".into()),
        _ => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
    }
}
