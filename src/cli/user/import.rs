//! `bottle user import`: the accounts of a class.

use std::fs;
use std::path::Path;

use bottle::domain::accounts::{Account, Accounts, Actor, LineResult, RosterLine, parse_roster};
use serde_json::{Value, json};

use super::{message, print_result};
use crate::cli::{progress, terminal};

/// Creates an account with a one-time password for each line, and prints them.
///
/// # Errors
/// Lines that are invalid or whose username is taken are printed with their number and skipped. Returns
/// how many there are, if any.
pub(super) async fn run(accounts: &Accounts, file: &Path, json: bool) -> Result<(), String> {
    let lines = read(file)?;
    let total = lines.len() as u64;
    let bar = progress::bar("Creating accounts");
    let update = |done: usize| progress::update(&bar)(done as u64, total);
    let lines = accounts.import(Actor::CommandLine, lines, update).await;
    bar.finish_and_clear();
    let (mut created, mut skipped) = (Vec::new(), 0);
    for line in lines.map_err(message)? {
        match reason(&line) {
            Ok((account, password)) => created.push(to_json(account, password)),
            Err(reason) => {
                skipped += 1;
                terminal::print_error(format!("{}, line {}: {reason}", file.display(), line.line));
            }
        }
    }
    print_result(json, &Value::from(created.clone()), || sheet(&created))?;
    match skipped {
        0 => Ok(()),
        _ => Err(format!(
            "{} accounts were created, {skipped} lines were skipped; correct them and import again",
            created.len()
        )),
    }
}

fn read(file: &Path) -> Result<Vec<RosterLine>, String> {
    let failed = |e: &dyn std::fmt::Display| format!("{}: {e}", file.display());
    let bytes = fs::read(file).map_err(|e| failed(&e))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| failed(&"the file is not in UTF-8; save it as \"CSV UTF-8\""))?;
    parse_roster(&text).map_err(|e| failed(&e))
}

/// Returns the account of a line with its password, or why there is none.
fn reason(line: &RosterLine) -> Result<(&Account, &str), String> {
    match &line.result {
        LineResult::Created(account, password) => Ok((account, password)),
        LineResult::Invalid(error) => Err(error.to_string()),
        LineResult::Repeated(first) => {
            Err(format!("the username {} is on line {first} already", line.username))
        }
        LineResult::New(_) | LineResult::Exists => {
            Err(format!("the username {} is taken", line.username))
        }
    }
}

fn to_json(account: &Account, password: &str) -> Value {
    json!({
        "user_id": account.id,
        "username": account.username,
        "nickname": account.nickname,
        "one_time_password": password,
    })
}

/// Formats one line per account, with blank lines between them for cutting the sheet.
fn sheet(created: &[Value]) -> String {
    let field = |account: &Value, name: &str| account[name].as_str().unwrap_or_default().to_owned();
    let lines = created.iter().map(|account| {
        let (name, password) = (field(account, "username"), field(account, "one_time_password"));
        format!("username: {name}    password (until you set your own): {password}")
    });
    lines.collect::<Vec<_>>().join("\n\n")
}
