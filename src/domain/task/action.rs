//! The action ledger: every action that was begun for a subject, in the order in which it was begun.
//!
//! An action whose effect must happen once is written as `begun` under the claim's fence **before** its call. The
//! settle that ends the attempt writes how it ended. If that write never comes (a crash, a lost lease, a lost
//! database), the action stays begun, and begun means *unknown*: the vendor may have applied it.
//!
//! **No clock decides what happened.** The order is the number of an entry, which only the holder of the claim
//! can take, and the times in it are for people. A repeat waits for two reads that did not find the effect, each made
//! by a process that has known the entry unchanged for a settling time, measured without a wall clock
//! ([`LedgerEntry::doubt`]). A process that has just started waits anew.
//!
//! Entries are facts. A later fact is a later entry or a later state of the same one; none is overwritten by what a
//! read shows, and none is removed while its subject is known. What a person says, as
//! [`ActionState::ResolvedApplied`], counts as a fact like any other.

use std::time::Duration;

use serde_json::Value;

use crate::domain::Timestamp;

/// How often an action that must happen once may be begun for one subject, as long as it is not certain that none of
/// them was applied. Then an operator must look. A constraint of the table holds the same number.
pub const MAX_REPEATS: usize = 5;

/// Reads that must not have found the effect before an action is repeated.
const READS_BEFORE_REPEAT: u16 = 2;

/// What an action does at a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum ActionKind {
    /// Places an order at the warehouse. Once.
    Place,
    /// Places at the warehouse what the shop added to an order after it was sent: a replacement. Once.
    PlaceReplacement,
    /// Takes an order that is at the warehouse already for ours: no call.
    Adopt,
    /// Sends an edit of an order to the warehouse.
    Update,
    /// Cancels an order at the warehouse.
    Cancel,
    /// Completes a whole order in the shop, which mails the shopper. Once.
    Complete,
    /// Activates a payment of an order in the shop: the money is taken. Once.
    ActivatePayment,
    /// Completes one shipment of an order in the shop. Once.
    CompleteShipment,
    /// Creates a product at the warehouse. Once.
    Create,
}

impl ActionKind {
    /// Every value.
    pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The spelling in rows and in the API.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// True where the cap holds for all of a subject's targets together: whatever a shop calls its shipments, an order
    /// brings a bounded number of parcels.
    pub(super) const fn is_capped_per_subject(self) -> bool {
        matches!(self, Self::PlaceReplacement)
    }

    /// True for what puts an order at the warehouse, or finds it there.
    pub const fn is_placing(self) -> bool {
        matches!(self, Self::Place | Self::Adopt)
    }
}

/// How far an action is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum ActionState {
    /// Its call may be running, or its end was never written: the vendor may have applied it.
    Begun,
    /// Its call ended without a certain answer: the vendor may have applied it.
    Unknown,
    /// The vendor applied it.
    Applied,
    /// The vendor refused it.
    Refused,
    /// It never reached the vendor, or the vendor asked to come later.
    NotSent,
    /// A person found out that it was applied.
    ResolvedApplied,
    /// A person found out that it was not applied.
    ResolvedNotApplied,
}

impl ActionState {
    /// Every value.
    pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The spelling in rows and in the API.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// True while nobody knows whether the vendor applied it.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Begun | Self::Unknown => true,
            Self::Applied
            | Self::Refused
            | Self::NotSent
            | Self::ResolvedApplied
            | Self::ResolvedNotApplied => false,
        }
    }

    /// True where its effect is certain.
    pub const fn is_applied(self) -> bool {
        matches!(self, Self::Applied | Self::ResolvedApplied)
    }

    /// True unless it is certain that the vendor did not apply it.
    pub const fn may_be_applied(self) -> bool {
        self.is_open() || self.is_applied()
    }
}

/// An action before its call.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAction {
    /// What it does.
    pub kind: ActionKind,
    /// What of the subject it concerns where there are several: a shipment's id, an item. Else empty.
    pub target: String,
    /// Sent with the call; the same on every resend of the same thing.
    pub key: String,
    /// Our reference at the warehouse, as sent.
    pub reference: Option<String>,
    /// What is sent, redacted: for people.
    pub sent: Option<Value>,
    /// What the vendor's data were, redacted: a later read is compared with them.
    pub inputs: Option<Value>,
    /// A digest of the rules by which `sent` was made from `inputs`.
    pub policy_digest: Option<String>,
}

/// An entry of the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerEntry {
    /// Its place in the order of the subject's actions, from 1.
    pub number: i32,
    /// What it does.
    pub kind: ActionKind,
    /// See [`NewAction::target`].
    pub target: String,
    /// How far it is.
    pub state: ActionState,
    /// Our reference at the warehouse, as sent.
    pub reference: Option<String>,
    /// What was sent, redacted.
    pub sent: Option<Value>,
    /// What the vendor's data were when it was sent, redacted.
    pub inputs: Option<Value>,
    /// When it was begun. Shown, never compared with another entry's.
    pub begun_at: Timestamp,
    /// When its end was known.
    pub ended_at: Option<Timestamp>,
    /// Reads since then that did not find its effect.
    pub reads: u16,
    /// How long this process has known the entry as it is; `None` where it has just read it. Not a column.
    pub watched: Option<Duration>,
}

/// What to do about an action whose effect is unknown and was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Read again then.
    Wait {
        /// When.
        until: Timestamp,
        /// True where this read counts as one of the two.
        counts: bool,
    },
    /// It may be repeated: enough reads have not found it.
    MayRepeat,
}

impl LedgerEntry {
    /// What a read at `now` that did not find the effect means.
    pub fn doubt(&self, now: Timestamp, settling: Duration) -> Doubt {
        let remaining = settling.saturating_sub(self.watched.unwrap_or_default());
        if !remaining.is_zero() {
            Doubt::Wait { until: now + remaining, counts: false }
        } else if self.reads + 1 < READS_BEFORE_REPEAT {
            Doubt::Wait { until: now + settling, counts: true }
        } else {
            Doubt::MayRepeat
        }
    }
}

impl LedgerEntry {
    /// Since when its effect is unknown, where it is.
    pub(super) fn in_doubt_since(&self) -> Timestamp {
        self.ended_at.unwrap_or(self.begun_at)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const SETTLING: Duration = Duration::from_secs(10);

    pub(in crate::domain::task) fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).expect("a small number of seconds")
    }

    pub(in crate::domain::task) fn entry(number: i32, state: ActionState) -> LedgerEntry {
        LedgerEntry {
            number,
            kind: ActionKind::Place,
            target: String::new(),
            state,
            reference: None,
            sent: None,
            inputs: None,
            begun_at: at(100),
            ended_at: None,
            reads: 0,
            watched: None,
        }
    }

    #[test]
    fn repeat_waits_for_two_reads_a_settling_time_apart() {
        let doubt = |reads, watched: Option<u64>| {
            let watched = watched.map(Duration::from_secs);
            LedgerEntry { reads, watched, ..entry(1, ActionState::Unknown) }.doubt(at(500), SETTLING)
        };
        let wait = |until, counts| Doubt::Wait { until: at(until), counts };
        assert_eq!(doubt(0, None), wait(510, false), "another process may have begun it just now");
        assert_eq!(doubt(0, Some(9)), wait(501, false));
        assert_eq!(doubt(0, Some(10)), wait(510, true), "the first read");
        assert_eq!(doubt(1, None), wait(510, false), "another process made it");
        assert_eq!(doubt(1, Some(10)), Doubt::MayRepeat, "the second");
        assert_eq!(doubt(0, Some(9_000)), wait(510, true), "one read is never two, however late");
    }
}
