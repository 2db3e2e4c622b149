//! The program `bottle`: parses the command line and does what it says.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod allocator;
mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    allocator::give_back_large_blocks();
    cli::Cli::parse().run()
}
