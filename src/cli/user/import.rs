//! `bottle user import`: a class of accounts.

use std::path::Path;

use bottle::domain::accounts::{Accounts, Role};
use serde::Deserialize;
use serde_json::{Value, json};

use super::password;
use super::{registration, say, told};
use crate::cli::{progress, terminal};

/// A line of the file. Other columns are ignored.
#[derive(Deserialize)]
struct Pupil {
    username: String,
    nickname: Option<String>,
}

/// Makes an account of each line, with a one-time password, and prints them. Lines that are no account
/// are told with their number and left out, and make it a failure.
pub(super) async fn run(accounts: &Accounts, file: &Path, json: bool) -> Result<(), String> {
    let pupils = read(file)?;
    let bar = progress::bar("Making accounts");
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
        _ => Err(format!("{} accounts were made, {left_out} lines left out", made.len())),
    }
}

type Line = (u64, Result<Pupil, String>);

fn read(file: &Path) -> Result<Vec<Line>, String> {
    let failed = |e: csv::Error| format!("{}: {e}", file.display());
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(file).map_err(failed)?;
    let headers = reader.headers().map_err(failed)?.clone();
    if !headers.iter().any(|name| name == "username") {
        return Err(format!("{}: its first line names no column username", file.display()));
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

/// One line for each, to be cut apart.
fn sheet(made: &[Value]) -> String {
    let field = |account: &Value, name: &str| account[name].as_str().unwrap_or_default().to_owned();
    let lines = made.iter().map(|account| {
        let (name, password) = (field(account, "username"), field(account, "one_time_password"));
        format!("username: {name}    password (until you set your own): {password}")
    });
    lines.collect::<Vec<_>>().join("\n\n")
}
