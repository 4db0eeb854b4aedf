//! A replica of the service: the real program in a process of its own.

use std::{
    path::PathBuf,
    process::Stdio,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
};
use tokio_util::task::TaskTracker;

use crate::runtime::failpoints::Failpoint;

/// How long a start may take, including crash recovery of the database.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// What the replicas are started with.
pub(super) struct ReplicaConfig {
    /// The programs; each start takes the next one.
    pub(super) programs: Vec<PathBuf>,
    pub(super) started: AtomicUsize,
    pub(super) config: PathBuf,
    pub(super) database: String,
}

/// What goes wrong in a replica.
pub(super) enum Defect {
    /// It exits at the nth pass of a failpoint.
    ExitAt(Failpoint, usize),
    /// It may have this much memory, in KiB.
    LittleMemory(usize),
    /// Its clock is off by these seconds, one after the other, as `+30,-12`.
    WrongClock(String),
}

/// A running replica; killed when dropped.
pub(super) struct Replica {
    child: Child,
    pub(super) url: String,
}

impl Replica {
    /// Starts a replica and waits until it serves. What its environment says goes wrong in it.
    pub(super) async fn start(config: &ReplicaConfig, defect: Option<Defect>) -> Result<Self> {
        let turn = config.started.fetch_add(1, Ordering::Relaxed);
        let program = &config.programs[turn % config.programs.len()];
        let mut command = match &defect {
            Some(Defect::LittleMemory(kib)) => {
                // The memory that a process may write to: what it allocates, and its threads' stacks.
                let mut shell = Command::new("/bin/sh");
                shell.args(["-c", &format!("ulimit -d {kib} && exec \"$@\""), "silta"]).arg(program);
                shell
            }
            Some(Defect::ExitAt(..) | Defect::WrongClock(_)) | None => Command::new(program),
        };
        command
            .arg("serve")
            .arg("--config")
            .arg(&config.config)
            .env("DATABASE_URL", &config.database)
            .env("SILTA__LOG__FORMAT", "json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        match defect {
            Some(Defect::ExitAt(point, nth)) => {
                command.env("SILTA_FAILPOINT", format!("{}:{nth}", point.as_str()));
            }
            Some(Defect::WrongClock(offsets)) => {
                command.env("SILTA_CLOCK", offsets);
            }
            Some(Defect::LittleMemory(_)) | None => {}
        }
        let mut child = command.spawn().context("cannot start the service")?;
        let stderr = child.stderr.take().context("its log is piped")?;
        let mut lines = BufReader::new(stderr).lines();
        let address = tokio::time::timeout(START_TIMEOUT, read_address(&mut lines))
            .await
            .context("the service does not start")??;
        // The pipe must not fill up.
        drop(TaskTracker::new().spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} }));
        Ok(Self { child, url: format!("http://{address}") })
    }

    /// Sends SIGKILL.
    pub(super) async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Sends SIGTERM; true where the process ended well within the time.
    pub(super) async fn stop(mut self, within: Duration) -> Result<bool> {
        self.signal("TERM").await?;
        let ended = tokio::time::timeout(within, self.child.wait()).await;
        Ok(ended.is_ok_and(|status| status.is_ok_and(|status| status.success())))
    }

    /// The most memory that it has had at once, in KiB.
    pub(super) fn peak_memory(&self) -> Result<usize> {
        let pid = self.child.id().context("the process has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("it has ended")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// Sends SIGSTOP.
    pub(super) async fn pause(&self) -> Result<()> {
        self.signal("STOP").await
    }

    /// Sends SIGCONT.
    pub(super) async fn resume(&self) -> Result<()> {
        self.signal("CONT").await
    }

    /// Waits until the process exits by itself; false where it does not.
    pub(super) async fn wait_for_exit(&mut self, within: Duration) -> bool {
        tokio::time::timeout(within, self.child.wait()).await.is_ok()
    }

    /// Sends a signal with the shell's `kill`: a direct call would need unsafe code or one more crate.
    async fn signal(&self, name: &str) -> Result<()> {
        let pid = self.child.id().context("the process has ended")?;
        let script = format!("kill -{name} {pid}");
        let status = Command::new("/bin/sh").args(["-c", &script]).stderr(Stdio::null()).status().await?;
        anyhow::ensure!(status.success(), "cannot send SIG{name}");
        Ok(())
    }
}

/// Reads the log until the service says where it listens.
async fn read_address(lines: &mut Lines<BufReader<ChildStderr>>) -> Result<String> {
    let mut log = Vec::new();
    while let Some(line) = lines.next_line().await? {
        let json: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        if json["fields"]["message"] == "serving" {
            return Ok(json["fields"]["address"].as_str().unwrap_or_default().to_owned());
        }
        log.push(line);
    }
    anyhow::bail!("the service ended while it started: {}", log.join("\n"))
}
