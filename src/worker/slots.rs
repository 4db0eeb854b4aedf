//! Shares a process's attempts among connections and priorities: neither a connection whose vendor hangs nor a backlog of
//! background work ever uses all of them, and a connection has no more than its vendors' rates feed.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;

use crate::{domain::task::state::LeasedTask, store::claim::ConnectionCapacity};

/// An attempt makes one call at a time to each vendor, so as many as the slower vendor takes calls in this time use its whole rate. More of
/// them would only wait for their turns, each with its lease running.
const SECONDS_OF_CALLS: f64 = 2.0;

/// A connection has this many at least, however low its rate: one may be background work.
const MIN_OF_CONNECTION: usize = 2;

/// The shortest and the longest time for which nothing is claimed after it was not an attempt's turn. Another replica may
/// have used the rate, so it is asked for again soon.
const DEFERRED: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// The slots of one process; one attempt runs in each.
#[derive(Clone)]
pub(super) struct Slots(Arc<Inner>);

struct Inner {
    limit: usize,
    /// For background work: three quarters of all, so that a live order finds a slot during a large replay.
    background_limit: usize,
    names: Vec<String>,
    /// By connection.
    limits: HashMap<String, usize>,
    usage: Mutex<SlotUsage>,
}

#[derive(Default)]
struct SlotUsage {
    all: usize,
    background: usize,
    by_connection: HashMap<String, ConnectionUsage>,
}

#[derive(Default)]
struct ConnectionUsage {
    all: usize,
    background: usize,
    risen: usize,
    /// Nothing is claimed before this time, by a clock that never steps.
    deferred_until: Duration,
    /// No background task is.
    background_deferred_until: Duration,
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
    has_risen: bool,
}

impl Slots {
    /// Creates so many slots for these connections, each with the calls a second that its slower vendor takes.
    pub(super) fn new(limit: usize, connections: impl IntoIterator<Item = (String, f64)>) -> Self {
        let connections: Vec<_> = connections.into_iter().collect();
        // Half of all where there are several.
        let at_most = if connections.len() > 1 { (limit / 2).max(1) } else { limit };
        let names = connections.iter().map(|(name, _)| name.clone()).collect();
        let limits = connections.into_iter().map(|(name, rate)| (name, fed_by(rate).min(at_most))).collect();
        let background_limit = most_of(limit);
        Self(Arc::new(Inner { limit, background_limit, names, limits, usage: Mutex::default() }))
    }

    /// The connections that this process is configured with.
    pub(super) fn connections(&self) -> &[String] {
        &self.0.names
    }

    /// Whether this process is configured with a connection.
    pub(super) fn has(&self, connection: &str) -> bool {
        self.0.limits.contains_key(connection)
    }

    /// How many slots are free.
    pub(super) fn count_free(&self) -> usize {
        self.0.limit.saturating_sub(self.0.usage.lock().all)
    }

    /// The slots that are free for these connections at this time of a clock that never steps.
    pub(super) fn free(&self, connections: &[String], now: Duration) -> FreeSlots {
        let Inner { limit, background_limit, limits, usage, .. } = &*self.0;
        let used = usage.lock();
        let all = limit.saturating_sub(used.all);
        let background = background_limit.saturating_sub(used.background);
        let unused = ConnectionUsage::default();
        let capacity = |name: &String| {
            let of = used.by_connection.get(name).unwrap_or(&unused);
            let limit = limits.get(name).copied().unwrap_or_default();
            let is_deferred = of.background_deferred_until > now;
            let max_tasks = if of.deferred_until > now { 0 } else { limit.saturating_sub(of.all).min(all) };
            let left = most_of(limit).saturating_sub(of.background).min(background).min(max_tasks);
            let max_background = if is_deferred { 0 } else { left };
            let max_risen = share_of_risen(limit).saturating_sub(of.risen);
            ConnectionCapacity { connection: name.clone(), max_tasks, max_background, max_risen }
        };
        let capacities = connections.iter().map(capacity).filter(|capacity| capacity.max_tasks > 0).collect();
        FreeSlots { all, background, capacities }
    }

    /// True where less than a quarter of all slots is free.
    pub(super) fn is_nearly_full(&self) -> bool {
        let Inner { limit, usage, .. } = &*self.0;
        limit.saturating_sub(usage.lock().all) * 4 < *limit
    }

    /// Takes a slot for a claimed task.
    pub(super) fn acquire(&self, leased: &LeasedTask) -> Slot {
        let (is_background, has_risen) = (leased.is_background(), leased.has_risen);
        let mut used = self.0.usage.lock();
        used.all += 1;
        used.background += usize::from(is_background);
        let of = used.by_connection.entry(leased.connection.clone()).or_default();
        of.all += 1;
        of.background += usize::from(is_background);
        of.risen += usize::from(has_risen);
        Slot { slots: self.clone(), connection: leased.connection.clone(), is_background, has_risen }
    }
}

impl Slot {
    /// Claims nothing of the connection for this long, and only what is background work where this was: it was not its turn
    /// at a vendor, so it would not be another's either.
    pub(super) fn defer(&self, wait: Duration, now: Duration) {
        let until = now + wait.clamp(DEFERRED.0, DEFERRED.1);
        let mut used = self.slots.0.usage.lock();
        let of = used.by_connection.entry(self.connection.clone()).or_default();
        let until_then =
            if self.is_background { &mut of.background_deferred_until } else { &mut of.deferred_until };
        *until_then = until.max(*until_then);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut used = self.slots.0.usage.lock();
        used.all -= 1;
        used.background -= usize::from(self.is_background);
        if let Some(of) = used.by_connection.get_mut(&self.connection) {
            of.all -= 1;
            of.background -= usize::from(self.is_background);
            of.risen -= usize::from(self.has_risen);
        }
    }
}

/// Three quarters, at least one.
fn most_of(limit: usize) -> usize {
    (limit * 3 / 4).max(1)
}

/// How many attempts may be of tasks that have risen: a quarter. The rest is for live orders, however large the backlog.
fn share_of_risen(limit: usize) -> usize {
    (limit / 4).max(1)
}

/// The attempts that a vendor of so many calls a second feeds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are at most 10,000")]
fn fed_by(calls_per_second: f64) -> usize {
    ((calls_per_second * SECONDS_OF_CALLS).ceil() as usize).max(MIN_OF_CONNECTION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Timestamp,
        event::subject::{Priority, Subject},
        id::{ClaimId, TaskId},
    };

    const NOW: Duration = Duration::from_secs(100);

    fn leased(connection: &str, priority: Priority) -> LeasedTask {
        LeasedTask {
            id: TaskId(uuid::Uuid::nil()),
            claim: ClaimId(uuid::Uuid::nil()),
            connection: connection.into(),
            subject: Subject::order("1"),
            priority,
            has_risen: false,
            failures: 1,
            number: 1,
            actions: 0,
            created_at: Timestamp::UNIX_EPOCH,
            due_at: Timestamp::UNIX_EPOCH,
            claimed_at: Timestamp::UNIX_EPOCH,
            connected_at: Timestamp::UNIX_EPOCH,
            connection_faults: 0,
            snoozes: 0,
            suspects: Vec::new(),
        }
    }

    fn slots(limit: usize, connections: &[(&str, f64)]) -> Slots {
        Slots::new(limit, connections.iter().map(|(name, rate)| ((*name).to_owned(), *rate)))
    }

    /// Each connection's tasks at most, and of these background tasks.
    fn capacities(slots: &Slots, now: Duration) -> Vec<(String, usize, usize)> {
        let capacities = slots.free(slots.connections(), now).capacities.into_iter();
        capacities.map(|it| (it.connection, it.max_tasks, it.max_background)).collect()
    }

    #[test]
    fn connection_and_background_work_never_fill_all_slots() {
        let slots_of_two = slots(8, &[("big", 100.0), ("small", 100.0)]);
        let background = leased("big", Priority::BACKGROUND);
        let used: Vec<_> = (0..4).map(|_| slots_of_two.acquire(&background)).collect();
        let free = slots_of_two.free(slots_of_two.connections(), NOW);
        assert_eq!((free.all, free.background), (4, 2));
        assert_eq!(capacities(&slots_of_two, NOW), [("small".to_owned(), 4, 2)]);
        drop(used);
        let free = slots_of_two.free(slots_of_two.connections(), NOW);
        assert_eq!((free.all, free.background, free.capacities.len()), (8, 6, 2));

        let alone = slots(8, &[("only", 100.0)]);
        let _used: Vec<_> = (0..7).map(|_| alone.acquire(&leased("only", Priority(0)))).collect();
        assert_eq!(capacities(&alone, NOW), [("only".to_owned(), 1, 1)]);
    }

    #[test]
    fn connection_runs_no_more_attempts_than_its_slower_vendor_feeds() {
        for (rate, all, background) in [(0.1, 2, 1), (2.0, 4, 3), (2.1, 5, 3), (10.0, 20, 15), (50.0, 32, 24)]
        {
            let slots = slots(32, &[("shop", rate)]);
            assert_eq!(capacities(&slots, NOW), [("shop".to_owned(), all, background)], "{rate} a second");
        }
    }

    #[test]
    fn a_quarter_of_the_attempts_may_have_risen() {
        for (rate, risen) in [(0.1, 1), (2.0, 1), (6.0, 3)] {
            let slots = slots(32, &[("shop", rate)]);
            let max_risen = || slots.free(slots.connections(), NOW).capacities[0].max_risen;
            assert_eq!(max_risen(), risen, "{rate} a second");
            let _used =
                slots.acquire(&LeasedTask { has_risen: true, ..leased("shop", Priority::BACKGROUND) });
            assert_eq!(max_risen(), risen - 1, "{rate} a second");
            assert_eq!(
                slots.free(slots.connections(), NOW).background,
                24,
                "it is no background work any more"
            );
        }
    }

    #[test]
    fn connection_waits_for_its_turn_and_live_work_not_by_background_work() {
        let slots = slots(8, &[("shop", 100.0), ("other", 100.0)]);
        let after = |millis| NOW + Duration::from_millis(millis);
        let background = slots.acquire(&leased("shop", Priority::BACKGROUND));
        background.defer(Duration::from_secs(2), NOW);
        drop(background);
        let other = ("other".to_owned(), 4, 3);
        let shop = |all, background| ("shop".to_owned(), all, background);
        assert_eq!(capacities(&slots, after(1999)), [shop(4, 0), other.clone()]);
        assert_eq!(capacities(&slots, after(2000)), [shop(4, 3), other.clone()]);
        slots.acquire(&leased("shop", Priority(0))).defer(Duration::ZERO, NOW);
        assert_eq!(capacities(&slots, after(99)), std::slice::from_ref(&other), "never without a pause");
        slots.acquire(&leased("shop", Priority(0))).defer(Duration::from_secs(300), NOW);
        slots.acquire(&leased("shop", Priority(0))).defer(Duration::ZERO, NOW);
        assert_eq!(capacities(&slots, after(29_999)), std::slice::from_ref(&other));
        assert_eq!(capacities(&slots, after(30_000)), [shop(4, 3), other], "it is asked for again");
    }
}
