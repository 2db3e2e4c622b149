//! `bottle log`: what teachers and operators did.

use std::io::{self, Write};
use std::path::PathBuf;

use bottle::domain::audit_log::{Action, AuditEntry, LogFilter};
use bottle::store::pages::PageRequest;
use bottle::store::{self, OpenError, audit_log};
use serde_json::{Value, json};

use super::database;
use super::terminal::escaped;

/// The options of `bottle log`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Only actions of this teacher or operator
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only actions of this kind, such as `hide` or `set_role`
    #[arg(long, value_name = "ACTION", value_parser = action)]
    action: Option<Action>,
    /// Only actions that concern this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// The maximum number of actions
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
    /// Print JSON, one action per line
    #[arg(long)]
    json: bool,
    /// The database file [default: bottle.db]
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
}

fn action(text: &str) -> Result<Action, String> {
    Action::parse(text).ok_or_else(|| "there is no such action in the log".to_owned())
}

/// Prints the log.
pub(super) fn run(args: Args) -> Result<(), String> {
    let Args { actor, action, account, limit, json, db } = args;
    let filter = LogFilter { actor, action, account, ..LogFilter::default() };
    let page = PageRequest { limit, after: None };
    let read = store::read(&database(db)?, |db| {
        let mut entries = Vec::new();
        // Nothing is sent, so the size of an item does not matter.
        let show = |entry| {
            entries.push(entry);
            Ok(0)
        };
        Ok::<_, OpenError>(audit_log::list(db, &filter, page, show).map(|_| entries))
    });
    let entries: Vec<AuditEntry> = read.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
    let mut out = io::stdout().lock();
    for entry in &entries {
        let line = if json { to_json(entry).to_string() } else { escaped(&describe(entry)) };
        writeln!(out, "{line}").map_err(|e| format!("standard output: {e}"))?;
    }
    Ok(())
}

fn to_json(entry: &AuditEntry) -> Value {
    json!({
        "entry_id": entry.id,
        "done_at": entry.done_at,
        "actor": entry.actor,
        "action": entry.action.as_str(),
        "bottle_id": entry.bottle,
        "reply_id": entry.reply,
        "user_id": entry.user.as_ref().map(|(id, _)| id),
        "username": entry.user.as_ref().map(|(_, username)| username),
        "until": entry.until,
        "detail": entry.detail,
    })
}

/// Formats an entry as `TIME  ACTOR  ACTION  what it concerned`.
fn describe(entry: &AuditEntry) -> String {
    let about = [
        entry.user.as_ref().map(|(_, username)| username.clone()),
        entry.bottle.map(|id| format!("bottle {id}")),
        entry.reply.map(|id| format!("reply {id}")),
        entry.until.map(|until| format!("until {until}")),
        entry.detail.clone(),
    ];
    let about: Vec<String> = about.into_iter().flatten().collect();
    let (time, actor) = (entry.done_at, entry.actor.as_deref().unwrap_or("-"));
    format!("{time}  {actor:<16}  {:<18}  {}", entry.action.as_str(), about.join(", "))
        .trim_end()
        .to_owned()
}
