//! One process of the service: the real program, started, killed, paused and ended as an operating system does it.

use std::{
    path::PathBuf,
    process::Stdio,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use tokio_util::task::TaskTracker;

use crate::runtime::failpoints::Failpoint;

/// How long a start may take, crash recovery of the database included.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// What every replica is started with.
pub(super) struct ReplicaConfig {
    /// Which programs; each start takes the next one.
    pub(super) programs: Vec<PathBuf>,
    pub(super) started: AtomicUsize,
    pub(super) config: PathBuf,
    pub(super) database: String,
}

/// A running replica; killed when dropped.
pub(super) struct Replica {
    child: Child,
    pub(super) url: String,
}

impl Replica {
    /// Starts one, and waits until it serves. It may be told to die at a moment.
    pub(super) async fn start(
        replica_config: &ReplicaConfig,
        die_at: Option<(Failpoint, usize)>,
    ) -> Result<Self> {
        let turn = replica_config.started.fetch_add(1, Ordering::Relaxed);
        let mut command = Command::new(&replica_config.programs[turn % replica_config.programs.len()]);
        command
            .arg("serve")
            .arg("--config")
            .arg(&replica_config.config)
            .env("DATABASE_URL", &replica_config.database)
            .env("SILTA__LOG__FORMAT", "json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some((point, count)) = die_at {
            command.env("SILTA_FAILPOINT", format!("{}:{count}", point.as_str()));
        }
        let mut child = command.spawn().context("cannot start the service")?;
        let stderr = child.stderr.take().context("its log is piped")?;
        let mut lines = BufReader::new(stderr).lines();
        let mut log = Vec::new();
        let url = tokio::time::timeout(START_TIMEOUT, async {
            while let Some(line) = lines.next_line().await? {
                let json: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                if json["fields"]["message"] == "serving" {
                    return Ok(json["fields"]["address"].as_str().unwrap_or_default().to_owned());
                }
                log.push(line);
            }
            anyhow::bail!("the service ended while it started: {}", log.join("\n"))
        })
        .await
        .context("the service does not start")??;
        // The pipe must not fill up.
        drop(TaskTracker::new().spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} }));
        Ok(Self { child, url: format!("http://{url}") })
    }

    /// SIGKILL.
    pub(super) async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// SIGTERM; true where it ended well within the time.
    pub(super) async fn end(mut self, within: Duration) -> Result<bool> {
        self.signal("TERM").await?;
        let ended = tokio::time::timeout(within, self.child.wait()).await;
        Ok(ended.is_ok_and(|status| status.is_ok_and(|status| status.success())))
    }

    /// SIGSTOP, or SIGCONT.
    pub(super) async fn stop(&self, stopped: bool) -> Result<()> {
        self.signal(if stopped { "STOP" } else { "CONT" }).await
    }

    /// Waits until it dies by itself; false where it does not.
    pub(super) async fn wait_for_exit(&mut self, within: Duration) -> bool {
        tokio::time::timeout(within, self.child.wait()).await.is_ok()
    }

    async fn signal(&self, name: &str) -> Result<()> {
        let pid = self.child.id().context("it has ended")?;
        send_signal(name, &pid.to_string()).await
    }
}

/// Sends a signal by the shell's own `kill`: sending one ourselves would need unsafe code or one more crate.
pub(super) async fn send_signal(name: &str, pid: &str) -> Result<()> {
    let script = format!("kill -{name} {pid}");
    let status = Command::new("/bin/sh").args(["-c", &script]).stderr(Stdio::null()).status().await?;
    anyhow::ensure!(status.success(), "cannot send SIG{name}");
    Ok(())
}
