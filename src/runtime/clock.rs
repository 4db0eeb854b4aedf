//! The clock and the random source: the only code that reads the machine's.
//!
//! Code that needs the time takes a [`Clock`], code that needs randomness takes [`Entropy`], so that a test
//! controls both. `clippy.toml` bans the ambient ones everywhere else.

use std::{
    fmt::Debug,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use uuid::Uuid;

use crate::domain::Timestamp;

/// Tells the time.
pub trait Clock: Debug + Send + Sync {
    /// The current time in UTC, to the microsecond, which is PostgreSQL's precision. Other machines' clocks differ, and
    /// this one may be set.
    fn now(&self) -> Timestamp;

    /// How far this clock is ahead of the database's, which has just shown this time; negative where it is behind.
    fn ahead_of(&self, database: Timestamp) -> chrono::Duration {
        self.now() - database
    }

    /// Time that only passes: no correction of the clock steps it. Compare it within one process only.
    fn monotonic(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the only place that reads the clock")]
    fn now(&self) -> Timestamp {
        let now = chrono::Utc::now();
        Timestamp::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }
}

/// Another clock, set ahead or behind: the clock of another machine.
#[derive(Debug)]
pub struct OffsetClock {
    clock: Arc<dyn Clock>,
    offset: Mutex<chrono::Duration>,
}

impl OffsetClock {
    /// Shows the time of `clock` until it is set.
    pub fn of(clock: Arc<dyn Clock>) -> Self {
        Self { clock, offset: Mutex::new(chrono::Duration::zero()) }
    }

    /// Sets the clock ahead of the other one, or behind it where this is negative.
    pub fn set(&self, offset: chrono::Duration) {
        *self.offset.lock() = offset;
    }
}

impl Clock for OffsetClock {
    fn now(&self) -> Timestamp {
        self.clock.now() + *self.offset.lock()
    }

    fn ahead_of(&self, database: Timestamp) -> chrono::Duration {
        self.clock.ahead_of(database) + *self.offset.lock()
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }
}

/// A clock that only moves by hand.
#[derive(Debug)]
pub struct ManualClock(Mutex<(Timestamp, Duration)>);

impl ManualClock {
    /// Creates a clock at `start`.
    pub const fn starting_at(start: Timestamp) -> Self {
        Self(Mutex::new((start, Duration::ZERO)))
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let mut time = self.0.lock();
        time.0 += by;
        time.1 += by;
    }

    /// Sets the clock by hand, as a correction does: no time passes.
    pub fn step(&self, by: chrono::Duration) {
        self.0.lock().0 += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().0
    }

    /// It is the time of its test, for the database too.
    fn ahead_of(&self, _: Timestamp) -> chrono::Duration {
        chrono::Duration::zero()
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().1
    }
}

/// A machine's clock that is not the database's.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Machine(pub(crate) ManualClock);

#[cfg(test)]
impl Clock for Machine {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }
}

/// The only source of randomness: ids, jitter, tokens.
#[derive(Debug)]
pub struct Entropy(Mutex<Source>);

#[derive(Debug)]
struct Source {
    rng: StdRng,
    /// The last id. The next one of the same millisecond is greater.
    last_id: u128,
}

impl Entropy {
    /// Seeded by the operating system.
    pub fn from_os() -> Self {
        let rng =
            StdRng::try_from_rng(&mut rand::rngs::SysRng).expect("the operating system has a random source");
        Self(Mutex::new(Source { rng, last_id: 0 }))
    }

    /// Seeded by a number: the same seed gives the same sequence.
    pub fn seeded(seed: u64) -> Self {
        Self(Mutex::new(Source { rng: StdRng::seed_from_u64(seed), last_id: 0 }))
    }

    fn with<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.0.lock().rng)
    }

    /// An id that sorts by time, and within one millisecond by the order of creation (`UUIDv7`, RFC 9562 §5.7
    /// and §6.2 method 2): lists and replays are ordered by id.
    pub fn id(&self, now: Timestamp) -> Uuid {
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        let fresh =
            uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes::<10>()).into_uuid().as_u128();
        let step = self.with(|rng| rng.random_range(1..=u128::from(u32::MAX)));
        let mut source = self.0.lock();
        let same_millisecond = source.last_id >> 80 == fresh >> 80;
        source.last_id = if same_millisecond { source.last_id + step } else { fresh };
        Uuid::from_u128(source.last_id)
    }

    /// A random id (`UUIDv4`): for claims.
    pub fn fence(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// Random bytes, for tokens.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.with(|rng| rng.fill_bytes(&mut bytes));
        bytes
    }

    /// A number in 0..1, for jitter.
    pub fn fraction(&self) -> f64 {
        self.with(rand::RngExt::random::<f64>)
    }

    /// An integer below `end`; 0 where `end` is 0.
    pub fn below(&self, end: usize) -> usize {
        if end == 0 { 0 } else { self.with(|rng| rng.random_range(0..end)) }
    }
}
