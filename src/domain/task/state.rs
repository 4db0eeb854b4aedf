//! A task: the one open task of a subject.

use std::{fmt, str::FromStr};

use crate::domain::{
    Timestamp,
    event::subject::{Priority, Subject},
    id::{ClaimId, TaskId},
};

/// Where a task stands; the legal moves are drawn in [`crate::domain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// Owed; claimed once due.
    Pending,
    /// An attempt is running under a lease.
    Leased,
    /// A vendor may have heard us; claimed like pending, and looked at before anything is sent again.
    InDoubt,
    /// Closed: in sync.
    Done,
    /// Closed: there is nothing to do, and the reason says why.
    Skipped,
    /// Closed: will not move again without a person.
    Dead,
    /// Closed by a person.
    Cancelled,
}

impl TaskState {
    /// Every state, for parsing and gauges.
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::Leased, Self::InDoubt, Self::Done, Self::Skipped, Self::Dead, Self::Cancelled];

    /// The word in rows, labels and URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Leased => "leased",
            Self::InDoubt => "in_doubt",
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// True once nothing more will happen to it.
    pub const fn is_closed(self) -> bool {
        match self {
            Self::Pending | Self::Leased | Self::InDoubt => false,
            Self::Done | Self::Skipped | Self::Dead | Self::Cancelled => true,
        }
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no task state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a task state")]
pub struct ParseStateError;

impl FromStr for TaskState {
    type Err = ParseStateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(ParseStateError)
    }
}

/// A task that we hold under a lease. Only a claim makes one, so nobody settles what he does not hold.
#[derive(Clone, Debug)]
pub struct LeasedTask {
    /// The task.
    pub id: TaskId,
    /// Our fence: every write about this attempt says it.
    pub claim: ClaimId,
    /// Whose subject it is.
    pub connection: String,
    /// What may be out of sync.
    pub subject: Subject,
    /// Who is served first.
    pub priority: Priority,
    /// This attempt's number towards the limit, from 1: a crash counts too.
    pub failures: u32,
    /// This attempt's number in the diary, from 1.
    pub number: u32,
    /// Actions done in this task so far.
    pub actions: u32,
    /// When the task was opened.
    pub created_at: Timestamp,
    /// When the claim was taken.
    pub claimed_at: Timestamp,
    /// When the connection was first configured.
    pub connected_at: Timestamp,
    /// Connection faults in a row before this attempt; any other outcome clears them.
    pub connection_faults: u32,
}
