//! How long this process has known that the outcome of an action is unknown.
//!
//! A repeat waits for reads that are a settling time apart. Measured by wall clocks, the wait would be cut short by a
//! replica whose clock is ahead, and the order placed twice. So each process measures it for itself, from when it has
//! first seen the entry of the ledger as it is, with a clock that nobody can set. What another process has waited does
//! not count: replicas and restarts can delay a repeat, never bring it forward.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;

use crate::{
    domain::task::{
        action::ActionState,
        ledger::{Ledger, LedgerChange},
        state::LeasedTask,
    },
    runtime::clock::Clock,
};

/// Subjects that are watched at once before old ones are forgotten.
const MAX_SUBJECTS: usize = 10_000;

/// What is forgotten then; it only has to be waited for anew.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// The actions of unknown outcome that this process knows.
pub(super) struct DoubtWatch {
    clock: Arc<dyn Clock>,
    subjects: Mutex<HashMap<(String, String), Vec<Watched>>>,
}

/// An entry of the ledger as it was seen.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    number: i32,
    state: ActionState,
    reads: u16,
}

#[derive(Clone, Copy)]
struct Watched {
    seen: Seen,
    since: Duration,
}

impl DoubtWatch {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, subjects: Mutex::default() }
    }

    /// Says in every entry of unknown outcome how long it has been known as it is, from now on if it was not.
    pub(super) fn look(&self, leased: &LeasedTask, ledger: &mut Ledger) {
        let now = self.clock.monotonic();
        let mut subjects = self.subjects.lock();
        let key = key(leased);
        let before = subjects.remove(&key).unwrap_or_default();
        let mut after = Vec::new();
        for entry in ledger.0.iter_mut().filter(|entry| entry.state.is_open()) {
            let seen = Seen { number: entry.number, state: entry.state, reads: entry.reads };
            let since = before.iter().find(|watched| watched.seen == seen).map_or(now, |it| it.since);
            entry.watched = Some(now.saturating_sub(since));
            after.push(Watched { seen, since });
        }
        insert(&mut subjects, key, after, now);
    }

    /// Watches what an attempt is about to write of its actions, from now on: their calls have ended.
    pub(super) fn expect(&self, leased: &LeasedTask, ledger: &Ledger, changes: &[LedgerChange]) {
        let now = self.clock.monotonic();
        let expected = changes.iter().filter_map(|change| match change {
            LedgerChange::Ended {
                number,
                state: state @ (ActionState::Begun | ActionState::Unknown),
                ..
            } => Some(Seen { number: *number, state: *state, reads: 0 }),
            LedgerChange::ReadInVain { number } => {
                let entry = ledger.0.iter().find(|entry| entry.number == *number)?;
                Some(Seen { number: *number, state: entry.state, reads: entry.reads + 1 })
            }
            LedgerChange::Ended { .. } | LedgerChange::Performed { .. } => None,
        });
        let expected: Vec<_> = expected.map(|seen| Watched { seen, since: now }).collect();
        if !expected.is_empty() {
            insert(&mut self.subjects.lock(), key(leased), expected, now);
        }
    }
}

fn key(leased: &LeasedTask) -> (String, String) {
    (leased.connection.clone(), leased.subject.to_string())
}

fn insert(
    subjects: &mut HashMap<(String, String), Vec<Watched>>,
    key: (String, String),
    watched: Vec<Watched>,
    now: Duration,
) {
    if watched.is_empty() {
        return;
    }
    if subjects.len() >= MAX_SUBJECTS {
        subjects.retain(|_, watched| watched.iter().any(|it| now.saturating_sub(it.since) < MAX_AGE));
    }
    subjects.entry(key).or_default().extend(watched);
}
