//! Keyset pages of lists.

use chrono::TimeDelta;
use uuid::Uuid;

use crate::domain::{Timestamp, id::first_id_at};

/// Rows that a list looks at for one page, where no index knows its filter. A page then ends there, with fewer rows, and the
/// next one goes on.
pub(super) const WINDOW: i64 = 20_000;

/// How far the time in an id may lie from the row's own: both are from one clock, and a batch has the time of its first.
const SKEW: TimeDelta = TimeDelta::hours(1);

/// One page of a list, newest first.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Only rows older than this one; `None` begins with the newest.
    pub before: Option<Uuid>,
    /// Rows at most.
    pub limit: i64,
}

impl Page {
    /// The ids among which the rows of a stretch of time lie: from the first to before the second.
    pub(super) fn ids(&self, since: Option<Timestamp>, until: Option<Timestamp>) -> (Uuid, Uuid) {
        let from = since.map_or(Uuid::nil(), |since| first_id_at(since - SKEW));
        let to = until.map_or(Uuid::max(), |until| first_id_at(until + SKEW));
        (from, self.before.map_or(to, |before| before.min(to)))
    }

    /// The rows to show, of which one more was read.
    pub(super) fn listed<T>(&self, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> Listed<T> {
        let limit = usize::try_from(self.limit - 1).unwrap_or(0);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| has_more).map(id);
        Listed { rows, next }
    }
}

/// A page that was read.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// Its rows; fewer than asked for, even none, do not mean that it is the last.
    pub rows: Vec<T>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Uuid>,
}
