//! `bottle user import`: the accounts of a class.

use std::path::Path;

use bottle::domain::accounts::{Accounts, Role};
use serde::Deserialize;
use serde_json::{Value, json};

use super::password;
use super::{registration, say, told};
use crate::cli::{progress, terminal};

/// A line of the file, without its other columns.
#[derive(Deserialize)]
struct Pupil {
    username: String,
    nickname: Option<String>,
}

/// Creates an account with a one-time password for each line, and prints them.
///
/// # Errors
/// Lines that are invalid are printed with their number and skipped. Returns how many there are, if
/// any.
pub(super) async fn run(accounts: &Accounts, file: &Path, json: bool) -> Result<(), String> {
    let pupils = read(file)?;
    let bar = progress::bar("Creating accounts");
    let (mut made, mut left_out) = (Vec::new(), 0);
    for (n, (line, pupil)) in pupils.iter().enumerate() {
        progress::tell(&bar)(n as u64, pupils.len() as u64);
        let added = match pupil {
            Ok(pupil) => add(accounts, pupil).await,
            Err(why) => Err(why.clone()),
        };
        match added {
            Ok(account) => made.push(account),
            Err(why) => {
                left_out += 1;
                let what = format!("{}, line {line}: {why}", file.display());
                bar.suspend(|| terminal::complain(what));
            }
        }
    }
    bar.finish_and_clear();
    say(json, &Value::from(made.clone()), || sheet(&made))?;
    match left_out {
        0 => Ok(()),
        _ => Err(format!(
            "{} accounts were created, {left_out} lines were skipped; correct them and import again",
            made.len()
        )),
    }
}

type Line = (u64, Result<Pupil, String>);

fn read(file: &Path) -> Result<Vec<Line>, String> {
    let failed = |e: csv::Error| format!("{}: {e}", file.display());
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(file).map_err(failed)?;
    let headers = reader.headers().map_err(failed)?.clone();
    if !headers.iter().any(|name| name == "username") {
        return Err(format!(
            "{}: the first line has no column username; name the columns there",
            file.display()
        ));
    }
    let line = |record: Result<csv::StringRecord, csv::Error>| match record {
        Ok(record) => {
            let line = record.position().map_or(0, csv::Position::line);
            (line, record.deserialize(Some(&headers)).map_err(|e| e.to_string()))
        }
        Err(e) => (e.position().map_or(0, csv::Position::line), Err(e.to_string())),
    };
    Ok(reader.records().map(line).collect())
}

async fn add(accounts: &Accounts, pupil: &Pupil) -> Result<Value, String> {
    let password = password::generate();
    let nickname = pupil.nickname.as_deref().filter(|nickname| !nickname.is_empty());
    let new = registration(accounts, &pupil.username, nickname, &password)?;
    let account = accounts.make(new, Role::Student, true).await.map_err(told)?;
    Ok(json!({
        "user_id": account.id,
        "username": account.username,
        "nickname": account.nickname,
        "one_time_password": password,
    }))
}

/// Formats one line per account, with blank lines between them for cutting the sheet.
fn sheet(made: &[Value]) -> String {
    let field = |account: &Value, name: &str| account[name].as_str().unwrap_or_default().to_owned();
    let lines = made.iter().map(|account| {
        let (name, password) = (field(account, "username"), field(account, "one_time_password"));
        format!("username: {name}    password (until you set your own): {password}")
    });
    lines.collect::<Vec<_>>().join("\n\n")
}
