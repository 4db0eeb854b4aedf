//! Where the claim begins to read its index.
//!
//! PostgreSQL keeps a row's every earlier version, and its index entries, for as long as any transaction may still look
//! at it. Under somebody's snapshot of minutes (a dump, a forgotten session) the index of due deliveries begins with the
//! entries of everything that was due since, and a claim that walks them gets slower with each delivery done: so die
//! queues built on `skip locked`. But due times only move on: once nothing open is due before some moment, nothing will
//! be, but for what was on its way at that moment. So a claim begins there, and every few seconds one looks from the
//! very beginning, for what came late.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::domain::Timestamp;

/// How often a claim looks from the beginning.
const FROM_THE_BEGINNING: Duration = Duration::from_secs(5);

/// How long news may be on their way from the moment that they carry to their commit; later ones are found all the same,
/// at the next look from the beginning.
const ON_THE_WAY: Duration = Duration::from_millis(500);

/// Where a claim begins.
#[derive(Default)]
pub(super) struct Floor(Mutex<Option<Raised>>);

#[derive(Clone, Copy)]
struct Raised {
    floor: Timestamp,
    /// When a claim last looked from the beginning.
    from_the_beginning_at: Timestamp,
}

impl Floor {
    /// From when on a claim looks now; from the beginning where that is due.
    pub(super) fn since(&self, now: Timestamp) -> Timestamp {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Raised { floor, from_the_beginning_at: at })
                if (at..at + FROM_THE_BEGINNING).contains(&now) =>
            {
                floor
            }
            _ => Timestamp::UNIX_EPOCH,
        }
    }

    /// A look from `since` on has found nothing open that is due before `first_due`.
    pub(super) fn raise(&self, since: Timestamp, first_due: Option<Timestamp>, now: Timestamp) {
        let floor = first_due.map_or(now, |due| due.min(now)) - ON_THE_WAY;
        let mut raised = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *raised = match *raised {
            Some(old) if since > Timestamp::UNIX_EPOCH => Some(Raised { floor: floor.max(since), ..old }),
            _ => Some(Raised { floor, from_the_beginning_at: now }),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_begins_where_nothing_older_is_open_and_looks_from_the_beginning_now_and_then() {
        let at = |millis| Timestamp::from_timestamp_millis(millis).expect("a small number");
        let beginning = Timestamp::UNIX_EPOCH;
        let floor = Floor::default();
        assert_eq!(floor.since(at(100_000)), beginning);
        floor.raise(beginning, Some(at(50_000)), at(100_000));
        assert_eq!(floor.since(at(101_000)), at(49_500), "what is open is not passed by");
        floor.raise(at(49_500), Some(at(500_000)), at(102_000));
        assert_eq!(floor.since(at(103_000)), at(101_500), "nor what is told now");
        floor.raise(at(101_500), Some(at(101_600)), at(103_000));
        assert_eq!(floor.since(at(104_999)), at(101_500), "it does not sink");
        assert_eq!(floor.since(at(105_000)), beginning, "for what came late");
        assert_eq!(floor.since(at(90_000)), beginning, "a clock that was put back");
    }
}
