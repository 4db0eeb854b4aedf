//! Which of two configurations is the newest, for processes that run side by side while one is replaced by the other.
//!
//! A process with an older configuration knows neither the newest connections nor what has become of its own. So it leaves
//! alone what compares the database with a whole configuration: it would close the alerts of a connection that it does not
//! know, and ask for syncs by a schedule that is no longer meant.
//!
//! The newest is the one that a process started with last. If none of its processes works any more, as after a
//! deployment that was taken back, an older one goes on. It knows by a counter that has stayed the same for a while of its
//! own, so no clock can be wrong about it.

use std::time::Duration;

use parking_lot::Mutex;

/// The counter rises at every check of the alerts, twice a minute.
const ABANDONED_AFTER: Duration = Duration::from_secs(300);

/// A process's own configuration, and what it has seen of a newer one.
#[derive(Debug)]
pub struct ConfigurationWatch {
    digest: String,
    seen: Mutex<Option<Seen>>,
}

/// A newer configuration's counter, and since when it has been the same by a clock that never steps.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    digest: String,
    checks: i64,
    since: Duration,
}

impl ConfigurationWatch {
    /// `digest` names the configuration of this process.
    pub const fn new(digest: String) -> Self {
        Self { digest, seen: Mutex::new(None) }
    }

    /// The digest of this process's configuration.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// True once the newer configuration of this digest, whose counter shows `checks` now, has had no process at work for
    /// five minutes of this process's own time.
    pub fn is_abandoned(&self, digest: &str, checks: i64, monotonic: Duration) -> bool {
        let mut seen = self.seen.lock();
        let since = match &*seen {
            Some(last) if last.digest == digest && last.checks == checks => last.since,
            _ => monotonic,
        };
        *seen = Some(Seen { digest: digest.to_owned(), checks, since });
        monotonic.saturating_sub(since) >= ABANDONED_AFTER
    }
}
