//! The program `bottle`: parses the command line and runs the command.

mod cli;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::allocator::configure();
    cli::Cli::parse().run()
}
