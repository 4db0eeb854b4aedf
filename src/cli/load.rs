//! Loads the configuration of a command.

use std::path::Path;

use anyhow::Result;

use crate::app::config::{Config, Environment};

/// Loads the configuration file under the environment.
pub(super) fn load(path: &Path, environment: &Environment) -> Result<Config> {
    let file = std::fs::read_to_string(path).map_err(|error| {
        anyhow::anyhow!(
            "cannot read {}: {error}; `silta config default` prints one to start with",
            path.display()
        )
    })?;
    let directory = path.parent().unwrap_or(Path::new(""));
    let loaded = Config::load_in(directory, &file, environment).map(|mut config| {
        config.secret_files.push(path.to_owned());
        config
    });
    loaded.map_err(|errors| {
        let list: Vec<_> = errors.iter().map(|error| format!("  {error}")).collect();
        anyhow::anyhow!("{} has {} error(s):\n{}", path.display(), errors.len(), list.join("\n"))
    })
}
