//! The command line, one module a command.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) mod allocator;
mod backup;
mod check;
mod demo;
mod health;
mod keys;
mod progress;
mod serve;
mod terminal;
mod transfer;
mod user;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use bottle::domain::transfer::Format;
use bottle::server::config::{self, Settings};
use bottle::store::{Options, Store};
use bottle::web;
use clap::{Parser, Subcommand};
use tokio::runtime::Runtime;

/// Drift bottles on a map, on one machine of your own.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "\
Examples:
  bottle                        serve bottle.db in this folder on http://127.0.0.1:8000
  bottle --db sea.db            serve another file (it is made if it is missing)
  bottle demo                   look around in a sea with bottles, which is gone afterwards
  ROCKET_PORT=9000 bottle       listen on another port
  ROCKET_ADDRESS=0.0.0.0 bottle let others on your network in

Settings: Rocket.toml in this folder, or ROCKET_* in the environment; docs/settings.md lists them.",
    args_conflicts_with_subcommands = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    serve: serve::Args,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a database (what bare `bottle` does too)
    #[command(after_help = "\
Examples:
  bottle serve --db sea.db --map city.mbtiles
  bottle serve --lan                          for a class: prints an address and a QR code
  bottle serve --lan --tls auto               the same over https, so that phones may give their position")]
    Serve(serve::Args),
    /// Copy the database to a file, also while it is served
    #[command(after_help = "\
Examples:
  bottle backup sea.db                 into this file, in place of the backup it is
  bottle backup                        beside the database, with the time in its name
  bottle backup --keep 7 /mnt/disk     into this folder; of those named by their time, keep 7")]
    Backup {
        /// The new file, or a folder for it [default: the database's folder]
        #[arg(value_name = "FILE")]
        to: Option<PathBuf>,
        /// Delete older backups until so many are left
        #[arg(long, value_name = "N")]
        keep: Option<usize>,
        /// The database file [default: bottle.db]
        #[arg(long, value_name = "FILE")]
        db: Option<PathBuf>,
    },
    /// Put a backup in the place of the database, which is kept beside it
    #[command(after_help = "Example: bottle restore bottle-20261121T091500.000Z.db")]
    Restore {
        /// The backup
        #[arg(value_name = "FILE")]
        from: PathBuf,
        /// The database file [default: bottle.db]
        #[arg(long, value_name = "FILE")]
        db: Option<PathBuf>,
    },
    /// Look for damage, and say what to do about it
    #[command(after_help = "\
Examples:
  bottle check                     look, also while it is served
  bottle check --rebuild-index     make the R*-tree and all counts anew first")]
    Check {
        /// The database file [default: bottle.db]
        #[arg(long, value_name = "FILE")]
        db: Option<PathBuf>,
        /// Make the R*-tree and all counts anew from the tables
        #[arg(long)]
        rebuild_index: bool,
    },
    /// Write data to a file, for other programs or another server
    #[command(after_help = "\
Examples:
  bottle export sea.jsonl                  accounts (without passwords), bottles and openings
  bottle export --user ada > ada.jsonl     one account's
  bottle export --geojson sea.geojson      bottles alone, for maps")]
    Export {
        /// The new file [default: standard output]
        #[arg(value_name = "FILE")]
        to: Option<PathBuf>,
        /// This account, its bottles and who opened them
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// GeoJSON instead of JSON Lines
        #[arg(long)]
        geojson: bool,
        /// The database file [default: bottle.db]
        #[arg(long, value_name = "FILE")]
        db: Option<PathBuf>,
    },
    /// Read data that export or another program wrote; what is there already stays as it is
    #[command(after_help = "\
Examples:
  bottle import sea.jsonl                     what bottle export wrote
  bottle import --owner ada wells.geojson     points of another program, as bottles of ada's")]
    Import {
        /// JSON Lines, or a GeoJSON collection
        #[arg(value_name = "FILE")]
        from: PathBuf,
        /// The account that owns the bottles which another program wrote
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
        /// The database file [default: bottle.db]
        #[arg(long, value_name = "FILE")]
        db: Option<PathBuf>,
    },
    /// Ask the server on this machine whether it is ready
    #[command(after_help = "Example: bottle health || systemctl restart bottle")]
    Health,
    /// Look after accounts, also while they are served
    #[command(subcommand_required = true, after_help = "Example: bottle user list")]
    User {
        #[command(subcommand)]
        command: user::Command,
        #[command(flatten)]
        common: user::Common,
    },
    /// Replace the keys that encrypt cookies and sign tokens
    #[command(subcommand_required = true, after_help = "Example: bottle keys rotate")]
    Keys {
        #[command(subcommand)]
        command: keys::Command,
    },
    /// Print the OpenAPI document of every route, which is also at /api/openapi.json and, to read, at /docs
    #[command(name = "openapi", after_help = "Example: bottle openapi > openapi.json")]
    OpenApi,
    /// Serve a copy of a small sea with accounts and bottles, in a temporary folder
    #[command(after_help = "Example: bottle demo")]
    Demo,
}

impl Cli {
    /// Does what the command line says.
    pub(crate) fn run(self) -> ExitCode {
        let done = match self.command.unwrap_or(Command::Serve(self.serve)) {
            Command::Serve(args) => serve::run(args),
            Command::Backup { to, keep, db } => backup::run(to, keep, db),
            Command::Restore { from, db } => backup::restore(&from, db),
            Command::Check { db, rebuild_index } => check::run(db, rebuild_index),
            Command::User { command, common } => user::run(command, common),
            Command::Keys { command } => keys::run(command),
            Command::Export { to, user, geojson, db } => {
                let format = if geojson { Format::GeoJson } else { Format::JsonLines };
                transfer::export(to.as_deref(), user.as_deref(), format, db)
            }
            Command::Import { from, owner, db } => transfer::import(&from, owner.as_deref(), db),
            Command::Health => health::run(),
            Command::OpenApi => print_openapi(),
            Command::Demo => demo::run(),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(message) => {
                terminal::complain(format_args!("bottle: {message}"));
                ExitCode::FAILURE
            }
        }
    }
}

fn print_openapi() -> Result<(), String> {
    let document = web::file("api/openapi.json").ok_or("it is not in this program")?;
    io::stdout().write_all(&document).map_err(|e| e.to_string())
}

/// All settings, or what is wrong with them.
fn settings() -> Result<Settings, String> {
    Settings::from(&config::figment()).map_err(|e| format!("in the settings: {e}"))
}

/// The database that is meant: the one named here, or in the settings.
fn database(named: Option<PathBuf>) -> Result<PathBuf, String> {
    named.map_or_else(|| Ok(settings()?.database), Ok)
}

/// The database that is meant, open beside a server that may hold it.
fn beside(named: Option<PathBuf>, settings: &Settings) -> Result<Arc<Store>, String> {
    let busy_timeout = settings.busy_timeout();
    let options = Options { readers: 1, long_readers: 1, busy_timeout, slow: None };
    let store = Store::open_shared(named.as_ref().unwrap_or(&settings.database), &options);
    store.map(Arc::new).map_err(|e| e.to_string())
}

/// Waits for `work`, on this thread.
fn wait_for<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    runtime()?.block_on(work)
}

/// What waits for work, on this thread.
fn runtime() -> Result<Runtime, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| format!("no threads could be started: {e}"))
}
