//! Shares a process's attempts among connections and priorities: neither a connection whose vendor hangs nor a backlog of
//! background work ever uses all of them.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use crate::{
    domain::{event::subject::Priority, task::state::LeasedTask},
    store::claim::ConnectionCapacity,
};

/// The slots of one process; one attempt runs in each.
#[derive(Clone)]
pub(super) struct Slots(Arc<Inner>);

struct Inner {
    limit: usize,
    /// For each connection where there are several: half of all.
    connection_limit: usize,
    /// For background work: three quarters of all, so that a live order finds a slot during a large replay.
    background_limit: usize,
    connections: Vec<String>,
    usage: Mutex<SlotUsage>,
}

#[derive(Default)]
struct SlotUsage {
    all: usize,
    background: usize,
    by_connection: HashMap<String, usize>,
}

/// What a claim may take now.
pub(super) struct FreeSlots {
    pub(super) all: usize,
    /// Of all, for background work.
    pub(super) background: usize,
    pub(super) capacities: Vec<ConnectionCapacity>,
}

/// A slot in use, freed on drop.
pub(super) struct Slot {
    slots: Slots,
    connection: String,
    is_background: bool,
}

impl Slots {
    pub(super) fn new(limit: usize, connections: Vec<String>) -> Self {
        let connection_limit = if connections.len() > 1 { (limit / 2).max(1) } else { limit };
        let background_limit = (limit * 3 / 4).max(1);
        let usage = Mutex::default();
        Self(Arc::new(Inner { limit, connection_limit, background_limit, connections, usage }))
    }

    /// The connections that this process is configured with.
    pub(super) fn connections(&self) -> &[String] {
        &self.0.connections
    }

    /// The slots that are free now.
    pub(super) fn free(&self) -> FreeSlots {
        let Inner { limit, connection_limit, background_limit, connections, usage } = &*self.0;
        let used = usage.lock();
        let all = limit.saturating_sub(used.all);
        let capacity = |name: &String| {
            let used = used.by_connection.get(name).copied().unwrap_or_default();
            let max_tasks = connection_limit.saturating_sub(used).min(all);
            ConnectionCapacity { connection: name.clone(), max_tasks }
        };
        let capacities = connections.iter().map(capacity).filter(|capacity| capacity.max_tasks > 0).collect();
        FreeSlots { all, background: background_limit.saturating_sub(used.background), capacities }
    }

    /// True where less than a quarter of all slots is free.
    pub(super) fn is_nearly_full(&self) -> bool {
        let Inner { limit, usage, .. } = &*self.0;
        limit.saturating_sub(usage.lock().all) * 4 < *limit
    }

    /// Takes a slot for a claimed task.
    pub(super) fn acquire(&self, leased: &LeasedTask) -> Slot {
        let is_background = leased.priority == Priority::BACKGROUND;
        let mut used = self.0.usage.lock();
        used.all += 1;
        used.background += usize::from(is_background);
        *used.by_connection.entry(leased.connection.clone()).or_default() += 1;
        Slot { slots: self.clone(), connection: leased.connection.clone(), is_background }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut used = self.slots.0.usage.lock();
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
            snoozes: 0,
            suspects: Vec::new(),
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
        let _used: Vec<_> = (0..7).map(|_| alone.acquire(&leased("only", Priority(0)))).collect();
        assert_eq!((alone.free().all, alone.free().capacities[0].max_tasks), (1, 1));
    }
}
