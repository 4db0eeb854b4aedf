//! Everything that a chaos run breaks.

use std::fmt;

use crate::runtime::failpoints::Failpoint;

/// One thing that goes wrong and is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disturbance {
    /// A replica is killed with SIGKILL at a random moment and restarted.
    Killed,
    /// A replica exits at this failpoint and is restarted.
    KilledAt(Failpoint),
    /// All replicas are killed at once and restarted.
    AllKilled,
    /// A replica is paused in the middle of its calls for longer than its lease, then resumed.
    PausedBeyondItsLease,
    /// One more replica starts, works and shuts down.
    Added,
    /// PostgreSQL is killed, as by a power cut, and restarted.
    DatabaseStopped,
    /// PostgreSQL is shut down and restarted.
    DatabaseRestarted,
    /// Every connection to PostgreSQL is closed, and new ones are refused for a while.
    DatabaseCutOff,
    /// Every byte from and to PostgreSQL is late.
    DatabaseSlow,
    /// Connections to PostgreSQL stay open, and nothing comes through.
    DatabaseStalled,
    /// PostgreSQL answers that its disk is full.
    DatabaseFull,
    /// The shop refuses connections.
    ShopDown,
    /// The warehouse refuses connections.
    WarehouseDown,
    /// Half of all calls fail, with every fault of the sandbox.
    HalfOfCallsFail,
    /// The replicas' clocks differ, some ahead and some behind.
    ClocksDiffer,
    /// The replicas' clocks step forth and back.
    ClocksStep,
    /// A web firewall refuses one order.
    OrderRefused,
    /// The shop answers everything with a web page.
    ShopMaintenance,
    /// The shop answers everything with 404.
    ShopForgetsAll,
    /// The warehouse answers everything with a web page.
    WarehouseMaintenance,
    /// The warehouse answers everything with 404.
    WarehouseForgetsAll,
    /// The warehouse's search lags behind, and answers to orders are lost.
    SearchLags,
    /// The warehouse takes seconds for every call, and applies it after the caller has given up.
    WarehouseSlow,
    /// Many orders come without webhooks, and their rows move while the shop's list of them is paged.
    ListMoves,
    /// No webhook arrives.
    WebhooksLost,
    /// A thousand clients without a key send large bodies to a replica with little memory.
    LargeBodies,
    /// One address opens more connections than there are, sends nothing and reads nothing.
    ConnectionsHeld,
}

impl Disturbance {
    /// Every disturbance.
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
            Self::HalfOfCallsFail,
            Self::ClocksDiffer,
            Self::ClocksStep,
            Self::OrderRefused,
            Self::ShopMaintenance,
            Self::ShopForgetsAll,
            Self::WarehouseMaintenance,
            Self::WarehouseForgetsAll,
            Self::SearchLags,
            Self::WarehouseSlow,
            Self::ListMoves,
            Self::WebhooksLost,
            Self::LargeBodies,
            Self::ConnectionsHeld,
        ];
        all.extend(Failpoint::ALL.iter().copied().map(Self::KilledAt));
        all
    }
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Killed => "killed at a random moment",
            Self::KilledAt(point) => return write!(f, "killed at {}", point.as_str()),
            Self::AllKilled => "all replicas killed at once",
            Self::PausedBeyondItsLease => "paused beyond its lease",
            Self::Added => "a replica added and stopped",
            Self::DatabaseStopped => "database killed",
            Self::DatabaseRestarted => "database restarted",
            Self::DatabaseCutOff => "database cut off",
            Self::DatabaseSlow => "database slow",
            Self::DatabaseStalled => "database stalled",
            Self::DatabaseFull => "database full",
            Self::ShopDown => "shop down",
            Self::WarehouseDown => "warehouse down",
            Self::HalfOfCallsFail => "half of all calls fail",
            Self::ClocksDiffer => "clocks differ",
            Self::ClocksStep => "clocks step",
            Self::OrderRefused => "an order refused by a firewall",
            Self::ShopMaintenance => "shop answers web pages",
            Self::ShopForgetsAll => "shop answers 404 to everything",
            Self::WarehouseMaintenance => "warehouse answers web pages",
            Self::WarehouseForgetsAll => "warehouse answers 404 to everything",
            Self::SearchLags => "search lags, answers lost",
            Self::WarehouseSlow => "warehouse slower than the timeout",
            Self::ListMoves => "a list moves while it is paged",
            Self::WebhooksLost => "webhooks lost",
            Self::LargeBodies => "large bodies and little memory",
            Self::ConnectionsHeld => "connections held by one address",
        })
    }
}
