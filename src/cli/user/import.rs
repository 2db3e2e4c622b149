//! `bottle user import`: the accounts of a class.

use std::path::Path;

use bottle::domain::accounts::{Accounts, Role};
use serde::Deserialize;
use serde_json::{Value, json};

use super::password;
use super::{message, print_result, registration};
use crate::cli::{progress, terminal};

/// A line of the file, without its other columns.
#[derive(Deserialize)]
struct NewStudent {
    username: String,
    nickname: Option<String>,
}

/// Creates an account with a one-time password for each line, and prints them.
///
/// # Errors
/// Lines that are invalid are printed with their number and skipped. Returns how many there are, if
/// any.
pub(super) async fn run(accounts: &Accounts, file: &Path, json: bool) -> Result<(), String> {
    let students = read(file)?;
    let bar = progress::bar("Creating accounts");
    let (mut created, mut skipped) = (Vec::new(), 0);
    for (n, (line, student)) in students.iter().enumerate() {
        progress::update(&bar)(n as u64, students.len() as u64);
        let added = match student {
            Ok(student) => add(accounts, student).await,
            Err(reason) => Err(reason.clone()),
        };
        match added {
            Ok(account) => created.push(account),
            Err(reason) => {
                skipped += 1;
                let what = format!("{}, line {line}: {reason}", file.display());
                bar.suspend(|| terminal::print_error(what));
            }
        }
    }
    bar.finish_and_clear();
    print_result(json, &Value::from(created.clone()), || sheet(&created))?;
    match skipped {
        0 => Ok(()),
        _ => Err(format!(
            "{} accounts were created, {skipped} lines were skipped; correct them and import again",
            created.len()
        )),
    }
}

type Line = (u64, Result<NewStudent, String>);

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

async fn add(accounts: &Accounts, student: &NewStudent) -> Result<Value, String> {
    let password = password::generate();
    let nickname = student.nickname.as_deref().filter(|nickname| !nickname.is_empty());
    let new = registration(accounts, &student.username, nickname, &password)?;
    let account = accounts.make(new, Role::User, true).await.map_err(message)?;
    Ok(json!({
        "user_id": account.id,
        "username": account.username,
        "nickname": account.nickname,
        "one_time_password": password,
    }))
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
