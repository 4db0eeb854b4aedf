//! What an attempt came to, without HTTP terms.

use std::time::Duration;

use super::reason::Reason;
use crate::domain::Timestamp;

/// The outcome of an attempt. [`super::transition::transition`] decides the next state from it.
#[derive(Clone, Debug, PartialEq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// One action was performed; the subject is read again at once.
    Acted,
    /// Both sides are in sync.
    InSync,
    /// There is nothing to do for this subject.
    Skipped {
        /// Why not.
        reason: Reason,
    },
    /// There is nothing to do yet.
    Waiting {
        /// When to read again.
        until: Timestamp,
        /// What is waited for.
        reason: Reason,
    },
    /// It failed before anything was done, and may work later.
    Retryable {
        /// What failed.
        reason: Reason,
    },
    /// The vendor asked us to wait; the attempt does not count as a failure.
    Snoozed {
        /// How long it asked us to wait, if it said.
        after: Option<Duration>,
        /// What it said.
        reason: Reason,
    },
    /// The vendor may have received and applied the action.
    Unknown {
        /// What was lost.
        reason: Reason,
    },
    /// It would fail again in the same way: an operator must look.
    Permanent {
        /// What is wrong.
        reason: Reason,
    },
    /// The connection is at fault, not this subject.
    ConnectionFault {
        /// What is wrong.
        reason: Reason,
    },
}

impl Outcome {
    /// The spelling in attempt rows and metric labels.
    pub fn as_str(&self) -> &'static str {
        self.into()
    }

    /// The reason, where the outcome has one.
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Acted | Self::InSync => None,
            Self::Skipped { reason }
            | Self::Waiting { reason, .. }
            | Self::Retryable { reason }
            | Self::Snoozed { reason, .. }
            | Self::Unknown { reason }
            | Self::Permanent { reason }
            | Self::ConnectionFault { reason } => Some(*reason),
        }
    }
}
