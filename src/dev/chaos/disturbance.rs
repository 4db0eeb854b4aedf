//! Everything that a proof breaks.

use std::fmt;

use crate::runtime::failpoints::Failpoint;

/// One thing that goes wrong, and is put right again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disturbance {
    /// A replica is gone with `kill -9` at some moment, and comes back.
    Killed,
    /// A replica dies at this very moment, and comes back.
    KilledAt(Failpoint),
    /// All replicas are gone at once, and come back.
    AllKilled,
    /// A replica is stopped for longer than its lease, in the middle of its calls, and then goes on.
    PausedBeyondItsLease,
    /// One more replica comes, works and goes in an orderly way.
    Added,
    /// PostgreSQL stops at once, as after a power cut, and comes back.
    DatabaseStopped,
    /// PostgreSQL is restarted in an orderly way.
    DatabaseRestarted,
    /// Every connection to PostgreSQL is cut, and none is taken for a while.
    DatabaseCutOff,
    /// PostgreSQL answers, and every byte comes late.
    DatabaseSlow,
    /// The connections stand, and nothing comes through.
    DatabaseStalled,
    /// PostgreSQL answers that its disk is full.
    DatabaseFull,
    /// The shop is off the net.
    ShopDown,
    /// The warehouse is off the net.
    WarehouseDown,
    /// Half of all calls fail, in every way of the sandbox.
    Storm,
    /// The warehouse's search does not show what was just placed, and answers to orders are lost.
    SearchLags,
    /// The warehouse takes seconds for everything, and does what it was asked after the caller has gone.
    WarehouseSlow,
    /// No webhook comes through.
    WebhooksLost,
}

impl Disturbance {
    /// Every one of them.
    pub(super) fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Killed,
            Self::AllKilled,
            Self::PausedBeyondItsLease,
            Self::Added,
            Self::DatabaseStopped,
            Self::DatabaseRestarted,
            Self::DatabaseCutOff,
            Self::DatabaseSlow,
            Self::DatabaseStalled,
            Self::DatabaseFull,
            Self::ShopDown,
            Self::WarehouseDown,
            Self::Storm,
            Self::SearchLags,
            Self::WarehouseSlow,
            Self::WebhooksLost,
        ];
        all.extend(Failpoint::ALL.map(Self::KilledAt));
        all
    }
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Killed => "killed at some moment",
            Self::KilledAt(point) => return write!(f, "killed at {}", point.as_str()),
            Self::AllKilled => "all replicas killed at once",
            Self::PausedBeyondItsLease => "paused beyond its lease",
            Self::Added => "a replica added and stopped",
            Self::DatabaseStopped => "database stopped at once",
            Self::DatabaseRestarted => "database restarted",
            Self::DatabaseCutOff => "database cut off",
            Self::DatabaseSlow => "database slow",
            Self::DatabaseStalled => "database stalled",
            Self::DatabaseFull => "database full",
            Self::ShopDown => "shop down",
            Self::WarehouseDown => "warehouse down",
            Self::Storm => "half of all calls fail",
            Self::SearchLags => "search lags, answers lost",
            Self::WarehouseSlow => "warehouse slower than our grace_period",
            Self::WebhooksLost => "webhooks lost",
        })
    }
}
