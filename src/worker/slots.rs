//! Who has how many of a process's attempts: so that a connection whose vendor hangs, or a heap of work that can wait,
//! never has them all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    domain::{event::subject::Priority, task::state::LeasedTask},
    store::claim::ConnectionCapacity,
};

/// The slots of one process.
#[derive(Clone)]
pub(super) struct Slots(Arc<Inner>);

struct Inner {
    /// In all.
    limit: usize,
    /// Of one connection, where there are several: half.
    connection_limit: usize,
    /// For what can wait: three quarters. A live order finds a slot whatever is being replayed.
    background_limit: usize,
    names: Vec<String>,
    used: Mutex<SlotUsage>,
}

#[derive(Default)]
struct SlotUsage {
    all: usize,
    background: usize,
    by_connection: HashMap<String, usize>,
}

/// What a claim may take now.
pub(super) struct FreeSlots {
    /// In all.
    pub(super) all: usize,
    /// Of these for what can wait.
    pub(super) background: usize,
    /// By connection.
    pub(super) capacities: Vec<ConnectionCapacity>,
}

/// A slot in use; free again when dropped.
pub(super) struct Slot {
    slots: Slots,
    connection: String,
    is_background: bool,
}

impl Slots {
    pub(super) fn new(limit: usize, names: Vec<String>) -> Self {
        let connection_limit = if names.len() > 1 { (limit / 2).max(1) } else { limit };
        let background_limit = (limit * 3 / 4).max(1);
        Self(Arc::new(Inner { limit, connection_limit, background_limit, names, used: Mutex::default() }))
    }

    /// The connections that this process knows.
    pub(super) fn names(&self) -> &[String] {
        &self.0.names
    }

    pub(super) fn free(&self) -> FreeSlots {
        let Inner { limit, connection_limit, background_limit, names, .. } = &*self.0;
        let used = self.used();
        let all = limit.saturating_sub(used.all);
        let capacity = |name: &String| ConnectionCapacity {
            connection: name.clone(),
            max_tasks: connection_limit
                .saturating_sub(used.by_connection.get(name).copied().unwrap_or_default())
                .min(all),
        };
        let capacities = names.iter().map(capacity).filter(|capacity| capacity.max_tasks > 0).collect();
        FreeSlots { all, background: background_limit.saturating_sub(used.background), capacities }
    }

    /// Are less than a quarter of all free?
    pub(super) fn is_nearly_full(&self) -> bool {
        (self.0.limit - self.used().all.min(self.0.limit)) * 4 < self.0.limit
    }

    pub(super) fn acquire(&self, leased: &LeasedTask) -> Slot {
        let is_background = leased.priority == Priority::BACKGROUND;
        let mut used = self.used();
        used.all += 1;
        used.background += usize::from(is_background);
        *used.by_connection.entry(leased.connection.clone()).or_default() += 1;
        Slot { slots: self.clone(), connection: leased.connection.clone(), is_background }
    }

    fn used(&self) -> MutexGuard<'_, SlotUsage> {
        self.0.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut used = self.slots.used();
        used.all -= 1;
        used.background -= usize::from(self.is_background);
        if let Some(count) = used.by_connection.get_mut(&self.connection) {
            *count -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Timestamp,
        event::subject::Subject,
        id::{ClaimId, TaskId},
    };

    fn leased(connection: &str, priority: Priority) -> LeasedTask {
        LeasedTask {
            id: TaskId(uuid::Uuid::nil()),
            claim: ClaimId(uuid::Uuid::nil()),
            connection: connection.into(),
            subject: Subject::order("1"),
            priority,
            failures: 1,
            number: 1,
            actions: 0,
            created_at: Timestamp::UNIX_EPOCH,
            claimed_at: Timestamp::UNIX_EPOCH,
            connected_at: Timestamp::UNIX_EPOCH,
            connection_faults: 0,
        }
    }

    #[test]
    fn connection_and_background_work_never_fill_all_slots() {
        let slots = Slots::new(8, vec!["big".into(), "small".into()]);
        let used: Vec<_> = (0..4).map(|_| slots.acquire(&leased("big", Priority::BACKGROUND))).collect();
        let free = slots.free();
        let capacities: Vec<_> =
            free.capacities.iter().map(|it| (it.connection.as_str(), it.max_tasks)).collect();
        assert_eq!((free.all, free.background, capacities), (4, 2, vec![("small", 4)]));
        drop(used);
        assert_eq!((slots.free().all, slots.free().background, slots.free().capacities.len()), (8, 6, 2));

        let alone = Slots::new(8, vec!["only".into()]);
        let _taken: Vec<_> = (0..7).map(|_| alone.acquire(&leased("only", Priority(0)))).collect();
        assert_eq!((alone.free().all, alone.free().capacities[0].max_tasks), (1, 1));
    }
}
