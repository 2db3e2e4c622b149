//! The command line, one module a command.

mod demo;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Drift bottles on a map, on one machine of your own.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "\
Examples:
  bottle                        serve bottle.db in this folder on http://127.0.0.1:8000
  bottle serve --db sea.db      serve another file (it is made if it is missing)
  bottle demo                   look around in a sea with bottles, which is gone afterwards
  ROCKET_PORT=9000 bottle       listen on another port
  ROCKET_ADDRESS=0.0.0.0 bottle let others on your network in

Settings: Rocket.toml in this folder, or ROCKET_* in the environment; the README lists them."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a database (what bare `bottle` does too)
    #[command(after_help = "Example: bottle serve --db sea.db --map city.mbtiles")]
    Serve {
        /// The database file; a missing or empty one becomes a new database [default: bottle.db]
        #[arg(long, value_name = "FILE")]
        db: Option<PathBuf>,
        /// A street map that needs no internet: an MBTiles file of pictures
        #[arg(long, value_name = "FILE")]
        map: Option<PathBuf>,
    },
    /// Serve a copy of a small sea with accounts and bottles, in a temporary folder
    #[command(after_help = "Example: bottle demo")]
    Demo,
}

impl Cli {
    /// Does what the command line says.
    pub(crate) fn run(self) -> ExitCode {
        let done = match self.command.unwrap_or(Command::Serve { db: None, map: None }) {
            Command::Serve { db, map } => serve::run(db, map),
            Command::Demo => demo::run(),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(message) => {
                eprintln!("bottle: {message}");
                ExitCode::FAILURE
            }
        }
    }
}
