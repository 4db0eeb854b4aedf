//! The trades: bring one subject into step.
//!
//! A flow reads both systems as they are now, asks the domain what is missing, and does that one thing. It writes no
//! row, repeats no call and knows no status code. What it learnt goes back in its [`Report`], and the worker writes it
//! in the transaction that settles the attempt, so that knowledge and state never part.
//!
//! There is no recovery path. After a lost answer, a crash, a replay or a doubled webhook the next attempt reads first,
//! as every attempt does. The one thing committed before a call is the intent to make it ([`Ledger::begin`]), for the
//! calls that must not be repeated blindly.

mod order;
mod product;
mod stock;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    clock::Clock,
    domain::{
        Timestamp,
        fingerprint::sha256_hex,
        link::{Learnt, Link},
        order::{Intent, OrderPolicy},
        outcome::{Outcome, Reason},
        product::{Entered, Entry, ProductPolicy},
        shipping::ShippingRule,
        stock::StockPolicy,
        subject::{Subject, SubjectKind},
    },
    killpoints::{KillPoint, KillPoints},
    systems::{
        call::{CallError, Effect},
        evidence::{CallRecord, Evidence},
        mycashflow::MyCashflow,
        ogoship::Ogoship,
    },
};

/// The two systems of a connection and its rules.
#[derive(Clone)]
pub struct Tied {
    /// Its name.
    pub name: String,
    /// The shop.
    pub shop: MyCashflow,
    /// The warehouse.
    pub warehouse: Ogoship,
    /// Rules for orders.
    pub orders: OrderPolicy,
    /// Rules for stock.
    pub stock: StockPolicy,
    /// Rules for products.
    pub products: ProductPolicy,
    /// Settling time before anything is sent again after an unknown outcome.
    pub look_again: Duration,
}

impl Tied {
    /// The same, with every call kept as evidence.
    pub fn witnessed(&self, evidence: &Evidence) -> Self {
        Self {
            shop: self.shop.witnessed(evidence),
            warehouse: self.warehouse.witnessed(evidence),
            ..self.clone()
        }
    }

    /// The same, letting live calls go first.
    pub fn giving_way(&self) -> Self {
        Self { shop: self.shop.giving_way(), warehouse: self.warehouse.giving_way(), ..self.clone() }
    }
}

/// Everything an attempt may know and use.
pub struct Context {
    /// The two systems and the rules.
    pub tied: Tied,
    /// What to bring into step.
    pub subject: Subject,
    /// What we remember of it.
    pub link: Link,
    /// What a person asked.
    pub intent: Option<Intent>,
    /// When the connection was first configured.
    pub connected_at: Timestamp,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where a deed is begun.
    pub ledger: Arc<dyn Ledger>,
    /// Where a proof may interfere.
    pub killpoints: KillPoints,
}

/// Our own books, as far as a flow looks into them, or writes into them before it acts. An error means: do not act.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Commits that this deed is about to be done under this key.
    async fn begin(&self, deed: &'static str, key: &str) -> Result<(), Reason>;

    /// Is there still time for a call? A process that was asleep since it asked for its lease must not make it.
    fn is_in_time(&self) -> bool;

    /// Is the attempt still ours? Asked right before a call that overwrites what somebody later may have written.
    async fn still_ours(&self) -> Result<(), Reason>;

    /// Enters a product's parts, as just read, into the register of codes; answers what the register says of them.
    async fn enter(
        &self,
        product: &Subject,
        entries: &[Entry],
        seen_at: Timestamp,
    ) -> Result<Entered, Reason>;

    /// Shipping rules made by hand, beside those of the configuration.
    async fn shipping_rules(&self) -> Result<Vec<ShippingRule>, Reason>;

    /// Pieces of this code in our orders at the warehouse that the shop still has open.
    async fn in_flight(&self, code: &str) -> Result<i64, Reason>;

    /// May this code's figure fall to zero, or have too many?
    async fn may_empty(&self, code: &str) -> Result<bool, Reason>;
}

/// What an attempt came to, and what it learnt.
#[derive(Debug)]
pub struct Report {
    /// What it came to.
    pub outcome: Outcome,
    /// The one thing decided on.
    pub deed: Option<&'static str>,
    /// The key sent with it.
    pub key: Option<String>,
    /// Plain words for a person; never personal data.
    pub detail: Option<String>,
    /// To be remembered.
    pub learnt: Vec<Learnt>,
    /// True where the deed begun in this attempt, or left open by an earlier one, is now known to have ended.
    pub doubt_ended: bool,
    /// Subjects that this one put in question.
    pub follow_ups: Vec<Subject>,
}

impl Report {
    /// An attempt that came to this, and did and learnt nothing.
    pub fn of(outcome: Outcome) -> Self {
        // Having read both sides and found rest, no question is left open.
        let doubt_ended = matches!(outcome, Outcome::Done | Outcome::InStep | Outcome::Skipped { .. });
        Self {
            outcome,
            deed: None,
            key: None,
            detail: None,
            learnt: Vec::new(),
            doubt_ended,
            follow_ups: Vec::new(),
        }
    }

    /// An attempt that ended without its flow's word.
    pub fn broken(reason: Reason, deed_begun: bool) -> Self {
        Self::of(if deed_begun { Outcome::Ambiguous { reason } } else { Outcome::Retryable { reason } })
    }

    /// A read that failed: nothing was decided.
    fn unread(error: &CallError) -> Self {
        Self { detail: Some(error.to_string()), ..Self::of(error.verdict(Effect::Read)) }
    }

    fn permanent(reason: Reason, detail: String) -> Self {
        Self { detail: Some(detail), ..Self::of(Outcome::Permanent { reason }) }
    }

    fn skipped(reason: Reason) -> Self {
        Self::of(Outcome::Skipped { reason })
    }

    fn learning(mut self, learnt: Learnt) -> Self {
        self.learnt.push(learnt);
        self
    }
}

/// A deed about to be done: its word, its key and what a failure of it would mean.
struct Deed {
    word: &'static str,
    key: String,
    effect: Effect,
}

impl Deed {
    /// The key is the same on every resend of the same deed, and new for a new one: it is derived from what is sent.
    fn new(context: &Context, word: &'static str, effect: Effect, sent: &str) -> Self {
        let Context { tied, subject, .. } = context;
        let mut key = sha256_hex(format!("{}\n{subject}\n{word}\n{sent}", tied.name).as_bytes());
        key.truncate(40);
        Self { word, key, effect }
    }

    /// Does the deed by `call`: a plain POST only after its intent is committed.
    async fn perform<T>(
        self,
        context: &Context,
        call: impl AsyncFnOnce(&str) -> Result<T, CallError>,
    ) -> Result<(T, Report), Report> {
        let Self { word, key, effect } = self;
        let named = |report: Report, key| Report { deed: Some(word), key: Some(key), ..report };
        let fenced = match effect {
            Effect::Once => context.ledger.begin(word, &key).await,
            Effect::Idempotent | Effect::Read => context.ledger.still_ours().await,
        };
        if let Err(reason) = fenced {
            return Err(named(Report::broken(reason, false), key));
        }
        let subject = context.subject.to_string();
        context.killpoints.reach(KillPoint::BeforeCall, &subject).await;
        if !context.ledger.is_in_time() {
            return Err(named(Report::broken(Reason::LeaseExpired, false), key));
        }
        let answered = call(&key).await;
        context.killpoints.reach(KillPoint::AfterCall, &subject).await;
        match answered {
            Ok(answer) => Ok((answer, named(Report::of(Outcome::Done), key))),
            Err(error) => {
                let outcome = error.verdict(effect);
                let doubt_ended = effect == Effect::Once && !matches!(outcome, Outcome::Ambiguous { .. });
                let detail = Some(error.to_string());
                Err(named(Report { detail, doubt_ended, ..Report::of(outcome) }, key))
            }
        }
    }
}

/// Brings one kind of subject into step.
#[async_trait]
pub trait Flow: Send + Sync {
    /// One attempt.
    async fn run(&self, context: &Context) -> Report;
}

/// The flow of each kind of subject.
pub fn flow_of(kind: SubjectKind) -> &'static dyn Flow {
    match kind {
        SubjectKind::Order => &order::OrderFlow,
        SubjectKind::Stock => &stock::StockFlow,
        SubjectKind::Product => &product::ProductFlow,
    }
}

/// What would be done for a subject now, with the hands tied: the same flow reads both systems and decides, and the
/// first call that would change anything is kept instead of being made. Nothing is written anywhere, provided that the
/// context's ledger is one that only reads.
pub async fn rehearse(mut context: Context) -> (Report, Vec<CallRecord>) {
    let evidence = Evidence::rehearsal();
    context.tied = context.tied.witnessed(&evidence);
    let report = flow_of(context.subject.kind).run(&context).await;
    (report, evidence.calls())
}
