//! `bottle user`: the operator's commands for accounts.

mod change;
mod import;
mod list;
pub(super) mod password;

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use bottle::domain::accounts::{Accounts, Role};
use bottle::domain::events::EventBus;
use bottle::domain::password::Passwords;
use bottle::domain::rate_limit::{RateLimiter, Rates};
use bottle::model::clock::Clock;
use bottle::model::error::Error;
use bottle::server::config::Settings;
use bottle::store::Store;
use clap::{Args, Subcommand};
use serde_json::Value;

use super::terminal::escaped;
use super::{database, open_shared, options, settings, wait_for};

/// The options of all commands.
#[derive(Args)]
pub(super) struct Common {
    /// The database file [default: bottle.db]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) db: Option<PathBuf>,
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    pub(super) json: bool,
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
  bottle user add grace --teacher      creates the account of a teacher, who can moderate
  bottle user add root --operator      creates the account of an operator, who decides who gets in")]
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
        /// Let the account do that, and also decide who gets in
        #[arg(long, conflicts_with = "teacher")]
        operator: bool,
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
    /// Change the role of an account
    #[command(after_help = "\
Examples:
  bottle user role grace teacher       grace can moderate
  bottle user role ada operator        ada can also decide who gets in
  bottle user role ada user            ada can do neither")]
    Role {
        username: String,
        #[arg(value_name = "operator|teacher|user", value_parser = role)]
        role: Role,
        /// Allow that no operator is left
        #[arg(long)]
        last_operator: bool,
    },
    /// Delete an account with its bottles and openings
    #[command(after_help = "Example: bottle user delete ada")]
    Delete {
        username: String,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
        /// Allow that no operator is left
        #[arg(long)]
        last_operator: bool,
    },
    /// Keep an account from throwing for a time
    #[command(after_help = "\
Examples:
  bottle user mute ada 60      for an hour
  bottle user mute ada 0       let ada throw again")]
    Mute {
        username: String,
        #[arg(value_name = "MINUTES")]
        minutes: u32,
    },
    /// End all sessions and access tokens of an account
    #[command(after_help = "Example: bottle user logout ada")]
    Logout { username: String },
}

/// Runs `command`.
pub(super) fn run(command: Command, common: Common) -> Result<(), String> {
    match command {
        Command::List => list::run(&database(common.db)?, common.json),
        Command::Change(change) => {
            let settings = settings()?;
            let store = match change {
                Change::Add { .. } | Change::Import { .. } => open_or_create(common.db, &settings)?,
                _ => open_shared(common.db, &settings)?,
            };
            wait_for(change::run(&accounts_of(store, &settings), change, common.json))
        }
    }
}

/// Opens the database as [`open_shared`] does, and creates it first if it is missing.
fn open_or_create(named: Option<PathBuf>, settings: &Settings) -> Result<Arc<Store>, String> {
    let path = named.as_ref().unwrap_or(&settings.database);
    if !path.exists() {
        drop(Store::open(path, &options(settings)).map_err(|e| e.to_string())?);
    }
    open_shared(named, settings)
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

/// Prints a result as JSON, or as text.
pub(super) fn print_result(
    json: bool,
    value: &Value,
    text: impl FnOnce() -> String,
) -> Result<(), String> {
    let line = if json { value.to_string() } else { escaped(&text()) };
    writeln!(io::stdout(), "{line}").map_err(|e| format!("standard output: {e}"))
}

/// Parses the role on the command line.
fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "the roles are operator, teacher and user".to_owned())
}

pub(super) fn message(error: Error) -> String {
    error.to_string()
}

/// Returns the message for an error about the account called `username`.
pub(super) fn account_error(username: &str, error: Error) -> String {
    match error {
        Error::UnknownAccount => {
            format!("there is no account {username}; bottle user list prints all accounts")
        }
        Error::LastOperator => format!(
            "{username} is the last operator; name another one first \
             (bottle user role NAME operator), or add --last-operator"
        ),
        error => error.to_string(),
    }
}
