//! Waits for a server: until it accepts connections, or until an older one has ended.
//!
//! How long crash recovery takes depends on the write-ahead log and the disk, so no time limit fits. A server is given up
//! only when its process has ended, or when it shows no sign of work for very long.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use tokio_util::sync::CancellationToken;

use super::{
    account::Account,
    server::{PidFile, Server},
};

/// How often the state is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How long an older server whose owner is gone may take to notice that it must stop.
const NOTICE_TIMEOUT: Duration = Duration::from_secs(60);

/// How a start waits, and where it says so.
#[derive(Clone)]
pub struct WaitOptions {
    /// How often a wait is reported.
    pub report_every: Duration,
    /// A starting server that shows no sign of work for this long is given up.
    pub stall_limit: Duration,
    /// Gets one line each time.
    pub report: Arc<dyn Fn(&str) + Send + Sync>,
    /// Cancelled when the start is no longer wanted.
    pub cancelled: CancellationToken,
}

impl Default for WaitOptions {
    fn default() -> Self {
        Self {
            report_every: Duration::from_secs(10),
            stall_limit: Duration::from_secs(600),
            report: Arc::new(|line| tracing::info!("{line}")),
            cancelled: CancellationToken::new(),
        }
    }
}

impl WaitOptions {
    pub(super) fn ensure_wanted(&self) -> Result<()> {
        ensure!(!self.cancelled.is_cancelled(), "stopped before the private PostgreSQL was ready");
        Ok(())
    }
}

/// Says at intervals that something is still waited for.
pub(super) struct Reporter<'a> {
    wait: &'a WaitOptions,
    begun: Instant,
    reported: Instant,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(wait: &'a WaitOptions) -> Self {
        let now = Instant::now();
        Self { wait, begun: now, reported: now }
    }

    /// Reports if the interval is over; returns whether it was.
    pub(super) fn report(&mut self, what: impl FnOnce() -> String) -> bool {
        let is_due = self.reported.elapsed() >= self.wait.report_every;
        if is_due {
            self.reported = Instant::now();
            (self.wait.report)(&format!("{} (for {} s)", what(), self.begun.elapsed().as_secs()));
        }
        is_due
    }
}

/// Waits until the server accepts connections: its pid file says `ready`, as `pg_ctl` waits.
pub(super) fn wait_until_ready(
    server: &Server,
    (cluster, account): (&Path, &Account),
    socket: &Path,
    wait: &WaitOptions,
) -> Result<()> {
    let mut reporter = Reporter::new(wait);
    let (mut progress, mut progressed) = (Progress::default(), Instant::now());
    loop {
        // A server that crashed leaves both files behind: only this server's own file counts.
        let is_ready = |file: PidFile| file.pid == server.pid && file.status == "ready";
        if PidFile::read(cluster, account).is_some_and(is_ready) && socket.exists() {
            return Ok(());
        }
        if server.ends_within(POLL_INTERVAL) {
            bail!("the private PostgreSQL ended during its start; its log says:\n{}", server.log.tail());
        }
        wait.ensure_wanted()?;
        if !reporter.report(|| format!("the private PostgreSQL is starting: {}", server.log.last_line())) {
            continue;
        }
        let current = Progress::of(server);
        if current != progress {
            (progress, progressed) = (current, Instant::now());
        } else if progressed.elapsed() >= wait.stall_limit {
            bail!(
                "the private PostgreSQL (process {}) has not worked on its start for {} s; its log ends:\n{}",
                server.pid,
                progressed.elapsed().as_secs(),
                server.log.tail()
            );
        }
    }
}

/// Signs that a starting server works.
#[derive(Default, PartialEq, Eq)]
struct Progress {
    /// It logs how far recovery is.
    logged: usize,
    /// The processes that recover and write checkpoints use the processor. Zero without `/proc`.
    ticks: u64,
}

impl Progress {
    fn of(server: &Server) -> Self {
        Self { logged: server.log.progress(), ticks: recovery_ticks(server.pid) }
    }
}

/// The processor time of the processes that recover a cluster: the children that do not serve a client.
fn recovery_ticks(server: u32) -> u64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| recovery_ticks_of(pid, server)).sum()
}

fn recovery_ticks_of(pid: u32, server: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // After the name in parentheses: state, parent, …, user time and system time as fields 14 and 15 (proc(5)).
    let fields: Vec<_> = stat.rsplit(')').next()?.split_whitespace().collect();
    if fields.get(1)?.parse::<u32>().ok()? != server {
        return None;
    }
    let title = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
    let is_recovery = ["startup", "checkpointer", "background writer"]
        .iter()
        .any(|name| title.starts_with(&format!("postgres: {name}")));
    let ticks = |index: usize| fields.get(index)?.parse::<u64>().ok();
    is_recovery.then_some(ticks(11)? + ticks(12)?)
}

/// Waits for an older server of this cluster, which stops by itself after its owner was killed. Its last checkpoint takes as
/// long as it takes.
pub(super) fn wait_for_old_server(cluster: &Path, account: &Account, wait: &WaitOptions) -> Result<()> {
    let (begun, mut reporter) = (Instant::now(), Reporter::new(wait));
    // A stale file is left by a crash; PostgreSQL detects it.
    while let Some(old) = PidFile::read(cluster, account).filter(PidFile::is_running) {
        let is_stopping = old.status == "stopping";
        ensure!(
            is_stopping || begun.elapsed() < NOTICE_TIMEOUT,
            "another PostgreSQL (process {}) still runs on {} and is not stopping",
            old.pid,
            cluster.display()
        );
        wait.ensure_wanted()?;
        reporter.report(|| format!("an older PostgreSQL (process {}) is still stopping", old.pid));
        std::thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}
