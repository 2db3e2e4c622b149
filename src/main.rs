//! The program `bottle`: parses the command line and runs the command.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    cli::allocator::return_large_blocks();
    cli::Cli::parse().run()
}
