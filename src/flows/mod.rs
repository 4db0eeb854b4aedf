//! The trades: bring one subject into step.
//!
//! A flow reads both systems as they are now, asks the domain what is missing, and does that one thing. It writes no
//! row, repeats no call and knows no status code. What it learnt goes back in its [`Report`], and the worker writes it
//! in the transaction that settles the attempt, so that knowledge and state never part.
//!
//! There is no recovery path. After a lost answer, a crash, a replay or a doubled webhook the next attempt reads first,
//! as every attempt does. The one thing committed before a call is the intent to make it ([`Ledger::begin`]), for the
//! calls that must not be repeated blindly.

mod action;
mod order;
mod product;
mod report;
mod stock;

use std::{sync::Arc, time::Duration};

use action::Deed;
use async_trait::async_trait;
pub use report::Report;

use crate::{
    domain::{
        Timestamp,
        event::subject::{Subject, SubjectKind},
        order::{Intent, OrderPolicy},
        product::{Entered, Entry, ProductPolicy},
        shipping::ShippingRule,
        stock::StockPolicy,
        task::{outcome::Reason, subject_state::Link},
    },
    runtime::{clock::Clock, failpoints::KillPoints},
    vendors::{
        http::call_log::{CallRecord, Evidence},
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
