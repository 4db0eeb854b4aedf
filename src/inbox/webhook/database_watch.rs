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
    pub(super) fn outlook(&self, wait_limit: Duration) -> Outlook {
        let (now, mut seen) = (Instant::now(), self.0.lock());
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
    pub(super) fn begin(&self) -> WatchedCommit<'_> {
        self.0.lock().committing_since = Some(Instant::now());
        WatchedCommit(self)
    }
}

/// A running commit; one that panics ends as well.
pub(super) struct WatchedCommit<'a>(&'a DatabaseWatch);

impl WatchedCommit<'_> {
    /// The commit has ended; `is_away` where the database could not be reached.
    pub(super) fn end(self, is_away: bool) {
        self.0.0.lock().away_since = is_away.then(Instant::now);
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

    #[tokio::test(start_paused = true)]
    async fn database_that_is_away_is_probed_and_not_waited_for() {
        let watch = DatabaseWatch::default();
        assert_eq!(watch.outlook(LIMIT), Outlook::Open);
        watch.begin().end(true);
        assert_eq!(watch.outlook(LIMIT), Outlook::Away);
        tokio::time::advance(PROBE_INTERVAL).await;
        assert_eq!(watch.outlook(LIMIT), Outlook::Open, "one webhook probes it");
        assert_eq!(watch.outlook(LIMIT), Outlook::Away, "and only one");
        watch.begin().end(false);
        assert_eq!(watch.outlook(LIMIT), Outlook::Open, "it is back");
    }

    #[tokio::test(start_paused = true)]
    async fn commit_without_an_answer_is_not_waited_for() {
        let watch = DatabaseWatch::default();
        let running = watch.begin();
        assert_eq!(watch.outlook(LIMIT), Outlook::Open);
        tokio::time::advance(LIMIT).await;
        assert_eq!(watch.outlook(LIMIT), Outlook::Stuck);
        drop(running); // as a panic does
        assert_eq!(watch.outlook(LIMIT), Outlook::Open);
    }
}
