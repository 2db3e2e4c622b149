//! `bottle keys`: the keys that encrypt cookies and sign tokens.

use std::path::PathBuf;

use bottle::store::meta;
use clap::Subcommand;

use super::user::password::confirm;
use super::{database, terminal};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Replace the keys and end all sessions; stop the server first
    #[command(after_help = "Example: bottle keys rotate --yes")]
    Rotate {
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
        /// The database file [default: bottle.db]
        #[arg(long, value_name = "FILE")]
        db: Option<PathBuf>,
    },
}

/// Runs `command`.
pub(super) fn run(command: Command) -> Result<(), String> {
    let Command::Rotate { yes, db } = command;
    let db = database(db)?;
    let question = format!("Replace the keys of {}, and end all sessions?", db.display());
    if !yes && !confirm(&question)? {
        return Err("nothing was changed".into());
    }
    let ended = meta::rotate_keys(&db).map_err(|e| e.to_string())?;
    terminal::print(format_args!("{}: new keys; {ended} sessions have ended", db.display()));
    Ok(())
}
