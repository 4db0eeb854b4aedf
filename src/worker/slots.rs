//! Who has how many of a process's attempts: so that a connection whose system hangs, or a heap of work that can wait,
//! never has them all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    domain::{event::subject::Urgency, task::state::Leased},
    store::claim::Room,
};

/// The slots of one process.
#[derive(Clone)]
pub(super) struct Slots(Arc<Inner>);

struct Inner {
    /// In all.
    most: usize,
    /// Of one connection, where there are several: half.
    most_of_one: usize,
    /// For what can wait: three quarters. A live order finds a slot whatever is being replayed.
    most_background: usize,
    names: Vec<String>,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    background: usize,
    of: HashMap<String, usize>,
}

/// What a claim may take now.
pub(super) struct Free {
    /// In all.
    pub(super) all: usize,
    /// Of these for what can wait.
    pub(super) background: usize,
    /// By connection.
    pub(super) rooms: Vec<Room>,
}

/// A slot in use; free again when dropped.
pub(super) struct Slot {
    slots: Slots,
    connection: String,
    is_background: bool,
}

impl Slots {
    pub(super) fn new(most: usize, names: Vec<String>) -> Self {
        let most_of_one = if names.len() > 1 { (most / 2).max(1) } else { most };
        let most_background = (most * 3 / 4).max(1);
        Self(Arc::new(Inner { most, most_of_one, most_background, names, taken: Mutex::default() }))
    }

    /// The connections that this process knows.
    pub(super) fn names(&self) -> &[String] {
        &self.0.names
    }

    pub(super) fn free(&self) -> Free {
        let Inner { most, most_of_one, most_background, names, .. } = &*self.0;
        let taken = self.taken();
        let all = most.saturating_sub(taken.all);
        let room = |name: &String| Room {
            connection: name.clone(),
            most: most_of_one.saturating_sub(taken.of.get(name).copied().unwrap_or_default()).min(all),
        };
        let rooms = names.iter().map(room).filter(|room| room.most > 0).collect();
        Free { all, background: most_background.saturating_sub(taken.background), rooms }
    }

    /// Are less than a quarter of all free?
    pub(super) fn are_scarce(&self) -> bool {
        (self.0.most - self.taken().all.min(self.0.most)) * 4 < self.0.most
    }

    pub(super) fn take(&self, held: &Leased) -> Slot {
        let is_background = held.urgency == Urgency::BACKGROUND;
        let mut taken = self.taken();
        taken.all += 1;
        taken.background += usize::from(is_background);
        *taken.of.entry(held.connection.clone()).or_default() += 1;
        Slot { slots: self.clone(), connection: held.connection.clone(), is_background }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken();
        taken.all -= 1;
        taken.background -= usize::from(self.is_background);
        if let Some(count) = taken.of.get_mut(&self.connection) {
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
        id::{ClaimId, DeliveryId},
    };

    fn held(connection: &str, urgency: Urgency) -> Leased {
        Leased {
            id: DeliveryId(uuid::Uuid::nil()),
            claim: ClaimId(uuid::Uuid::nil()),
            connection: connection.into(),
            subject: Subject::order("1"),
            urgency,
            attempts: 1,
            number: 1,
            deeds: 0,
            created_at: Timestamp::UNIX_EPOCH,
            claimed_at: Timestamp::UNIX_EPOCH,
            connected_at: Timestamp::UNIX_EPOCH,
            connection_faults: 0,
        }
    }

    #[test]
    fn no_connection_and_no_backlog_ever_has_all_the_slots() {
        let slots = Slots::new(8, vec!["big".into(), "small".into()]);
        let taken: Vec<_> = (0..4).map(|_| slots.take(&held("big", Urgency::BACKGROUND))).collect();
        let free = slots.free();
        let rooms: Vec<_> = free.rooms.iter().map(|it| (it.connection.as_str(), it.most)).collect();
        assert_eq!((free.all, free.background, rooms), (4, 2, vec![("small", 4)]));
        drop(taken);
        assert_eq!((slots.free().all, slots.free().background, slots.free().rooms.len()), (8, 6, 2));

        let alone = Slots::new(8, vec!["only".into()]);
        let _taken: Vec<_> = (0..7).map(|_| alone.take(&held("only", Urgency(0)))).collect();
        assert_eq!((alone.free().all, alone.free().rooms[0].most), (1, 1));
    }
}
