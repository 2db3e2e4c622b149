//! Serves what Bottle serves, with axum and rusqlite.

use std::path::PathBuf;
use std::process::ExitCode;

use bottle_axum::{nearby, throws};
use clap::{Parser, Subcommand};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Serves the peers' file on a loopback port.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve `nearby`
    Nearby {
        db: PathBuf,
        port: u16,
        /// One single-threaded runtime per core instead of one runtime over all cores
        #[arg(long)]
        per_core: bool,
    },
    /// Serve throwing a bottle, in one transaction each
    Throws { db: PathBuf, port: u16 },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Nearby { db, port, per_core } => nearby::run(&db, port, per_core),
        Command::Throws { db, port } => throws::run(&db, port),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bottle-axum: {error}");
            ExitCode::FAILURE
        }
    }
}
