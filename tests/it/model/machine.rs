//! What the statements of `store::{arrivals, claiming, deliveries, settling, links}` do, on rows in memory.

use std::collections::{BTreeMap, BTreeSet};

use silta::domain::{
    Timestamp,
    event::subject::{Subject, Urgency},
    id::{ClaimId, DeliveryId},
    task::{
        state::{DeliveryState, Leased},
        subject_state::Begun,
        transition::Settlement,
    },
};
use uuid::Uuid;

use super::Mutant;

pub const MOST_ATTEMPTS: u32 = 4;

/// A row of table `delivery`, as far as the machine moves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub id: Uuid,
    pub subject: usize,
    pub state: DeliveryState,
    pub attempts: u32,
    pub tries: u32,
    pub deeds: u32,
    pub news: u32,
    pub news_at_claim: u32,
    pub due_at: Timestamp,
    pub claim: Option<Uuid>,
    pub leased_until: Option<Timestamp>,
    pub created_at: Timestamp,
    /// Attempts in a row that never came back, and nothing was told meanwhile; no column, only looked at by `check`.
    pub died_in_turn: u32,
}

/// What is remembered of a subject, as far as the machine needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    pub begun: Option<Begun>,
    pub is_placed: bool,
}

#[derive(Debug)]
pub struct Machine {
    pub mutant: Mutant,
    pub rows: Vec<Row>,
    /// Fingerprints of stored events; twice where the machine is broken.
    pub events: Vec<u32>,
    pub links: BTreeMap<usize, Link>,
}

impl Machine {
    pub fn new(mutant: Mutant) -> Self {
        Self { mutant, rows: Vec::new(), events: Vec::new(), links: BTreeMap::new() }
    }

    pub fn knows(&self, fingerprint: u32) -> bool {
        self.events.contains(&fingerprint)
    }

    /// `arrivals::receive`: the event and its debt, in one commit. `checked` is what a mutant has asked before.
    pub fn receive(&mut self, subject: usize, fingerprint: u32, checked: Option<bool>, now: Timestamp) {
        if checked.unwrap_or_else(|| self.knows(fingerprint)) {
            return;
        }
        self.events.push(fingerprint);
        let open = self.rows.iter_mut().find(|row| row.subject == subject && !row.state.is_closed());
        match open {
            Some(row) if self.mutant != Mutant::SecondOpenDebt => {
                row.news += 1;
                row.died_in_turn = 0;
                if row.state == DeliveryState::Pending && row.attempts == 0 {
                    row.due_at = row.due_at.min(now);
                }
            }
            _ => self.rows.push(Row {
                id: Uuid::from_u128(self.rows.len() as u128 + 1),
                subject,
                state: DeliveryState::Pending,
                attempts: 0,
                tries: 0,
                deeds: 0,
                news: 1,
                news_at_claim: 0,
                due_at: now,
                claim: None,
                leased_until: None,
                created_at: now,
                died_in_turn: 0,
            }),
        }
    }

    /// Those that a claim may take: due the longest.
    pub fn claimable(&self, now: Timestamp) -> Vec<Uuid> {
        let is_due = |row: &&Row| {
            matches!(row.state, DeliveryState::Pending | DeliveryState::InDoubt) && row.due_at <= now
        };
        let first = self.rows.iter().filter(is_due).map(|row| row.due_at).min();
        let due = self.rows.iter().filter(is_due).filter(|row| Some(row.due_at) == first);
        due.map(|row| row.id).collect()
    }

    /// `claiming::claim_due`, one of one connection and one urgency.
    pub fn claim(
        &mut self,
        id: Uuid,
        fence: Uuid,
        now: Timestamp,
        leased_until: Timestamp,
    ) -> Option<Leased> {
        let row = self.rows.iter_mut().find(|row| row.id == id)?;
        row.state = DeliveryState::Leased;
        let fence = *row.claim.get_or_insert(fence); // only a mutant leaves one
        row.leased_until = Some(leased_until);
        row.attempts += 1;
        row.tries += 1;
        row.news_at_claim = row.news;
        Some(Leased {
            id: DeliveryId(row.id),
            claim: ClaimId(fence),
            connection: "shop".into(),
            subject: Subject::order(row.subject.to_string()),
            urgency: Urgency(0),
            attempts: row.attempts,
            number: row.tries,
            deeds: row.deeds,
            created_at: row.created_at,
            claimed_at: now,
            connected_at: now,
            connection_faults: 0,
        })
    }

    fn held(&mut self, held: &Leased, is_fenced: bool) -> Option<&mut Row> {
        let row = self.rows.iter_mut().find(|row| row.id == held.id.0)?;
        let is_ours = row.state == DeliveryState::Leased && row.claim == Some(held.claim.0);
        (is_ours || !is_fenced).then_some(row)
    }

    pub fn still_ours(&mut self, held: &Leased) -> bool {
        self.held(held, true).is_some()
    }

    /// `deliveries::settle`; false where the lease was lost.
    pub fn settle(&mut self, held: &Leased, next: &Settlement, now: Timestamp) -> bool {
        let mutant = self.mutant;
        let Some(row) = self.held(held, mutant != Mutant::SettleWithoutFence) else { return false };
        let has_news = row.news > row.news_at_claim && mutant != Mutant::SettleWithoutNews;
        let goes_on = has_news && next.state.is_closed();
        row.state = if goes_on { DeliveryState::Pending } else { next.state };
        row.due_at = if has_news && (next.state.is_closed() || next.waits) { now } else { next.due_at };
        row.attempts = if goes_on { 0 } else { next.attempts };
        row.deeds = next.deeds;
        row.died_in_turn = 0;
        row.claim = None;
        row.leased_until = None;
        true
    }

    /// `deliveries::release`.
    pub fn release(&mut self, held: &Leased, was_settled_before: bool) {
        if let Some(row) = self.held(held, true) {
            row.state = if was_settled_before { DeliveryState::InDoubt } else { DeliveryState::Pending };
            row.attempts -= 1;
            row.tries -= 1;
            row.claim = None;
            row.leased_until = None;
        }
    }

    /// `deliveries::rescue_expired`.
    pub fn rescue(&mut self, now: Timestamp) {
        let mutant = self.mutant;
        let is_expired = |row: &&mut Row| {
            row.state == DeliveryState::Leased && row.leased_until.is_some_and(|until| until < now)
        };
        for row in self.rows.iter_mut().filter(is_expired) {
            let has_news = row.news > row.news_at_claim && mutant != Mutant::DeadForgetsNews;
            let spent = row.attempts >= MOST_ATTEMPTS && !has_news;
            row.state = if spent { DeliveryState::Dead } else { DeliveryState::InDoubt };
            row.due_at = now;
            row.leased_until = None;
            row.died_in_turn += 1;
            if let Some(begun) = self.links.get_mut(&row.subject).and_then(|link| link.begun.as_mut()) {
                begun.at = now;
            }
            if mutant == Mutant::CrashDoesNotCount {
                row.attempts -= 1;
            }
            if mutant != Mutant::RescueWithoutFence {
                row.claim = None;
            }
        }
    }

    /// `deliveries::cancel`; true where it was waiting.
    pub fn cancel(&mut self, subject: usize) -> bool {
        let waits = |row: &&mut Row| {
            row.subject == subject && matches!(row.state, DeliveryState::Pending | DeliveryState::InDoubt)
        };
        let Some(row) = self.rows.iter_mut().find(waits) else { return false };
        row.state = DeliveryState::Cancelled;
        true
    }

    /// `learning::begin`; false where the lease was lost.
    pub fn begin(&mut self, held: &Leased, begun: Begun) -> bool {
        let is_fenced = self.mutant != Mutant::BeginWithoutFence;
        let Some(subject) = self.held(held, is_fenced).map(|row| row.subject) else { return false };
        if self.mutant != Mutant::NothingBegun {
            self.links.entry(subject).or_default().begun = Some(begun);
        }
        true
    }

    /// Subjects with more than one open debt.
    pub fn crowded(&self) -> Option<usize> {
        let mut seen = BTreeSet::new();
        let open = self.rows.iter().filter(|row| !row.state.is_closed());
        open.map(|row| row.subject).find(|subject| !seen.insert(*subject))
    }
}
