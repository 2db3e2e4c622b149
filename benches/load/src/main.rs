//! Makes seas of any size, and measures what does not need a server.

mod bare;
mod make;
mod pages;
mod rectangles;
mod sea;
mod storage;

use std::path::PathBuf;
use std::process::ExitCode;

use bottle_axum::Result;
use clap::{Parser, Subcommand};

/// Makes seas of any size, and measures what does not need a server.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a database with this number of bottles, always the same ones
    Make {
        db: PathBuf,
        #[command(flatten)]
        sea: make::Sea,
    },
    /// Make the database of the other servers from one of Bottle's
    Peer { sea: PathBuf, db: PathBuf },
    /// Print rectangles of the database that hold about this number of bottles, as JSON
    Rectangles {
        db: PathBuf,
        results: u32,
        count: usize,
        #[arg(long, value_enum, default_value = "typical")]
        traffic: rectangles::Traffic,
    },
    /// Query Bottle's store for these rectangles, without HTTP, and print queries per second
    Storage { db: PathBuf, rectangles: PathBuf, threads: usize, seconds: f64 },
    /// Print the median number of pages of the file that a search reads when nothing is cached
    Pages {
        db: PathBuf,
        rectangles: PathBuf,
        #[arg(long, value_enum, default_value = "bottle")]
        schema: pages::Schema,
    },
    /// Serve one response from memory, with Rocket; the port is Rocket's own setting
    Bare { db: PathBuf, answer: PathBuf },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Make { db, sea } => make::run(&db, &sea),
        Command::Peer { sea, db } => make::peer(&sea, &db),
        Command::Rectangles { db, results, count, traffic } => {
            rectangles::run(&db, results, count, traffic)
        }
        Command::Storage { db, rectangles, threads, seconds } => {
            storage::run(&db, &rectangles, threads, seconds)
        }
        Command::Pages { db, rectangles, schema } => pages::run(&db, &rectangles, schema),
        Command::Bare { db, answer } => bare::run(&db, &answer),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bottle-load: {error}");
            ExitCode::FAILURE
        }
    }
}
