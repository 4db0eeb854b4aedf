//! The program: parse, run, exit. Everything else is in the library.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    silta::cli::run(silta::cli::Silta::parse())
}
