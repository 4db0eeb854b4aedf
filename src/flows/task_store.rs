//! Our own tables, as a flow uses them.

use async_trait::async_trait;

use crate::{
    domain::{
        event::subject::Subject,
        product::{CatalogueItem, CodeRegister, KnownSpellings},
        shipping::ShippingRule,
        task::{action::NewAction, reason::Reason},
    },
    vendors::http::error::Effect,
};

/// What a flow reads and writes in our own tables. On an error it must not act.
#[async_trait]
pub trait TaskStore: Send + Sync {
    /// Commits to the ledger that this action is about to be performed, and returns its number there.
    async fn begin_action(&self, action: &NewAction) -> Result<i32, Reason>;

    /// False once the lease is about to run out, for example after the process was suspended: no call may be
    /// made then. A call that must happen once is made directly after its begin or not at all. So another process, whose
    /// clock is ahead and which rescues the task too early, has not read twice before this call has ended.
    fn has_time_left(&self, effect: Effect) -> bool;

    /// Checks that the claim still holds, directly before a call that could overwrite a later write.
    async fn verify_claim(&self) -> Result<(), Reason>;

    /// Numbers the read of the shop that is about to begin.
    async fn begin_reading(&self) -> Result<i64, Reason>;

    /// Registers the product's items as read in the reading of this number, and returns what the register says of their codes.
    async fn register_items(
        &self,
        product: &Subject,
        entries: &[CatalogueItem],
        reading: i64,
    ) -> Result<CodeRegister, Reason>;

    /// Shipping rules that operators added to those of the configuration.
    async fn shipping_rules(&self) -> Result<Vec<ShippingRule>, Reason>;

    /// Whether a list of the shop shows a change of this subject that no read has covered yet.
    async fn is_listed(&self, subject: &Subject) -> Result<bool, Reason>;

    /// How both sides spell these codes.
    async fn spellings(&self, codes: &[&str]) -> Result<KnownSpellings, Reason>;

    /// Records codes that the warehouse has, as it spells them.
    async fn record_warehouse_codes(&self, codes: &[&str]) -> Result<(), Reason>;

    /// Pieces of this code in our orders at the warehouse that are still open in the shop.
    async fn in_flight(&self, code: &str) -> Result<i64, Reason>;

    /// False while the stock brake stops this code from falling to zero.
    async fn can_set_to_zero(&self, code: &str) -> Result<bool, Reason>;
}
