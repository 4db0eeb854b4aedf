//! The trades: bring one subject into sync.
//!
//! A flow reads both vendors as they are now, asks the domain what is missing, and does that one thing. It writes no
//! row, repeats no call and knows no status code. What it learnt goes back in its [`AttemptResult`], and the worker writes it
//! in the transaction that settles the attempt, so that knowledge and state never part.
//!
//! There is no recovery path. After a lost answer, a crash, a replay or a doubled webhook the next attempt reads first,
//! as every attempt does. The one thing committed before a call is the intent to make it ([`Ledger::begin_action`]), for the
//! calls that must not be repeated blindly.

mod action;
mod order;
mod product;
mod report;
mod stock;

use std::{sync::Arc, time::Duration};

use action::Action;
use async_trait::async_trait;
pub use report::AttemptResult;

use crate::{
    domain::{
        Timestamp,
        event::subject::{Subject, SubjectKind},
        order::{Intent, OrderPolicy},
        product::{CatalogueItem, CodeRegister, ProductPolicy},
        shipping::ShippingRule,
        stock::StockPolicy,
        task::{outcome::Reason, subject_state::SubjectState},
    },
    runtime::{clock::Clock, failpoints::Failpoints},
    vendors::{
        http::call_log::{CallLog, CallRecord},
        mycashflow::MyCashflow,
        ogoship::Ogoship,
    },
};

/// The two vendors of a connection and its rules.
#[derive(Clone)]
pub struct ConnectionClients {
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
    pub recheck_delay: Duration,
}

impl ConnectionClients {
    /// The same, with every call kept as call_log.
    pub fn with_call_log(&self, call_log: &CallLog) -> Self {
        Self {
            shop: self.shop.with_call_log(call_log),
            warehouse: self.warehouse.with_call_log(call_log),
            ..self.clone()
        }
    }

    /// The same, letting live calls go first.
    pub fn in_background(&self) -> Self {
        Self { shop: self.shop.in_background(), warehouse: self.warehouse.in_background(), ..self.clone() }
    }
}

/// Everything an attempt may know and use.
pub struct Context {
    /// The two vendors and the rules.
    pub clients: ConnectionClients,
    /// What to bring into sync.
    pub subject: Subject,
    /// What we remember of it.
    pub known: SubjectState,
    /// What a person asked.
    pub intent: Option<Intent>,
    /// When the connection was first configured.
    pub connected_at: Timestamp,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where an action is begun.
    pub ledger: Arc<dyn Ledger>,
    /// Where a proof may interfere.
    pub failpoints: Failpoints,
}

/// Our own books, as far as a flow looks into them, or writes into them before it acts. An error means: do not act.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Commits that this action is about to be done under this key.
    async fn begin_action(&self, action: &'static str, key: &str) -> Result<(), Reason>;

    /// Is there still time for a call? A process that was asleep since it asked for its lease must not make it.
    fn has_time_left(&self) -> bool;

    /// Is the attempt still ours? Asked right before a call that overwrites what somebody later may have written.
    async fn verify_claim(&self) -> Result<(), Reason>;

    /// Enters a product's parts, as just read, into the register of codes; answers what the register says of them.
    async fn register_items(
        &self,
        product: &Subject,
        entries: &[CatalogueItem],
        seen_at: Timestamp,
    ) -> Result<CodeRegister, Reason>;

    /// Shipping rules made by hand, beside those of the configuration.
    async fn shipping_rules(&self) -> Result<Vec<ShippingRule>, Reason>;

    /// Pieces of this code in our orders at the warehouse that the shop still has open.
    async fn in_flight(&self, code: &str) -> Result<i64, Reason>;

    /// May this code's figure fall to zero, or have too many?
    async fn can_set_to_zero(&self, code: &str) -> Result<bool, Reason>;
}

/// Brings one kind of subject into sync.
#[async_trait]
pub trait Flow: Send + Sync {
    /// One attempt.
    async fn run(&self, context: &Context) -> AttemptResult;
}

/// The flow of each kind of subject.
pub fn flow_for(kind: SubjectKind) -> &'static dyn Flow {
    match kind {
        SubjectKind::Order => &order::OrderFlow,
        SubjectKind::Stock => &stock::StockFlow,
        SubjectKind::Product => &product::ProductFlow,
    }
}

/// What would be done for a subject now, with the hands clients: the same flow reads both vendors and decides, and the
/// first call that would change anything is kept instead of being made. Nothing is written anywhere, provided that the
/// context's ledger is one that only reads.
pub async fn dry_run(mut context: Context) -> (AttemptResult, Vec<CallRecord>) {
    let call_log = CallLog::dry_run();
    context.clients = context.clients.with_call_log(&call_log);
    let result = flow_for(context.subject.kind).run(&context).await;
    (result, call_log.calls())
}
