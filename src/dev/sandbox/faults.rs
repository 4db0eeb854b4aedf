//! Faults on demand: scripted one by one for tests, or as a storm for the demo.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::runtime::clock::Entropy;

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is dropped before anything is applied.
    DropBefore,
    /// It is applied, and the answer lost.
    DropAfter,
    /// This status, nothing applied.
    Status(u16),
    /// It is applied, and answered with this status.
    StatusAfter(u16),
    /// 429 with this Retry-After in seconds; nothing applied.
    TooMany(u64),
    /// It is applied, and answered 200 with something that is not JSON.
    Garbage,
    /// It is applied after a while.
    Slow(Duration),
    /// Never answered, never applied.
    Hang,
    /// The server's program breaks off in the middle of its answer; applied.
    HalfAnswer,
}

/// Random faults: one request in so many.
#[derive(Clone, Debug)]
pub struct RandomFaults {
    /// From 0 to 1.
    pub share: f64,
    /// Which, with equal chances.
    pub kinds: Vec<Fault>,
    /// Where the chance comes from.
    pub entropy: Arc<Entropy>,
}

#[derive(Debug)]
struct Scripted {
    method: String,
    path_part: String,
    fault: Fault,
}

/// The faults of one server.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    scripted: Mutex<VecDeque<Scripted>>,
    random: Mutex<Option<RandomFaults>>,
    hits: AtomicUsize,
}

impl Faults {
    /// The next request of this method whose path contains this part meets this fault. Several queue up.
    pub fn script(&self, method: &str, path_part: &str, fault: Fault) {
        let scripted = Scripted { method: method.to_owned(), path_part: path_part.to_owned(), fault };
        self.0.scripted.lock().unwrap_or_else(PoisonError::into_inner).push_back(scripted);
    }

    /// From now on, this storm; `None` ends it.
    pub fn set_random(&self, random: Option<RandomFaults>) {
        *self.0.random.lock().unwrap_or_else(PoisonError::into_inner) = random;
    }

    /// Forgets what was scripted.
    pub fn clear(&self) {
        self.0.scripted.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many requests have met one.
    pub fn hit_count(&self) -> usize {
        self.0.hits.load(Ordering::Relaxed)
    }

    /// Scripted faults that nothing has met: a test that expects one should look.
    pub fn unused_count(&self) -> usize {
        self.0.scripted.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) fn next(&self, method: &str, path: &str) -> Option<Fault> {
        let fault = self.take_scripted(method, path).or_else(|| self.draw());
        if fault.is_some() {
            self.0.hits.fetch_add(1, Ordering::Relaxed);
        }
        fault
    }

    fn take_scripted(&self, method: &str, path: &str) -> Option<Fault> {
        let mut scripted = self.0.scripted.lock().unwrap_or_else(PoisonError::into_inner);
        let at = scripted.iter().position(|it| it.method == method && path.contains(&it.path_part))?;
        scripted.remove(at).map(|it| it.fault)
    }

    fn draw(&self) -> Option<Fault> {
        let random = self.0.random.lock().unwrap_or_else(PoisonError::into_inner);
        let RandomFaults { share, kinds, entropy } = random.as_ref()?;
        if entropy.fraction() >= *share {
            return None;
        }
        kinds.get(entropy.below(kinds.len())).copied()
    }
}
