//! What every case runs on: a private PostgreSQL with production settings, and the service in a process of its own.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use silta::{
    runtime::embedded_postgres::{Launch, PrivatePostgres},
    store,
};
use sqlx::{Connection, PgConnection, PgPool, postgres::PgConnectOptions};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// The settings for both sides of every comparison. All others are PostgreSQL's defaults: `fsync` and
/// `synchronous_commit` are on.
pub const SETTINGS: [&str; 2] = ["shared_buffers=1GB", "max_wal_size=4GB"];

/// A server with an empty, migrated database; removed when dropped.
pub struct Server {
    pub private: PrivatePostgres,
    pub options: PgConnectOptions,
    directory: TempDir,
}

impl Server {
    pub async fn start() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("silta-bench").tempdir()?;
        let private = Launch::new(&directory.path().join("data")).settings(&SETTINGS).start()?;
        let options = private.database().await?;
        store::migrate(&store::connect(options.clone(), 2)).await?;
        Ok(Self { private, options, directory })
    }

    /// Creates and migrates another database on the same server.
    pub async fn another(&self, name: &str) -> Result<PgConnectOptions> {
        let create = sqlx::AssertSqlSafe(format!("create database {name}"));
        sqlx::raw_sql(create).execute(&mut self.connection().await?).await?;
        let options = self.options.clone().database(name);
        store::migrate(&store::connect(options.clone(), 2)).await?;
        Ok(options)
    }

    pub fn url(&self) -> String {
        self.private.url("silta")
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn pool(&self, connections: u32) -> PgPool {
        store::connect(self.options.clone(), connections)
    }

    pub async fn connection(&self) -> Result<PgConnection> {
        Ok(PgConnection::connect_with(&self.options).await?)
    }

    /// Runs statements without reading their results.
    pub async fn run(&self, sql: &'static str) -> Result<()> {
        sqlx::raw_sql(sql).execute(&mut self.connection().await?).await?;
        Ok(())
    }
}

/// The real program, serving; killed when dropped.
pub struct Service {
    child: Child,
    pub url: String,
    /// The time from its start until it served.
    pub started_in: Duration,
}

impl Service {
    /// Starts `silta serve` with this configuration, for this database.
    pub async fn start(program: &Path, config: &str, server: &Server, arguments: &[&str]) -> Result<Self> {
        Self::start_at(program, config, &server.url(), server.directory(), arguments).await
    }

    /// Starts `silta serve` with this configuration, for any database.
    pub async fn start_at(
        program: &Path,
        config: &str,
        database: &str,
        directory: &Path,
        arguments: &[&str],
    ) -> Result<Self> {
        let file = write_config(directory, config)?;
        let begun = Instant::now();
        let mut child = Command::new(program)
            .arg("serve")
            .arg("--config")
            .arg(&file)
            .args(arguments)
            .env("DATABASE_URL", database)
            .env("SILTA__LOG__FORMAT", "json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut lines = BufReader::new(child.stderr.take().context("piped")?).lines();
        let mut said = String::new();
        let address = loop {
            let line = lines.next_line().await?.with_context(|| format!("the service ended: {said}"))?;
            let json: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if json["fields"]["message"] == "serving" {
                break json["fields"]["address"].as_str().unwrap_or_default().to_owned();
            }
            said.push_str(&line);
        };
        let started_in = begun.elapsed();
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, url: format!("http://{address}"), started_in })
    }

    /// The memory of the process, now and at its peak, in MB of 1,000,000 bytes.
    pub fn memory(&self) -> Result<(f64, f64)> {
        let pid = self.child.id().context("it has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.parse::<f64>().ok()
        };
        let megabytes = |name| field(name).map(|kib| kib * 1024.0 / 1e6).context("no such field");
        Ok((megabytes("VmRSS:")?, megabytes("VmHWM:")?))
    }

    /// Stops the process with SIGTERM.
    pub async fn stop(mut self) -> Result<()> {
        let pid = self.child.id().context("it has ended")?;
        let kill = Command::new("/bin/sh").args(["-c", &format!("kill -TERM {pid}")]).status().await?;
        ensure!(kill.success(), "cannot send SIGTERM");
        self.child.wait().await?;
        Ok(())
    }
}

fn write_config(directory: &Path, config: &str) -> Result<PathBuf> {
    let file = directory.join("silta.toml");
    std::fs::write(&file, config)?;
    Ok(file)
}
