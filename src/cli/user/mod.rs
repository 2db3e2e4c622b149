//! `bottle user`: the operator's commands for accounts.

mod import;
pub(super) mod password;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bottle::domain::accounts::{Account, AccountSummary, Accounts, Registration, Role};
use bottle::domain::events::EventBus;
use bottle::domain::password::Passwords;
use bottle::domain::rate_limit::{RateLimiter, Rates};
use bottle::model::clock::Clock;
use bottle::model::error::Error;
use bottle::model::fields::{Nickname, Username};
use bottle::server::config::Settings;
use bottle::store::{self, OpenError, Store, account_summaries};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::terminal::escaped;
use super::{database, open_or_create, open_shared, settings, wait_for};

/// The options of all commands.
#[derive(Args)]
pub(super) struct Common {
    /// The database file [default: bottle.db]
    #[arg(long, value_name = "FILE", global = true)]
    db: Option<PathBuf>,
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// List all accounts
    #[command(after_help = "Example: bottle user list --json")]
    List,
    #[command(flatten)]
    Change(Change),
}

#[derive(Subcommand)]
pub(super) enum Change {
    /// Create an account; prompts for the password, or reads it from standard input
    #[command(after_help = "\
Examples:
  bottle user add ada                  prompts for the password
  bottle user add ada --one-time       prints a one-time password, to be replaced at the first login
  bottle user add grace --teacher      creates the account of a teacher, who can moderate")]
    Add {
        username: String,
        /// The name that others see [default: the username]
        #[arg(long)]
        nickname: Option<String>,
        /// Generate a one-time password; the page requires another one at the first login
        #[arg(long)]
        one_time: bool,
        /// Let the account see reports, hide bottles and mute accounts, on the page /teacher
        #[arg(long)]
        teacher: bool,
    },
    /// Create the accounts of a class with one-time passwords, and print them
    #[command(after_help = "\
Example: bottle user import class.csv > sheet.txt

The first line of the file names the columns: username and, optionally, nickname.")]
    Import {
        #[arg(value_name = "CSV")]
        file: PathBuf,
    },
    /// Set a password, and end all sessions of the account
    #[command(after_help = "Example: bottle user passwd ada --one-time")]
    Passwd {
        username: String,
        /// Generate a one-time password; the page requires another one at the first login
        #[arg(long)]
        one_time: bool,
    },
    /// Change the username of an account
    #[command(after_help = "Example: bottle user rename ada lovelace")]
    Rename { username: String, new: String },
    /// Delete an account with its bottles and openings
    #[command(after_help = "Example: bottle user delete ada")]
    Delete {
        username: String,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
    /// End all sessions of an account
    #[command(after_help = "Example: bottle user logout ada")]
    Logout { username: String },
}

/// Runs `command`.
pub(super) fn run(command: Command, common: Common) -> Result<(), String> {
    match command {
        Command::List => list(&database(common.db)?, common.json),
        Command::Change(change) => {
            let settings = settings()?;
            let store = match change {
                Change::Add { .. } | Change::Import { .. } => open_or_create(common.db, &settings)?,
                _ => open_shared(common.db, &settings)?,
            };
            wait_for(change_account(&accounts_of(store, &settings), change, common.json))
        }
    }
}

/// Returns the accounts of `store`, for changes on the command line.
pub(super) fn accounts_of(store: Arc<Store>, settings: &Settings) -> Accounts {
    let passwords = Passwords::new(settings.password_cost(), settings.password_workers);
    let clock = Clock::default();
    let rate_limiter = Arc::new(RateLimiter::new(Rates::default(), &clock));
    // A running server notices the change of the file, and publishes it itself.
    let events = EventBus::new(0);
    let min_length = settings.min_password_length;
    Accounts::new(store, passwords, clock, min_length, rate_limiter, events)
}

async fn change_account(accounts: &Accounts, change: Change, json: bool) -> Result<(), String> {
    match change {
        Change::Add { username, nickname, one_time, teacher } => {
            let password = if one_time { password::generate() } else { password::prompt()? };
            let new = registration(accounts, &username, nickname.as_deref(), &password);
            let role = if teacher { Role::Teacher } else { Role::Student };
            let account = accounts.make(new?, role, one_time).await.map_err(message)?;
            print_account(json, &account, "was created", one_time.then_some(password))
        }
        Change::Import { file } => import::run(accounts, &file, json).await,
        Change::Passwd { username, one_time } => {
            let password = if one_time { password::generate() } else { password::prompt()? };
            let new = accounts.new_password("password", &password).map_err(message)?;
            let account = accounts.set_password(&username, new, one_time).await;
            let account = account.map_err(|e| account_error(&username, e))?;
            let what = "has a new password; its sessions have ended";
            print_account(json, &account, what, one_time.then_some(password))
        }
        Change::Rename { username, new } => {
            let new = Username::parse("username", &new).map_err(message)?;
            let account =
                accounts.rename(&username, new).await.map_err(|e| account_error(&username, e))?;
            print_account(json, &account, "is the new username", None)
        }
        Change::Delete { username, yes } => {
            if !yes && !password::confirm(&format!("Delete {username} with all its bottles?"))? {
                return Err("nothing was deleted".into());
            }
            accounts.remove(&username).await.map_err(|e| account_error(&username, e))?;
            print_result(json, &json!({ "username": username, "deleted": true }), || {
                format!("{username} was deleted")
            })
        }
        Change::Logout { username } => {
            accounts.end_sessions(&username).await.map_err(|e| account_error(&username, e))?;
            print_result(json, &json!({ "username": username, "sessions": 0 }), || {
                format!("all sessions of {username} have ended")
            })
        }
    }
}

fn registration(
    accounts: &Accounts,
    username: &str,
    nickname: Option<&str>,
    password: &str,
) -> Result<Registration, String> {
    Ok(Registration {
        username: Username::parse("username", username).map_err(message)?,
        password: accounts.new_password("password", password).map_err(message)?,
        nickname: nickname.map(Nickname::parse).transpose().map_err(message)?,
        gender: None,
        email: None,
    })
}

fn list(db: &Path, json: bool) -> Result<(), String> {
    let now = Clock::default().now();
    let accounts = store::read(db, |db| Ok::<_, OpenError>(account_summaries::list(db, now)));
    let accounts = accounts.map_err(|e| e.to_string())?.map_err(message)?;
    if json {
        return print_result(
            true,
            &accounts.iter().map(summary_json).collect::<Value>(),
            String::new,
        );
    }
    let mut table = format!(
        "{:>6}  {:<24}  {:>7}  {:>8}  {}\n",
        "id", "registered", "bottles", "sessions", "username"
    );
    for AccountSummary { account, bottles, sessions } in accounts {
        let (id, at, name) = (account.id, account.created_at.to_string(), &account.username);
        let role = if account.is_teacher { "  (teacher)" } else { "" };
        table += &format!("{id:>6}  {at:<24}  {bottles:>7}  {sessions:>8}  {name}{role}\n");
    }
    print_result(false, &Value::Null, || table.trim_end().to_owned())
}

fn summary_json(summary: &AccountSummary) -> Value {
    let AccountSummary { account, bottles, sessions } = summary;
    json!({
        "user_id": account.id,
        "username": account.username,
        "nickname": account.nickname,
        "gender": account.gender.as_str(),
        "created_at": account.created_at,
        "password_is_one_time": account.password_is_one_time,
        "is_teacher": account.is_teacher,
        "bottles": bottles,
        "sessions": sessions,
    })
}

fn print_account(
    json: bool,
    account: &Account,
    what: &str,
    password: Option<String>,
) -> Result<(), String> {
    let mut value = json!({ "user_id": account.id, "username": account.username, "nickname": account.nickname });
    if let Some(password) = &password {
        value["one_time_password"] = json!(password);
    }
    print_result(json, &value, || match &password {
        Some(password) => format!("{} {what}. One-time password: {password}", account.username),
        None => format!("{} {what}", account.username),
    })
}

/// Prints a result as JSON, or as text.
fn print_result(json: bool, value: &Value, text: impl FnOnce() -> String) -> Result<(), String> {
    let line = if json { value.to_string() } else { escaped(&text()) };
    writeln!(io::stdout(), "{line}").map_err(|e| format!("standard output: {e}"))
}

fn message(error: Error) -> String {
    error.to_string()
}

/// Returns the message for an error about the account called `username`.
pub(super) fn account_error(username: &str, error: Error) -> String {
    match error {
        Error::UnknownAccount => {
            format!("there is no account {username}; bottle user list prints all accounts")
        }
        error => error.to_string(),
    }
}
