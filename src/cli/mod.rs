//! The command line, one module per command.

pub(crate) mod allocator;
mod backup;
mod check;
mod class;
mod demo;
mod health;
mod invite;
mod keys;
mod log;
mod progress;
mod promote;
mod serve;
mod setup;
mod show_settings;
mod terminal;
mod transfer;
mod user;
mod webhook;

use std::fmt::Display;
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

/// The command line.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "\
Examples:
  bottle                        serve bottle.db in this folder on http://127.0.0.1:8000
  bottle --db sea.db            serve another file, creating it if it is missing
  bottle demo                   serve a temporary sea with accounts and bottles
  ROCKET_PORT=9000 bottle       listen on another port
  ROCKET_ADDRESS=0.0.0.0 bottle accept connections from the network

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
    /// Serve a database; `bottle` without a command does the same
    #[command(after_help = "\
Examples:
  bottle serve --db sea.db --map city.pmtiles
  bottle serve --lan                          for a class: prints an address and a QR code
  bottle serve --lan --tls auto               the same over HTTPS, so that phones can send their position")]
    Serve(serve::Args),
    /// Back up the database to a file, even while it is served
    #[command(after_help = "\
Examples:
  bottle backup sea.db                 to this file, replacing a backup of that name
  bottle backup                        beside the database, with the time in its name
  bottle backup --keep 7 /mnt/disk     to this folder, keeping 7 backups with the time in their name")]
    Backup {
        /// The new file, or a folder for it [default: the database's folder]
        #[arg(value_name = "FILE")]
        to: Option<PathBuf>,
        /// The number of backups to keep; deletes older ones
        #[arg(long, value_name = "N")]
        keep: Option<usize>,
        /// The database file [default: bottle.db]
        #[arg(long, value_name = "FILE")]
        db: Option<PathBuf>,
    },
    /// Replace the database by a backup; keeps the old file beside it
    #[command(after_help = "Example: bottle restore bottle-20261121T091500.000Z.db")]
    Restore {
        /// The backup
        #[arg(value_name = "FILE")]
        from: PathBuf,
        /// The database file [default: bottle.db]
        #[arg(long, value_name = "FILE")]
        db: Option<PathBuf>,
    },
    /// Check the database for damage, and print remedies
    #[command(after_help = "\
Examples:
  bottle check                     check, even while it is served
  bottle check --rebuild-index     rebuild the R*-tree and all counts first; stop the server before")]
    Check {
        /// The database file [default: bottle.db]
        #[arg(long, value_name = "FILE")]
        db: Option<PathBuf>,
        /// Rebuild the R*-tree and all counts from the tables
        #[arg(long)]
        rebuild_index: bool,
    },
    /// Export data to a file, for other programs or another server
    #[command(after_help = "\
Examples:
  bottle export sea.jsonl                  accounts (without passwords), bottles and openings
  bottle export --user ada > ada.jsonl     the data of one account
  bottle export --geojson sea.geojson      only bottles, for maps
  bottle export --format gpx sea.gpx       only bottles, as waypoints for navigation devices")]
    Export {
        /// The new file [default: standard output]
        #[arg(value_name = "FILE")]
        to: Option<PathBuf>,
        /// Export only this account, its bottles and their openers
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// The format: everything as JSON Lines, or bottles as GeoJSON or GPX
        #[arg(long, value_name = "jsonl|geojson|gpx", value_parser = transfer::format, default_value = "jsonl")]
        format: Format,
        /// The same as --format geojson
        #[arg(long, conflicts_with = "format")]
        geojson: bool,
        /// The database file [default: bottle.db]
        #[arg(long, value_name = "FILE")]
        db: Option<PathBuf>,
    },
    /// Import data of `bottle export` or of another program; skips rows that exist
    #[command(after_help = "\
Examples:
  bottle import sea.jsonl                     a file of bottle export
  bottle import --owner ada wells.geojson     points of another program, as bottles of ada")]
    Import {
        /// JSON Lines, or a GeoJSON collection
        #[arg(value_name = "FILE")]
        from: PathBuf,
        /// The owner of the bottles from another program
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
        /// The database file [default: bottle.db]
        #[arg(long, value_name = "FILE")]
        db: Option<PathBuf>,
    },
    /// Make a standby's database one that a server writes; stop its server and its follower first
    #[command(after_help = "Example: bottle promote --db standby.db")]
    Promote {
        /// The database file [default: bottle.db]
        #[arg(long, value_name = "FILE")]
        db: Option<PathBuf>,
    },
    /// Check that the server on this machine is ready
    #[command(after_help = "Example: bottle health || systemctl restart bottle")]
    Health,
    /// Manage accounts, even while the database is served
    #[command(subcommand_required = true, after_help = "Example: bottle user list")]
    User {
        #[command(subcommand)]
        command: user::Command,
        #[command(flatten)]
        common: user::Common,
    },
    /// Manage invitations, with which people register, even while the database is served
    #[command(subcommand_required = true, after_help = "Example: bottle invite create --uses 30")]
    Invite {
        #[command(subcommand)]
        command: invite::Command,
        #[command(flatten)]
        common: user::Common,
    },
    /// Manage the webhook, to which the server sends what happens, even while the database is served
    #[command(
        subcommand_required = true,
        after_help = "Example: bottle webhook set https://example.org/bottle"
    )]
    Webhook {
        #[command(subcommand)]
        command: webhook::Command,
        #[command(flatten)]
        common: user::Common,
    },
    /// Print what teachers and operators did, latest first
    #[command(after_help = "\
Examples:
  bottle log                              the last 50 actions
  bottle log --account ada --limit 1000   what was done to ada and to her bottles
  bottle log --json > log.jsonl           an action per line, for scripts")]
    Log(log::Args),
    /// Manage guest classes, which pupils join without an account, even while the database is served
    #[command(subcommand_required = true, after_help = "Example: bottle class open --minutes 45")]
    Class {
        #[command(subcommand)]
        command: class::Command,
        #[command(flatten)]
        common: user::Common,
    },
    /// Print every setting with its value and its source: default, file, environment or page
    #[command(after_help = "Example: bottle settings --json")]
    Settings(user::Common),
    /// Replace the keys that encrypt cookies and sign tokens
    #[command(subcommand_required = true, after_help = "Example: bottle keys rotate")]
    Keys {
        #[command(subcommand)]
        command: keys::Command,
    },
    /// Print the OpenAPI document of all routes, which the server has at /api/openapi.json and /docs
    #[command(name = "openapi", after_help = "Example: bottle openapi > openapi.json")]
    OpenApi,
    /// Serve a temporary copy of a small sea with accounts and bottles
    #[command(after_help = "Example: bottle demo")]
    Demo,
}

impl Cli {
    /// Runs the command, and prints its error.
    pub(crate) fn run(self) -> ExitCode {
        let done = match self.command.unwrap_or(Command::Serve(self.serve)) {
            Command::Serve(args) => serve::run(args),
            Command::Backup { to, keep, db } => backup::run(to, keep, db),
            Command::Restore { from, db } => backup::restore(&from, db),
            Command::Check { db, rebuild_index } => check::run(db, rebuild_index),
            Command::User { command, common } => user::run(command, common),
            Command::Invite { command, common } => invite::run(command, common),
            Command::Webhook { command, common } => webhook::run(command, common),
            Command::Log(args) => log::run(args),
            Command::Class { command, common } => class::run(command, common),
            Command::Settings(common) => show_settings::run(common),
            Command::Keys { command } => keys::run(command),
            Command::Export { to, user, format, geojson, db } => {
                let format = if geojson { Format::GeoJson } else { format };
                transfer::export(to.as_deref(), user.as_deref(), format, db)
            }
            Command::Import { from, owner, db } => transfer::import(&from, owner.as_deref(), db),
            Command::Promote { db } => promote::run(db),
            Command::Health => health::run(),
            Command::OpenApi => print_openapi(),
            Command::Demo => demo::run(),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(message) => {
                terminal::print_error(format_args!("bottle: {message}"));
                ExitCode::FAILURE
            }
        }
    }
}

fn print_openapi() -> Result<(), String> {
    let document = web::file("api/openapi.json")
        .ok_or("this program was built without static/api/openapi.json")?;
    io::stdout().write_all(&document).map_err(|e| e.to_string())
}

/// Reads all settings.
fn settings() -> Result<Settings, String> {
    Settings::from(&config::figment()).map_err(invalid_settings)
}

/// Returns the message for an error in the settings.
fn invalid_settings(error: impl Display) -> String {
    format!("invalid settings: {error}; docs/settings.md lists them")
}

/// Returns the path of the database: the one on the command line, or else that of the settings.
fn database(named: Option<PathBuf>) -> Result<PathBuf, String> {
    named.map_or_else(|| Ok(settings()?.database), Ok)
}

/// Opens the database beside a server that may be using it.
fn open_shared(named: Option<PathBuf>, settings: &Settings) -> Result<Arc<Store>, String> {
    let path = named.as_ref().unwrap_or(&settings.database);
    Store::open_shared(path, &options(settings)).map(Arc::new).map_err(|e| e.to_string())
}

fn options(settings: &Settings) -> Options {
    Options {
        readers: 1,
        long_readers: 1,
        busy_timeout: settings.busy_timeout(),
        slow: None,
        map_cache_bytes: 0,
    }
}

/// Runs `work` to its end, on this thread.
fn wait_for<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    runtime()?.block_on(work)
}

/// Builds an async runtime on this thread.
fn runtime() -> Result<Runtime, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| format!("cannot start the async runtime: {e}"))
}
