//! What the commits show about the database. While it is known to be away, webhooks are answered at once instead of waiting
//! for what will not come: their senders wait only a few seconds, and each wait occupies memory.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// While the database is away, one webhook is let through this often: its commit shows when the database is back.
const PROBE_INTERVAL: Duration = Duration::from_millis(250);

/// Watches the committer.
#[derive(Debug, Default)]
pub(super) struct DatabaseWatch(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// When the running commit began.
    committing_since: Option<Instant>,
    /// When the last commit failed because the database was away, or when it was last probed since.
    away_since: Option<Instant>,
}

/// Whether a webhook may wait for its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    /// Its commit can be done in time, as far as anybody knows.
    Open,
    /// The running commit has been without an answer for longer than anybody waits.
    Stuck,
    /// The database refused the last commit.
    Away,
}

impl DatabaseWatch {
    /// Whether a webhook that would wait this long may wait.
    pub(super) fn outlook(&self, wait_limit: Duration, now: Instant) -> Outlook {
        let mut seen = self.0.lock();
        if seen.committing_since.is_some_and(|since| now - since >= wait_limit) {
            return Outlook::Stuck;
        }
        match seen.away_since {
            None => Outlook::Open,
            Some(since) if now - since < PROBE_INTERVAL => Outlook::Away,
            Some(_) => {
                seen.away_since = Some(now);
                Outlook::Open
            }
        }
    }

    /// Watches a commit that begins now.
    pub(super) fn begin(&self, now: Instant) -> WatchedCommit<'_> {
        self.0.lock().committing_since = Some(now);
        WatchedCommit(self)
    }
}

/// A running commit; one that panics ends as well.
pub(super) struct WatchedCommit<'a>(&'a DatabaseWatch);

impl WatchedCommit<'_> {
    /// The commit has ended; `is_away` where the database could not be reached.
    pub(super) fn end(self, is_away: bool, now: Instant) {
        self.0.0.lock().away_since = is_away.then_some(now);
    }
}

impl Drop for WatchedCommit<'_> {
    fn drop(&mut self) {
        self.0.0.lock().committing_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(2);

    #[test]
    fn database_that_is_away_is_probed_and_not_waited_for() {
        let (watch, now) = (DatabaseWatch::default(), Instant::now());
        assert_eq!(watch.outlook(LIMIT, now), Outlook::Open);
        watch.begin(now).end(true, now);
        assert_eq!(watch.outlook(LIMIT, now), Outlook::Away);
        let later = now + PROBE_INTERVAL;
        assert_eq!(watch.outlook(LIMIT, later), Outlook::Open, "one webhook probes it");
        assert_eq!(watch.outlook(LIMIT, later), Outlook::Away, "and only one");
        watch.begin(later).end(false, later);
        assert_eq!(watch.outlook(LIMIT, later), Outlook::Open, "it is back");
    }

    #[test]
    fn commit_without_an_answer_is_not_waited_for() {
        let (watch, now) = (DatabaseWatch::default(), Instant::now());
        let running = watch.begin(now);
        assert_eq!(watch.outlook(LIMIT, now), Outlook::Open);
        assert_eq!(watch.outlook(LIMIT, now + LIMIT), Outlook::Stuck);
        drop(running); // as a panic does
        assert_eq!(watch.outlook(LIMIT, now + LIMIT), Outlook::Open);
    }
}
