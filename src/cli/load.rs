//! Loads the configuration of a command.

use std::{io::ErrorKind, path::Path};

use anyhow::{Result, anyhow};

use crate::app::config::{Config, ConfigError, Environment};

/// Loads the configuration file under the environment.
pub(super) fn load(path: &Path, environment: &Environment) -> Result<Config> {
    let file = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    let directory = path.parent().unwrap_or(Path::new(""));
    let loaded = Config::load_in(directory, &file, environment).map(|mut config| {
        config.secret_files.push(path.to_owned());
        config
    });
    loaded.map_err(|errors| {
        let list: Vec<_> = errors.iter().map(describe).collect();
        anyhow!("{} has {} error(s):\n{}", path.display(), errors.len(), list.join("\n"))
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> anyhow::Error {
    let file = path.display();
    if error.kind() != ErrorKind::NotFound {
        return anyhow!("cannot read {file}: {error}");
    }
    let option = if path == Path::new("silta.toml") { String::new() } else { format!(" --config {file}") };
    anyhow!("there is no {file}: `silta init{option}` writes one, or name another with --config")
}

fn describe(error: &ConfigError) -> String {
    match error.line {
        Some(line) => format!("  line {line}: {error}"),
        None => format!("  {error}"),
    }
}
