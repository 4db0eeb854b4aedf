//! The ledger of a subject as decisions read it, and what an attempt writes into it. [`super::action`] says what an entry is.

use super::action::{ActionKind, ActionState, LedgerEntry, NewAction};
use crate::domain::Timestamp;

/// The actions of a subject, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger(pub Vec<LedgerEntry>);

impl Ledger {
    /// The last action of a kind and target that was not refused and did reach the vendor, or may have.
    pub fn last(&self, kind: ActionKind, target: &str) -> Option<&LedgerEntry> {
        let mut entries = self.0.iter().filter(|it| it.kind == kind && it.target == target);
        entries.rfind(|entry| entry.state.may_be_applied())
    }

    /// True where the vendor understood the last action of a kind and target, and refused it.
    pub fn was_refused(&self, kind: ActionKind, target: &str) -> bool {
        let last = self.0.iter().rfind(|it| it.kind == kind && it.target == target);
        last.is_some_and(|entry| entry.state == ActionState::Refused)
    }

    /// The last action of a kind and target, where its effect is unknown.
    pub fn open(&self, kind: ActionKind, target: &str) -> Option<&LedgerEntry> {
        self.last(kind, target).filter(|entry| entry.state.is_open())
    }

    /// How often an action of this kind and target may have been applied; a replacement, of any target.
    pub fn repeats(&self, kind: ActionKind, target: &str) -> usize {
        let is_counted = |it: &&LedgerEntry| kind.is_capped_per_subject() || it.target == target;
        let entries = self.0.iter().filter(|it| it.kind == kind).filter(is_counted);
        entries.filter(|entry| entry.state.may_be_applied()).count()
    }

    /// The entry that put the replacement for a shipment at the warehouse: one that was applied, else the last that may
    /// have been.
    pub fn replacement(&self, shipment: &str) -> Option<&LedgerEntry> {
        let is_placing = |it: &&LedgerEntry| it.kind == ActionKind::PlaceReplacement && it.target == shipment;
        certain_or_last_open(self.0.iter().filter(is_placing))
    }

    /// The entry that put the order at the warehouse: one that was applied, else the last that may have been.
    pub fn placing(&self) -> Option<&LedgerEntry> {
        certain_or_last_open(self.0.iter().filter(|it| it.kind.is_placing()))
    }

    /// The actions whose effect is unknown and that no other of their kind and target has taken the place of.
    pub fn all_open(&self) -> impl Iterator<Item = &LedgerEntry> {
        self.0.iter().filter(|entry| entry.state.is_open()).filter(|entry| {
            let current = match entry.kind {
                ActionKind::Place | ActionKind::Adopt => self.placing(),
                ActionKind::PlaceReplacement => self.replacement(&entry.target),
                _ => self.last(entry.kind, &entry.target),
            };
            current.is_some_and(|current| current.number == entry.number)
        })
    }

    /// Since when the effect of an action is unknown; `None` where every effect is known.
    pub fn in_doubt_since(&self) -> Option<Timestamp> {
        self.all_open().map(LedgerEntry::in_doubt_since).min()
    }

    /// The same after what an attempt found. `begun` is when that attempt may have begun an action: unless every
    /// action that it began has a known end, its effect is unknown.
    pub fn in_doubt_after(&self, changes: &[LedgerChange], begun: Option<Timestamp>) -> Option<Timestamp> {
        let ends: Vec<_> = changes.iter().filter_map(LedgerChange::end).collect();
        let last_known = self.0.last().map_or(0, |entry| entry.number);
        let mut own = ends.iter().filter(|(number, _)| *number > last_known).peekable();
        let is_own_known = own.peek().is_some() && own.all(|(_, state)| !state.is_open());
        let is_ended = |entry: &&LedgerEntry| {
            ends.iter().any(|(number, state)| *number == entry.number && !state.is_open())
        };
        let before = self.all_open().filter(|entry| !is_ended(entry)).map(LedgerEntry::in_doubt_since);
        begun.filter(|_| !is_own_known).or(before.min())
    }
}

/// Of placings, the last that was applied, else the last that may have been.
fn certain_or_last_open<'a>(
    mut placings: impl DoubleEndedIterator<Item = &'a LedgerEntry> + Clone,
) -> Option<&'a LedgerEntry> {
    let last_open = placings.clone().rfind(|entry| entry.state.is_open());
    placings.rfind(|entry| entry.state.is_applied()).or(last_open)
}

/// What an attempt writes into the ledger when it is settled.
#[derive(Clone, Debug, PartialEq)]
pub enum LedgerChange {
    /// How an action ended. An open one that is found applied ends this way too.
    Ended {
        /// The entry.
        number: i32,
        /// How.
        state: ActionState,
        /// Its id at the vendor, where the answer had one.
        remote_id: Option<String>,
    },
    /// A counted read has not found the effect of an open action.
    ReadInVain {
        /// The entry.
        number: i32,
    },
    /// An action that may be repeated freely, and so was not begun before its call.
    Performed {
        /// What was done.
        action: NewAction,
        /// How it ended.
        state: ActionState,
    },
}

impl LedgerChange {
    /// The entry that it ends, and how.
    const fn end(&self) -> Option<(i32, ActionState)> {
        match self {
            Self::Ended { number, state, .. } => Some((*number, *state)),
            Self::ReadInVain { .. } | Self::Performed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::task::action::tests::{at, entry};

    #[test]
    fn only_what_may_be_applied_counts() {
        use ActionState::{Applied, Begun, NotSent, Refused, ResolvedApplied, ResolvedNotApplied, Unknown};
        let states = [Begun, Refused, NotSent, Unknown, Applied, ResolvedApplied, ResolvedNotApplied];
        let ledger = Ledger((1..).zip(states).map(|(number, state)| entry(number, state)).collect());
        assert_eq!(ledger.repeats(ActionKind::Place, ""), 4);
        assert_eq!(ledger.last(ActionKind::Place, "").map(|it| it.number), Some(6));
        assert_eq!((ledger.open(ActionKind::Place, ""), ledger.in_doubt_since()), (None, None));
        assert_eq!(ledger.last(ActionKind::Create, ""), None);
        let placed = Ledger(vec![entry(1, Applied), entry(2, Unknown)]);
        assert_eq!(placed.placing().map(|it| it.number), Some(1), "what was found counts");
        assert_eq!(placed.in_doubt_since(), None);
        let created = |number, state| LedgerEntry { kind: ActionKind::Create, ..entry(number, state) };
        let doubtful = Ledger(vec![created(1, Applied), created(2, Unknown)]);
        assert_eq!(doubtful.in_doubt_since(), Some(at(100)), "created again after it was removed there");
    }
}
