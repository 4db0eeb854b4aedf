//! Which connections a claim has to look at.
//!
//! A claim reads the index of due tasks once for each connection and priority: with ten thousand stores that takes a seventh of
//! a second, for the one store whose webhook woke it. So between two looks at all connections, a claim looks only at those
//! where something may be due: what the last look found, what a notification names, and what an attempt has just ended in.
//! These are hints. One that is lost, or a change that sends none (a pause that ends, a rescue by another replica), is made
//! good by the next look at all.

use std::collections::{BTreeSet, HashMap};

use parking_lot::Mutex;

use crate::{domain::Timestamp, store::Heard};

/// The connections to look at, and since when something may be due in each.
#[derive(Default)]
pub(super) struct Agenda(Mutex<State>);

#[derive(Default)]
struct State {
    /// What the last look at each connection found; nothing for one without open tasks.
    found: HashMap<String, Timestamp>,
    /// What was hinted since.
    hinted: HashMap<String, Timestamp>,
    /// Set where hints may have been lost.
    is_unsure: bool,
}

impl Agenda {
    /// Something may be due in a connection since this time.
    pub(super) fn hint(&self, connection: &str, due_at: Timestamp) {
        let hinted = &mut self.0.lock().hinted;
        match hinted.get_mut(connection) {
            Some(known) => *known = due_at.min(*known),
            None => drop(hinted.insert(connection.to_owned(), due_at)),
        }
    }

    /// Notes in which of our connections tasks were committed, at this time or later.
    pub(super) fn note(&self, heard: &Heard, is_ours: impl Fn(&str) -> bool, since: Timestamp) {
        // A process of the version before names no connection.
        if heard.has_gap || heard.payloads.contains("") {
            self.distrust();
        }
        heard.payloads.iter().filter(|name| is_ours(name)).for_each(|name| self.hint(name, since));
    }

    /// Hints may have been lost: all connections are looked at next.
    pub(super) fn distrust(&self) {
        self.0.lock().is_unsure = true;
    }

    /// Whether all connections have to be looked at, since hints may have been lost; asked once.
    pub(super) fn take_distrust(&self) -> bool {
        std::mem::take(&mut self.0.lock().is_unsure)
    }

    /// The connections in which something may be due by now.
    pub(super) fn take_due(&self, now: Timestamp) -> Vec<String> {
        let State { found, hinted, .. } = &mut *self.0.lock();
        let waiting = found.iter().filter(|(_, at)| **at <= now).map(|(name, _)| name.clone());
        let due: BTreeSet<_> = hinted.drain().map(|(name, _)| name).chain(waiting).collect();
        due.into_iter().collect()
    }

    /// Records what a look at these connections found: when the first open task of each is due.
    pub(super) fn record(&self, asked: &[String], due: impl IntoIterator<Item = (String, Timestamp)>) {
        let found = &mut self.0.lock().found;
        for name in asked {
            found.remove(name);
        }
        found.extend(due);
    }

    /// Before this, nothing is due in any connection, as far as is known.
    pub(super) fn first_due(&self) -> Option<Timestamp> {
        let State { found, hinted, .. } = &*self.0.lock();
        found.values().chain(hinted.values()).min().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_timestamp_millis(millis).expect("a small number")
    }

    #[test]
    fn only_connections_in_which_something_may_be_due_are_looked_at() {
        let agenda = Agenda::default();
        let all = ["a", "b", "c"].map(ToOwned::to_owned);
        agenda.record(&all, [("a".to_owned(), at(10)), ("b".to_owned(), at(50))]);
        assert_eq!(agenda.first_due(), Some(at(10)));
        assert_eq!(agenda.take_due(at(20)), ["a"]);
        agenda.hint("c", at(15));
        agenda.hint("a", at(18));
        assert_eq!(agenda.take_due(at(20)), ["a", "c"], "each once");
        agenda.hint("a", at(19));
        agenda.record(&["a".to_owned(), "c".to_owned()], []);
        assert_eq!(agenda.first_due(), Some(at(19)), "a hint during the look is kept");
        assert_eq!(agenda.take_due(at(20)), ["a"]);
        agenda.record(&all, []);
        assert_eq!((agenda.first_due(), agenda.take_due(at(90))), (None, vec![]));
    }

    #[test]
    fn lost_hints_are_made_good_once() {
        let agenda = Agenda::default();
        assert!(!agenda.take_distrust());
        agenda.distrust();
        assert!(agenda.take_distrust() && !agenda.take_distrust());
    }

    #[test]
    fn notifications_name_connections_or_distrust_what_is_known() {
        let (agenda, ours) = (Agenda::default(), |name: &str| name == "a");
        let heard = |payloads: &[&str], has_gap| Heard {
            payloads: payloads.iter().map(|it| (*it).to_owned()).collect(),
            has_gap,
        };
        agenda.note(&heard(&["a", "foreign"], false), ours, at(5));
        assert_eq!((agenda.first_due(), agenda.take_due(at(10))), (Some(at(5)), vec!["a".to_owned()]));
        assert!(!agenda.take_distrust());
        agenda.note(&heard(&[], true), ours, at(5));
        assert!(agenda.take_distrust(), "some were missed");
        agenda.note(&heard(&[""], false), ours, at(5));
        assert!(agenda.take_distrust(), "a notification of another version");
    }
}
