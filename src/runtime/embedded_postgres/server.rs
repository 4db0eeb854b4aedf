//! The process of a private server.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{account::Account, programs::Programs};

/// How long a start or the end of an older server may take, including crash recovery of a large write-ahead log.
pub(super) const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs the server and stops it at the end of standard input.
const GUARDIAN_SCRIPT: &str = r#""$@" & server=$!; cat >/dev/null; kill -INT "$server"; wait "$server""#;

/// Whether the server may lose commits when the machine (not the server) crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Every commit is on disk.
    Full,
    /// Commits are not waited for; for tests alone.
    ForTestsOnly,
}

/// A server that this process has started. The fields drop in this order: first the pipe, which stops it, then the lock.
pub(super) struct Server {
    pipe: Option<ChildStdin>,
    guardian: Child,
    _lock: File,
}

impl Server {
    /// Starts the server of a cluster, with a log beside it.
    pub(super) fn spawn(
        programs: &Programs,
        account: &Account,
        cluster: &Path,
        settings: Vec<String>,
        lock: File,
    ) -> Result<Self> {
        let log = File::options().create(true).append(true).open(log_path(cluster))?;
        let mut guardian = Command::new("/bin/sh");
        guardian
            .args(["-c", GUARDIAN_SCRIPT, "silta-guardian"])
            .arg(programs.dir.join("postgres"))
            .arg("-D")
            .arg(cluster)
            .args(settings)
            .current_dir(cluster)
            .process_group(0) // Ctrl-C in a terminal reaches this process alone: it stops the server after the last settle
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log);
        account.apply_to(&mut guardian);
        let mut guardian = guardian.spawn().context("cannot start PostgreSQL")?;
        let pipe = guardian.stdin.take();
        Ok(Self { pipe, guardian, _lock: lock })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.pipe.take(); // the guardian reads its end and stops the server
        let _ = self.guardian.wait();
    }
}

/// The log of the server of a cluster.
pub(super) fn log_path(cluster: &Path) -> PathBuf {
    cluster.with_file_name("postgres.log")
}

/// The settings of the server as arguments.
pub(super) fn settings(socket_dir: &Path, durability: Durability, extra_settings: &[&str]) -> Vec<String> {
    let mut settings = vec![
        "listen_addresses=".to_owned(),
        "port=5432".to_owned(),
        format!("unix_socket_directories={}", socket_dir.display()),
        "unix_socket_permissions=0700".to_owned(),
        "max_connections=200".to_owned(),
        "timezone=UTC".to_owned(),
        "log_min_error_statement=panic".to_owned(), // statements contain bodies with personal data
    ];
    if durability == Durability::ForTestsOnly {
        settings
            .extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"].map(ToOwned::to_owned));
    }
    settings.extend(extra_settings.iter().map(|&setting| setting.to_owned()));
    settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]).collect()
}

/// Waits for an older server of this cluster, which stops by itself after its owner was killed.
pub(super) fn wait_for_old_server(cluster: &Path) -> Result<()> {
    let pid_file = cluster.join("postmaster.pid");
    let begun = Instant::now();
    while begun.elapsed() < START_TIMEOUT {
        let text = fs::read_to_string(&pid_file).unwrap_or_default();
        let Some(pid) = text.lines().next().map(str::trim).filter(|pid| !pid.is_empty()) else {
            return Ok(());
        };
        if !is_postgres(pid) {
            return Ok(()); // a stale file; PostgreSQL detects it
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("another PostgreSQL still runs on {}", cluster.display())
}

/// True where this process is alive and a PostgreSQL. Without `/proc`, PostgreSQL's own check must suffice.
fn is_postgres(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "postgres")
}
