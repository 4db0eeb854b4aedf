//! What is decided for an order, and from what.

use super::{Draft, Intent, OrderPolicy, ShopOrder, WarehouseOrder};
use crate::domain::{
    Timestamp,
    task::{ledger::Ledger, reason::Reason, subject_state::SubjectState},
};

/// An order as the shop, the warehouse and our own tables have it now.
pub struct OrderView<'a> {
    /// `None` where the shop does not know it.
    pub shop: Option<&'a ShopOrder>,
    /// `None` where the warehouse has no order with exactly our reference.
    pub warehouse: Option<&'a WarehouseOrder>,
    /// Our reference at the warehouse: the one of the ledger, else the one that it would be sent with.
    pub reference: String,
    /// What was done for it.
    pub ledger: &'a Ledger,
    /// The last observed state.
    pub known: &'a SubjectState,
    /// The operator's latest intent.
    pub intent: Option<Intent>,
    /// When that intent, or a confirmed replacement, may leave at the earliest: until then it can be taken back.
    pub leaves_at: Option<Timestamp>,
    /// The added shipments that operators have confirmed.
    pub confirmed: &'a [String],
    /// The connection's rules.
    pub policy: &'a OrderPolicy,
    /// When the connection was first configured: older orders are history.
    pub connected_at: Timestamp,
    /// When both sides were read.
    pub now: Timestamp,
}

impl OrderView<'_> {
    /// Older orders are history.
    pub(super) fn start(&self) -> Timestamp {
        self.policy.not_before.unwrap_or(self.connected_at)
    }
}

/// What to do next for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Both sides are in sync.
    Nothing,
    /// There is nothing to do, for this reason.
    Skip(Reason),
    /// Wait.
    Wait {
        /// When to read again.
        until: Timestamp,
        /// What is waited for.
        reason: Reason,
    },
    /// Wait before an action of unknown outcome, whose effect was not found, is repeated.
    WaitInDoubt {
        /// When to read again.
        until: Timestamp,
        /// The action, where this read counts as one of two.
        read_in_vain: Option<i32>,
    },
    /// Send the order to the warehouse.
    Place(Box<Draft>),
    /// Send what the shop added to an order that was sent.
    PlaceReplacement {
        /// The shop's shipment.
        shipment: String,
        /// Its goods, under a reference of their own.
        draft: Box<Draft>,
    },
    /// The replacement is at the warehouse already: record it.
    AdoptReplacement {
        /// The action that sent it, whose answer was lost; `None` where no action of ours is known.
        number: Option<i32>,
        /// The shop's shipment.
        shipment: String,
        /// Its reference there.
        reference: String,
    },
    /// The order is at the warehouse already: record it.
    Adopt {
        /// The action that sent it, whose answer was lost; `None` where no action of ours is known.
        number: Option<i32>,
    },
    /// The order was edited in the shop after it was sent: send the edit.
    Update {
        /// The order as it is now.
        draft: Box<Draft>,
        /// What differs from what was sent; never personal data.
        difference: String,
    },
    /// Cancel the order at the warehouse.
    Cancel,
    /// Complete the whole order in the shop, with its tracking code.
    QuickProcess {
        /// What the shopper will see.
        tracking_code: Option<String>,
        /// True where the only payment is cash on delivery and still open: the shop needs explicit permission
        /// then.
        cash_on_delivery: bool,
    },
    /// Activate a payment in the shop, before the order is completed: its money is received and may still be taken back.
    ActivatePayment {
        /// Its id in the shop.
        id: String,
    },
    /// Complete one of several shipments in the shop.
    CompleteShipment {
        /// Its id in the shop.
        id: String,
        /// Written to the shipment first, where the configuration says that the shop accepts it.
        tracking_code: Option<String>,
    },
    /// An operator must decide.
    AskOperator {
        /// The closed code.
        reason: Reason,
        /// Details in plain words; never personal data.
        detail: String,
    },
}

impl Decision {
    /// Asks an operator to decide.
    pub(super) fn ask_operator(reason: Reason, detail: &str) -> Self {
        Self::AskOperator { reason, detail: detail.to_owned() }
    }
}
