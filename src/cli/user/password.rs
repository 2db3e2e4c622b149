//! Passwords that are asked for, and passwords that are made up.

use std::io::{self, BufRead, IsTerminal, Write};

use rand::seq::IndexedRandom;

use crate::cli::terminal::escaped;

/// A password from who sits at the terminal, who does not see it and so types it twice; or else the
/// next line of standard input.
pub(super) fn prompt() -> Result<String, String> {
    if !io::stdin().is_terminal() {
        return line();
    }
    let prompt = |text| rpassword::prompt_password(text).map_err(|e| format!("no password: {e}"));
    let password = prompt("Password: ")?;
    if password != prompt("Again: ")? {
        return Err("these are two passwords".into());
    }
    Ok(password)
}

/// Whether who sits at the terminal says yes; a program says so by its command line.
pub(in crate::cli) fn confirm(question: &str) -> Result<bool, String> {
    if !io::stdin().is_terminal() {
        return Err("nobody is there to be asked: say --yes".into());
    }
    eprint!("{} [y/N] ", escaped(question));
    io::stderr().flush().map_err(|e| e.to_string())?;
    Ok(matches!(line()?.trim(), "y" | "Y" | "yes"))
}

fn line() -> Result<String, String> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    match read.map_err(|e| format!("standard input: {e}"))? {
        0 => Err("standard input has no line".into()),
        _ => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
    }
}

/// A password that can be read out in a classroom, as `tamo-keru-nisa`: one of 10^11. It is good
/// until it is replaced, and tries are counted.
pub(super) fn generate() -> String {
    const CONSONANTS: &[u8] = b"bdfgklmnprstvz";
    const VOWELS: &[u8] = b"aeiou";
    let rng = &mut rand::rng();
    let mut letter = |from: &[u8]| from.choose(rng).map_or('x', |letter| char::from(*letter));
    let words: Vec<String> = (0..3)
        .map(|_| [CONSONANTS, VOWELS, CONSONANTS, VOWELS].map(&mut letter).iter().collect())
        .collect();
    words.join("-")
}
