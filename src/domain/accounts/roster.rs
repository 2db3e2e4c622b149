//! The accounts of a class, from a CSV file.

use std::collections::HashMap;

use csv::StringRecord;

use super::actor::Actor;
use super::operator::log;
use super::{Account, Accounts, Registration, Role, one_time_password};
use crate::model::error::{Error, Problem, Result};
use crate::model::fields::{Nickname, Username};
use crate::store::action::Action;
use crate::store::users::{self, NewAccount};

/// The maximum number of accounts in a file. Each costs a password hash.
pub const MAX_ROSTER_LINES: usize = 1000;

/// A line of a file of accounts.
pub struct RosterLine {
    /// The number of the line in the file; the first is 1.
    pub line: u64,
    /// The username, as it is written.
    pub username: String,
    /// The nickname, as it is written; empty if there is none.
    pub nickname: String,
    /// The result.
    pub result: LineResult,
}

/// The result of a line.
pub enum LineResult {
    /// It makes an account.
    New(NewStudent),
    /// It has made this account, with this one-time password.
    Created(Account, String),
    /// There is an account with this username.
    Exists,
    /// The line with this number has the username too.
    Repeated(u64),
    /// A value breaks the rule of its field.
    Invalid(Error),
}

/// The parsed values of a line.
#[derive(Clone)]
pub struct NewStudent {
    username: Username,
    nickname: Option<Nickname>,
}

/// Parses a CSV file in UTF-8 whose first line names the columns: `username` and, optionally,
/// `nickname`. They are separated by commas or, if the first line has none, by semicolons. Empty lines
/// are skipped.
///
/// # Errors
/// Returns an error about the field `csv` if it has no column `username` or too many lines.
pub fn parse_roster(text: &str) -> Result<Vec<RosterLine>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let delimiter = if first.contains(';') && !first.contains(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let no_column = || Error::field("csv", Problem::NoColumn("username"));
    let headers = reader.headers().map_err(|_| no_column())?;
    let column = |wanted: &str| headers.iter().position(|name| name.eq_ignore_ascii_case(wanted));
    let columns = (column("username").ok_or_else(no_column)?, column("nickname"));
    let (mut lines, mut first_lines) = (Vec::new(), HashMap::new());
    let mut numbers = LineNumbers { text, at: 0, line: 1 };
    for record in reader.records() {
        let position = record.as_ref().map_or_else(csv::Error::position, StringRecord::position);
        let line = numbers.of(position);
        let Some(parsed) = parse_line(line, record, columns, &mut first_lines) else { continue };
        if lines.len() == MAX_ROSTER_LINES {
            return Err(Error::field("csv", Problem::TooManyLines(MAX_ROSTER_LINES)));
        }
        lines.push(parsed);
    }
    Ok(lines)
}

/// The numbers of the lines at which records begin. Those of the `csv` crate are too small after empty
/// lines and in files with CRLF.
struct LineNumbers<'t> {
    text: &'t str,
    /// The beginning of the last record, in bytes.
    at: usize,
    /// The number of its line.
    line: u64,
}

impl LineNumbers<'_> {
    /// Returns the number of the line of the next record.
    fn of(&mut self, position: Option<&csv::Position>) -> u64 {
        let is_end_of_line = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let text = self.text.as_bytes();
        let mut at = position.map_or(self.at, |position| position.byte() as usize).min(text.len());
        at += text[at..].iter().take_while(|byte| is_end_of_line(byte)).count();
        let passed = text.get(self.at..at).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = at;
        self.line
    }
}

/// Parses a line. Returns `None` if it is empty. `first_lines` has the first line of each username.
fn parse_line(
    line: u64,
    record: csv::Result<StringRecord>,
    (username, nickname): (usize, Option<usize>),
    first_lines: &mut HashMap<String, u64>,
) -> Option<RosterLine> {
    let record = match record {
        Ok(record) => record,
        Err(_) => {
            let result = LineResult::Invalid(Error::field("csv", Problem::WrongColumns));
            let (username, nickname) = (String::new(), String::new());
            return Some(RosterLine { line, username, nickname, result });
        }
    };
    if record.len() > 1 && record.iter().all(str::is_empty) {
        return None;
    }
    let text = |column: Option<usize>| column.and_then(|at| record.get(at)).unwrap_or_default();
    let (username, nickname) = (text(Some(username)).to_owned(), text(nickname).to_owned());
    let result = match new_student(&username, &nickname) {
        Err(error) => LineResult::Invalid(error),
        Ok(student) => match *first_lines.entry(Username::key(&username)).or_insert(line) {
            first if first < line => LineResult::Repeated(first),
            _ => LineResult::New(student),
        },
    };
    Some(RosterLine { line, username, nickname, result })
}

fn new_student(username: &str, nickname: &str) -> Result<NewStudent> {
    let username = Username::parse("username", username)?;
    let nickname = match nickname {
        "" => None,
        nickname => Some(Nickname::parse(nickname)?),
    };
    Ok(NewStudent { username, nickname })
}

impl Accounts {
    /// Marks the lines whose username is taken.
    pub fn preview(&self, lines: &mut [RosterLine]) -> Result<()> {
        self.store.read(|db| {
            for line in lines {
                if let LineResult::New(student) = &line.result
                    && users::by_name(db, &student.username)?.is_some()
                {
                    line.result = LineResult::Exists;
                }
            }
            Ok(())
        })
    }

    /// Makes the new accounts of a file in one transaction, each with a one-time password, and returns
    /// its lines with their results. `progress` receives the number of hashed passwords.
    pub async fn import(
        &self,
        actor: Actor,
        mut lines: Vec<RosterLine>,
        progress: impl Fn(usize),
    ) -> Result<Vec<RosterLine>> {
        self.preview(&mut lines)?;
        let mut passwords = HashMap::new();
        for (n, line) in lines.iter().enumerate() {
            if let LineResult::New(student) = &line.result {
                passwords.insert(line.line, self.prepare(student.clone()).await?);
            }
            progress(n + 1);
        }
        let now = self.clock.now();
        let change = actor.authorized(&self.clock, Account::check_operator, move |db, author| {
            for line in &mut lines {
                let Some((new, password)) = passwords.remove(&line.line) else { continue };
                line.result = match users::insert(db, &new, now) {
                    Ok(account) => {
                        let detail = Some(Role::User.as_str());
                        log(db, author, Action::AddAccount, account.id, detail, now)?;
                        LineResult::Created(account, password)
                    }
                    Err(Error::UsernameTaken(_)) => LineResult::Exists,
                    Err(error) => return Err(error),
                };
            }
            Ok(lines)
        });
        self.store.write(change).await
    }

    /// Returns a new account with the hash of a new one-time password, and that password.
    async fn prepare(&self, student: NewStudent) -> Result<(NewAccount, String)> {
        let password = self.one_time_password();
        let NewStudent { username, nickname } = student;
        let new = Registration {
            username,
            password: self.new_password("password", &password)?,
            nickname,
            gender: None,
            email: None,
        };
        Ok((self.with_hash(new, Role::User, true).await?, password))
    }

    /// Generates a one-time password of the least length of passwords.
    pub fn one_time_password(&self) -> String {
        one_time_password(self.min_password_length)
    }
}
