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
const ON_THE_WAY: Duration = Duration::from_secs(2);

/// Where a claim begins.
#[derive(Default)]
pub(super) struct Floor(Mutex<Option<(Timestamp, Timestamp)>>);

impl Floor {
    /// From when on a claim looks now; from the beginning where that is due.
    pub(super) fn since(&self, now: Timestamp) -> Timestamp {
        let floor = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match floor {
            Some((floor, raised_at)) if now < raised_at + FROM_THE_BEGINNING && now >= raised_at => floor,
            _ => Timestamp::UNIX_EPOCH,
        }
    }

    /// A look from the beginning has found nothing open that is due before `first_due`.
    pub(super) fn raise(&self, first_due: Option<Timestamp>, now: Timestamp) {
        let floor = first_due.map_or(now, |due| due.min(now)) - ON_THE_WAY;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((floor, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_begins_where_nothing_older_is_open_and_looks_from_the_beginning_now_and_then() {
        let at = |second| Timestamp::from_timestamp(second, 0).expect("a small number of seconds");
        let floor = Floor::default();
        assert_eq!(floor.since(at(100)), Timestamp::UNIX_EPOCH);
        floor.raise(Some(at(50)), at(100));
        assert_eq!(floor.since(at(101)), at(48));
        floor.raise(Some(at(500)), at(102));
        assert_eq!(floor.since(at(106)), at(100), "what is told now is not passed by");
        assert_eq!(floor.since(at(107)), Timestamp::UNIX_EPOCH);
        assert_eq!(floor.since(at(90)), Timestamp::UNIX_EPOCH, "a clock that was put back");
    }
}
