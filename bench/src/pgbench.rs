//! The reference of the ingest: PostgreSQL's own pgbench with prepared statements.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{measure::Latencies, setup::Server};

/// The result of a round of pgbench.
pub struct Round {
    pub per_second: f64,
    pub latencies: Latencies,
}

/// A script to be run by pgbench.
pub struct Pgbench<'a> {
    pub server: &'a Server,
    pub script: &'a str,
    /// Variables of the script.
    pub define: &'a [(&'a str, String)],
}

impl Pgbench<'_> {
    /// Runs a round as fast as possible, or at a rate.
    pub fn round(&self, clients: u32, seconds: u32, rate: Option<f64>) -> Result<Round> {
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("script.sql");
        std::fs::write(&file, self.script)?;
        let mut command = Command::new(program());
        command.args(["-n", "-M", "prepared", "-j", "2", "-l"]);
        command.args(["-c", &clients.to_string(), "-T", &seconds.to_string(), "-f"]).arg(&file);
        for (name, value) in self.define {
            command.arg("-D").arg(format!("{name}={value}"));
        }
        if let Some(rate) = rate {
            command.arg("-R").arg(rate.to_string());
        }
        let output = command.arg(self.server.url()).current_dir(directory.path()).output()?;
        ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout);
        let tps = said.lines().find_map(|line| line.strip_prefix("tps = ")).context("pgbench says no tps")?;
        let per_second = tps.split(' ').next().unwrap_or_default().parse()?;
        Ok(Round { per_second, latencies: latencies(directory.path())? })
    }
}

/// Reads pgbench's log: a line for each transaction, whose third field is its microseconds, waiting included.
fn latencies(directory: &Path) -> Result<Latencies> {
    let mut latencies = Latencies::default();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pgbench_log")) {
            for line in std::fs::read_to_string(&path)?.lines() {
                let micros = line.split(' ').nth(2).and_then(|field| field.parse().ok());
                latencies.add_micros(micros.context("pgbench's log is of another form")?);
            }
        }
    }
    Ok(latencies)
}

/// The path of pgbench. Debian keeps it beside the server's programs.
pub fn program() -> PathBuf {
    let mut found: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin/pgbench"))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| "pgbench".into())
}
