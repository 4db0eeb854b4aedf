//! `silta config`: checks the configuration, prints the defaults, makes keys and tokens.

use std::{path::Path, process::ExitCode};

use anyhow::Result;
use clap::Subcommand;

use super::{load::load, print::print_line};
use crate::{
    app::config::{self, Environment},
    domain::digest::sha256_hex,
    runtime::clock::Entropy,
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Checks the configuration file and reports every error
    Check,
    /// Prints the annotated defaults
    Default,
    /// Makes a key for [secrets] and a secret for a webhook channel of [alerts], each shown once
    Key,
    /// Makes an admin token, shown once; the configuration holds its SHA-256
    Token {
        /// The name in the audit trail
        name: String,
        /// A token that can only read
        #[arg(long)]
        viewer: bool,
    },
}

pub(super) fn run(command: &Command, path: &Path, environment: &Environment) -> Result<ExitCode> {
    match command {
        Command::Check => {
            let config = load(path, environment)?;
            print_line(&format!("{} is valid: {} connection(s)", path.display(), config.connections.len()));
        }
        Command::Default => print_line(config::DEFAULTS.trim_end()),
        Command::Key => {
            use base64::Engine;

            let (key, secret) = (Entropy::from_os().bytes::<32>(), Entropy::from_os().bytes::<32>());
            let secret = base64::engine::general_purpose::STANDARD.encode(secret);
            print_line(&format!(
                "[secrets]\nkeys = [\"{}\"]\n\n# for a webhook channel of [alerts]\n# secret = \"whsec_{secret}\"",
                hex::encode(key)
            ));
        }
        Command::Token { name, viewer } => {
            let token = hex::encode(Entropy::from_os().bytes::<24>());
            let role = if *viewer { "viewer" } else { "operator" };
            print_line(&format!(
                "# the token, shown this once: {token}\n[[admin.tokens]]\nname = {name:?}\ntoken_sha256 = \"{}\"\nrole = \"{role}\"",
                sha256_hex(token.as_bytes()),
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}
