//! Faults on demand: scripted one by one for tests, or at random for the demo and the chaos run.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::runtime::clock::Entropy;
use parking_lot::Mutex;

/// A fault of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is dropped before anything is applied.
    DropBefore,
    /// The request is applied, and the answer lost.
    DropAfter,
    /// This status; nothing is applied.
    Status(u16),
    /// This status with this body; nothing is applied.
    Refuse(u16, &'static str),
    /// The request is applied, and answered with this status.
    StatusAfter(u16),
    /// 429 with this `Retry-After` in seconds; nothing is applied.
    TooMany(u64),
    /// This status with this `Retry-After`; nothing is applied.
    RetryAfter(u16, &'static str),
    /// This status with a web page, as in a maintenance window; nothing is applied.
    Page(u16),
    /// The request is applied, and answered 200 with something that is not JSON.
    Garbage,
    /// 200 with 8 MiB that begin with this and repeat the rest; nothing is applied.
    Repeated(&'static str, &'static str),
    /// The request is applied after this delay.
    Slow(Duration),
    /// The request is never applied and never answered.
    Hang,
    /// The request is applied, and the answer breaks off in the middle.
    HalfAnswer,
}

/// Random faults for a share of all requests.
#[derive(Clone, Debug)]
pub struct RandomFaults {
    /// The share of requests, from 0 to 1.
    pub share: f64,
    /// The faults, with equal chances.
    pub kinds: Vec<Fault>,
    /// The source of randomness.
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
    /// Every request meets it.
    everywhere: Mutex<Option<Fault>>,
    /// A web firewall refuses bodies that contain one of these.
    forbidden_words: Mutex<Vec<String>>,
    hits: AtomicUsize,
}

impl Faults {
    /// Queues a fault for the next request with this method and a path that contains this part.
    pub fn script(&self, method: &str, path_part: &str, fault: Fault) {
        let scripted = Scripted { method: method.to_owned(), path_part: path_part.to_owned(), fault };
        self.0.scripted.lock().push_back(scripted);
    }

    /// Sets the random faults; `None` ends them. True where there were some before.
    pub fn set_random(&self, random: Option<RandomFaults>) -> bool {
        std::mem::replace(&mut *self.0.random.lock(), random).is_some()
    }

    /// Sets the fault of every request, as in a maintenance window; `None` ends it.
    pub fn set_everywhere(&self, fault: Option<Fault>) {
        *self.0.everywhere.lock() = fault;
    }

    /// Sets the words that a web firewall looks for: a request whose body contains one is answered 403.
    pub fn forbid(&self, words: &[&str]) {
        *self.0.forbidden_words.lock() = words.iter().map(ToString::to_string).collect();
    }

    /// Whether there is a web firewall.
    pub(super) fn has_firewall(&self) -> bool {
        !self.0.forbidden_words.lock().is_empty()
    }

    /// Whether the web firewall refuses a body.
    pub(super) fn is_forbidden(&self, body: &[u8]) -> bool {
        let text = String::from_utf8_lossy(body);
        let is_forbidden = self.0.forbidden_words.lock().iter().any(|word| text.contains(word));
        self.0.hits.fetch_add(usize::from(is_forbidden), Ordering::Relaxed);
        is_forbidden
    }

    /// Removes all scripted faults.
    pub fn clear(&self) {
        self.0.scripted.lock().clear();
    }

    /// The number of requests that met a fault.
    pub fn hit_count(&self) -> usize {
        self.0.hits.load(Ordering::Relaxed)
    }

    /// The number of scripted faults that no request met yet.
    pub fn unused_count(&self) -> usize {
        self.0.scripted.lock().len()
    }

    pub(super) fn next(&self, method: &str, path: &str) -> Option<Fault> {
        let everywhere = *self.0.everywhere.lock();
        let fault = everywhere.or_else(|| self.take_scripted(method, path)).or_else(|| self.draw());
        if fault.is_some() {
            self.0.hits.fetch_add(1, Ordering::Relaxed);
        }
        fault
    }

    fn take_scripted(&self, method: &str, path: &str) -> Option<Fault> {
        let mut scripted = self.0.scripted.lock();
        let at = scripted.iter().position(|it| it.method == method && path.contains(&it.path_part))?;
        scripted.remove(at).map(|it| it.fault)
    }

    fn draw(&self) -> Option<Fault> {
        let random = self.0.random.lock();
        let RandomFaults { share, kinds, entropy } = random.as_ref()?;
        if entropy.fraction() >= *share {
            return None;
        }
        kinds.get(entropy.below(kinds.len())).copied()
    }
}
