//! A task: the one open obligation to bring a subject into sync.

use super::fault::CallKind;
use crate::domain::{
    Timestamp,
    event::subject::{Priority, Subject},
    id::{ClaimId, TaskId},
    vendor::Vendor,
};

/// The state of a task; [`super::transition`] shows the legal moves.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
    strum::VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum TaskState {
    /// To be done; claimed once due.
    Pending,
    /// An attempt is running under a lease.
    Leased,
    /// A vendor may have received an action; claimed like pending, and read before anything is sent again.
    InDoubt,
    /// Closed: in sync.
    Done,
    /// Closed: there is nothing to do, for the task's reason.
    Skipped,
    /// Closed: only an operator can reopen it.
    Dead,
    /// Closed by an operator.
    Cancelled,
}

impl TaskState {
    /// Every value.
    pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;
    /// The spelling of every value.
    pub const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;

    /// The spelling in rows, labels and URLs.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// True once nothing more will happen to it.
    pub const fn is_closed(self) -> bool {
        match self {
            Self::Pending | Self::Leased | Self::InDoubt => false,
            Self::Done | Self::Skipped | Self::Dead | Self::Cancelled => true,
        }
    }
}

/// A task claimed under a lease. Only a claim creates one, so only the holder of the claim can settle it.
#[derive(Clone, Debug)]
pub struct LeasedTask {
    /// The task.
    pub id: TaskId,
    /// The fence that every write of this attempt must name.
    pub claim: ClaimId,
    /// The connection.
    pub connection: String,
    /// What may be out of sync.
    pub subject: Subject,
    /// Which task is claimed first.
    pub priority: Priority,
    /// It was passed over for so long that it was claimed before all others.
    pub has_risen: bool,
    /// This attempt's number towards the limit, from 1: a crash counts too.
    pub failures: u32,
    /// This attempt's number in the task's history, from 1.
    pub number: u32,
    /// Actions performed for this task so far.
    pub actions: u32,
    /// Attempts in a row that were snoozed and do not count as failures.
    pub snoozes: u32,
    /// When the task was opened.
    pub created_at: Timestamp,
    /// Since when it was due: its place among those that wait.
    pub due_at: Timestamp,
    /// When the claim was taken.
    pub claimed_at: Timestamp,
    /// When the connection was first configured.
    pub connected_at: Timestamp,
    /// Connection faults in a row before this attempt; any other outcome resets them.
    pub connection_faults: u32,
    /// The kinds of calls that failed for some subject of the connection and have not succeeded since.
    pub suspects: Vec<(Vendor, CallKind)>,
}

impl LeasedTask {
    /// True where calls of others go first: it was found by a poll, a sync or a replay.
    pub fn is_background(&self) -> bool {
        self.priority == Priority::BACKGROUND && !self.has_risen
    }
}
