//! `bottle invite`: invitations, also while the database is served.

use std::path::{Path, PathBuf};

use bottle::domain::accounts::{Accounts, Actor, Invitation, Role};
use bottle::model::invitation::Terms;
use bottle::server::config::Settings;
use bottle::store::pages::PageRequest;
use bottle::store::{self, OpenError, invitations};
use clap::Subcommand;
use serde_json::{Value, json};

use super::user::{self, Common};
use super::{database, open_shared, settings, wait_for};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make an invitation, and print its code
    #[command(after_help = "\
Examples:
  bottle invite create --uses 30 --hours 2     for a class that registers in this lesson
  bottle invite create --role teacher          for a colleague, within a day")]
    Create {
        /// The number of accounts that it lets in
        #[arg(long, value_name = "N", default_value_t = 1)]
        uses: i64,
        /// The hours that it lives
        #[arg(long, value_name = "N", default_value_t = 24)]
        hours: i64,
        /// The role of these accounts
        #[arg(long, value_name = "user|teacher", default_value = "user")]
        role: String,
    },
    /// List the invitations that have not ended, latest first
    #[command(after_help = "Example: bottle invite list --json")]
    List,
    /// Revoke an invitation; the accounts that it has let in stay
    #[command(after_help = "Example: bottle invite revoke 3")]
    Revoke {
        /// The id that the list shows
        id: i64,
    },
}

/// Runs `command`.
pub(super) fn run(command: Command, common: Common) -> Result<(), String> {
    let Common { db, json } = common;
    match command {
        Command::List => list(&database(db)?, json),
        Command::Create { uses, hours, role } => {
            let terms = Terms::parse(Some(&role), Some(uses), Some(hours));
            let terms = terms.map_err(user::message)?;
            let (accounts, settings) = open(db)?;
            wait_for(create(&accounts, &settings, terms, json))
        }
        Command::Revoke { id } => {
            let (accounts, _) = open(db)?;
            wait_for(revoke(&accounts, id, json))
        }
    }
}

/// Opens the accounts beside a server that may be using them.
pub(super) fn open(db: Option<PathBuf>) -> Result<(Accounts, Settings), String> {
    let settings = settings()?;
    let accounts = user::accounts_of(open_shared(db, &settings)?, &settings);
    Ok((accounts, settings))
}

async fn revoke(accounts: &Accounts, id: i64, json: bool) -> Result<(), String> {
    accounts.revoke(Actor::CommandLine, id).await.map_err(user::message)?;
    let value = json!({ "invitation_id": id, "revoked": true });
    user::print_result(json, &value, || format!("invitation {id} is revoked"))
}

async fn create(
    accounts: &Accounts,
    settings: &Settings,
    terms: Terms,
    json: bool,
) -> Result<(), String> {
    let (invitation, code) =
        accounts.invite(Actor::CommandLine, terms).await.map_err(user::message)?;
    let code = code.secret();
    let mut value = to_json(&invitation);
    value["invitation"] = json!(code);
    user::print_result(json, &value, || {
        let link = format!("{}/#invite/{code}", settings.public_url.trim_end_matches('/'));
        let place = if settings.public_url.is_empty() { " after the server's address" } else { "" };
        format!(
            "{}\nCode: {code}\nLink: {link}{place}\nThe code is shown this once.",
            describe(&invitation)
        )
    })
}

fn list(db: &Path, json: bool) -> Result<(), String> {
    let page = PageRequest { limit: u32::MAX, after: None };
    let read = store::read(db, |db| {
        let mut listed = Vec::new();
        // Nothing is sent, so the size of an item does not matter.
        let show = |invitation| {
            listed.push(invitation);
            Ok(0)
        };
        Ok::<_, OpenError>(invitations::list(db, Role::Teacher, page, show).map(|_| listed))
    });
    let listed: Vec<Invitation> = read.map_err(|e| e.to_string())?.map_err(user::message)?;
    let value = listed.iter().map(to_json).collect::<Value>();
    user::print_result(json, &value, || {
        let lines: Vec<String> = listed.iter().map(describe).collect();
        if lines.is_empty() { "there are no invitations".to_owned() } else { lines.join("\n") }
    })
}

fn to_json(invitation: &Invitation) -> Value {
    json!({
        "invitation_id": invitation.id,
        "role": invitation.role.as_str(),
        "uses": invitation.uses,
        "used": invitation.used,
        "created_by": invitation.creator,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
    })
}

fn describe(invitation: &Invitation) -> String {
    let Invitation { id, role, uses, used, expires_at, .. } = invitation;
    let by = invitation.creator.as_deref().map(|name| format!(", by {name}")).unwrap_or_default();
    format!(
        "Invitation {id}: {used} of {uses} used, role {}, until {expires_at}{by}",
        role.as_str()
    )
}
