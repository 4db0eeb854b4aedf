//! The process of a private server.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::Duration,
};

use anyhow::{Context, Result};
use parking_lot::Mutex;

use super::{account::Account, place::PORT, programs::Programs, server_log::ServerLog};

/// Runs the server and stops it at the end of standard input. The server inherits standard output, a pipe to this process:
/// the guardian writes the server's process id to it and lets go of it, so that the pipe ends with the server.
///
/// A shell starts background processes with SIGINT ignored, and PostgreSQL accepts it only after some milliseconds: one
/// SIGINT could be lost and the server would run for ever. So it is repeated until the server has ended. The guardian itself
/// outlives a SIGTERM to its whole control group (systemd), else nothing would stop the server.
const GUARDIAN_SCRIPT: &str = r#"
trap '' TERM HUP
"$@" & server=$!
echo "$server"
exec >/dev/null
cat
while kill -INT "$server" 2>/dev/null; do sleep 1; done &
wait "$server"
"#;

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
    pub(super) pid: u32,
    pub(super) log: ServerLog,
    /// Disconnected once every process of the server has ended.
    ended: Mutex<Receiver<()>>,
    _lock: File,
}

impl Server {
    /// Starts the server of a cluster, with a log beside it.
    pub(super) fn spawn(
        programs: &Programs,
        account: &Account,
        cluster: &Path,
        settings: &[String],
        lock: File,
    ) -> Result<Self> {
        let (log, log_file) = ServerLog::open(cluster.with_file_name("postgres.log"))?;
        let mut guardian = account.command(Path::new("/bin/sh"));
        guardian
            .args(["-c", GUARDIAN_SCRIPT, "silta-guardian"])
            .arg(programs.dir.join("postgres"))
            .arg("-D")
            .arg(cluster)
            .args(settings)
            .current_dir(cluster)
            .process_group(0) // Ctrl-C in a terminal reaches this process alone: it stops the server after the last settle
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log_file);
        let mut guardian = guardian.spawn().context("cannot start PostgreSQL")?;
        let pipe = guardian.stdin.take();
        let mut output = BufReader::new(guardian.stdout.take().context("its output is a pipe")?);
        let mut first_line = String::new();
        output.read_line(&mut first_line)?;
        let pid = first_line.trim().parse().context("cannot start PostgreSQL: its guardian ended")?;
        Ok(Self { pipe, guardian, pid, log, ended: Mutex::new(watch_end(output)), _lock: lock })
    }

    /// Waits this long at most for the end of the server; true if it has ended.
    pub(super) fn ends_within(&self, wait: Duration) -> bool {
        matches!(self.ended.lock().recv_timeout(wait), Err(RecvTimeoutError::Disconnected))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.pipe.take(); // the guardian reads its end and stops the server
        let _ = self.guardian.wait();
    }
}

/// Disconnects the channel at the end of the pipe.
fn watch_end(mut pipe: impl Read + Send + 'static) -> Receiver<()> {
    let (alive, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        drop(alive);
    });
    ended
}

/// The settings of the server as arguments.
pub(super) fn settings(socket_dir: &Path, durability: Durability, extra_settings: &[String]) -> Vec<String> {
    let mut settings = vec![
        "listen_addresses=".to_owned(),
        format!("port={PORT}"),
        format!("unix_socket_directories={}", socket_dir.display()),
        "unix_socket_permissions=0700".to_owned(),
        "max_connections=200".to_owned(),
        "timezone=UTC".to_owned(),
        "log_min_error_statement=panic".to_owned(), // statements contain bodies with personal data
        "log_error_verbosity=terse".to_owned(), // and so does DETAIL, as the row that violates a constraint
    ];
    if durability == Durability::ForTestsOnly {
        settings
            .extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"].map(ToOwned::to_owned));
    }
    settings.extend(extra_settings.iter().cloned());
    settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]).collect()
}

/// What a cluster's `postmaster.pid` says.
pub(super) struct PidFile {
    pub(super) pid: u32,
    /// As "starting", "ready", "stopping"; empty for a short while after the start.
    pub(super) status: String,
}

impl PidFile {
    /// Reads the file; `None` where there is none, or not yet a whole line.
    pub(super) fn read(cluster: &Path, account: &Account) -> Option<Self> {
        let text = account.read(&Self::path(cluster)).ok()?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        let status = lines.nth(6).unwrap_or_default().trim().to_owned();
        Some(Self { pid, status })
    }

    pub(super) fn path(cluster: &Path) -> PathBuf {
        cluster.join("postmaster.pid")
    }

    /// True where this process is alive and a PostgreSQL. Without `/proc`, PostgreSQL's own check must suffice.
    pub(super) fn is_running(&self) -> bool {
        let name = fs::read_to_string(format!("/proc/{}/comm", self.pid));
        name.is_ok_and(|name| name.trim() == "postgres")
    }
}
