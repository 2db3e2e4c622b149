//! `bottle class`: guest classes, also while the database is served.

use std::path::{Path, PathBuf};

use bottle::domain::accounts::{Accounts, Class};
use bottle::model::class::parse_minutes;
use bottle::model::clock::{Clock, Timestamp};
use bottle::store::pages::PageRequest;
use bottle::store::{self, OpenError, classes};
use clap::Subcommand;
use serde_json::{Value, json};

use super::user::{self, Common};
use super::{database, invite, wait_for};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Open a class, and print its code
    #[command(after_help = "Example: bottle class open --minutes 90")]
    Open {
        /// The minutes that it lasts
        #[arg(long, value_name = "N", default_value_t = 45)]
        minutes: i64,
    },
    /// List the classes, latest first
    #[command(after_help = "Example: bottle class list --json")]
    List,
    /// End a class: the sessions of its guests end, and their bottles stay
    #[command(after_help = "Example: bottle class end 3")]
    End {
        /// The id that the list shows
        id: i64,
    },
    /// Delete a class with the accounts and bottles of its guests
    #[command(after_help = "Example: bottle class delete 3")]
    Delete {
        /// The id that the list shows
        id: i64,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

/// Runs `command`.
pub(super) fn run(command: Command, common: Common) -> Result<(), String> {
    let Common { db, json } = common;
    match command {
        Command::List => list(&database(db)?, json),
        Command::Open { minutes } => {
            let seconds = parse_minutes(minutes).map_err(user::message)?;
            wait_for(open(db, seconds, json))
        }
        Command::End { id } => {
            let (accounts, _) = invite::open(db)?;
            wait_for(end(&accounts, id, json))
        }
        Command::Delete { id, yes } => {
            let question =
                format!("Delete class {id} with all accounts and bottles of its guests?");
            if !yes && !user::password::confirm(&question)? {
                return Err("nothing was deleted".into());
            }
            let (accounts, _) = invite::open(db)?;
            wait_for(delete(&accounts, id, json))
        }
    }
}

async fn open(db: Option<PathBuf>, seconds: u32, json: bool) -> Result<(), String> {
    let (accounts, settings) = invite::open(db)?;
    let class = accounts.open_class_without_session(seconds).await.map_err(user::message)?;
    let value = to_json(&class, class.opened_at);
    user::print_result(json, &value, || {
        let code = class.code.as_ref().map(|code| code.as_str()).unwrap_or_default();
        let link = format!("{}/#class/{code}", settings.public_url.trim_end_matches('/'));
        let place = if settings.public_url.is_empty() { " after the server's address" } else { "" };
        format!("{}\nCode: {code}\nLink: {link}{place}", describe(&class, class.opened_at))
    })
}

async fn end(accounts: &Accounts, id: i64, json: bool) -> Result<(), String> {
    accounts.end_class_without_session(id).await.map_err(user::message)?;
    let value = json!({ "class_id": id, "ended": true });
    user::print_result(json, &value, || format!("class {id} has ended"))
}

async fn delete(accounts: &Accounts, id: i64, json: bool) -> Result<(), String> {
    accounts.delete_class_without_session(id).await.map_err(user::message)?;
    let value = json!({ "class_id": id, "deleted": true });
    user::print_result(json, &value, || format!("class {id} is deleted"))
}

fn list(db: &Path, json: bool) -> Result<(), String> {
    let (now, page) = (Clock::default().now(), PageRequest { limit: u32::MAX, after: None });
    let read = store::read(db, |db| {
        let mut listed = Vec::new();
        // Nothing is sent, so the size of an item does not matter.
        let show = |class| {
            listed.push(class);
            Ok(0)
        };
        Ok::<_, OpenError>(classes::list(db, None, page, show).map(|_| listed))
    });
    let listed: Vec<Class> = read.map_err(|e| e.to_string())?.map_err(user::message)?;
    let value = listed.iter().map(|class| to_json(class, now)).collect::<Value>();
    user::print_result(json, &value, || {
        let lines: Vec<String> = listed.iter().map(|class| describe(class, now)).collect();
        if lines.is_empty() { "there are no classes".to_owned() } else { lines.join("\n") }
    })
}

fn to_json(class: &Class, now: Timestamp) -> Value {
    json!({
        "class_id": class.id,
        "code": class.code.as_ref().map(|code| code.as_str()),
        "teacher": class.teacher,
        "opened_at": class.opened_at,
        "ends_at": class.ends_at,
        "ended": class.ends_at <= now,
        "guests": class.guests,
        "bottles": class.bottles,
    })
}

fn describe(class: &Class, now: Timestamp) -> String {
    let Class { id, ends_at, guests, bottles, .. } = class;
    let by = class.teacher.as_deref().map(|name| format!(", by {name}")).unwrap_or_default();
    let until = if *ends_at <= now { "ended" } else { "open until" };
    format!("Class {id}: {until} {ends_at}, {guests} guests, {bottles} bottles{by}")
}
