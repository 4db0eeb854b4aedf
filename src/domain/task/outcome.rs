//! What an attempt came to, without a word of HTTP.

use std::time::Duration;

use crate::domain::Timestamp;

/// What an attempt came to. [`super::transition::settle`] says what follows from each.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// One thing was done; the subject is looked at again at once.
    Acted,
    /// Nothing is missing on either side.
    InSync,
    /// There is nothing to do for this subject, and the reason says why.
    Skipped {
        /// Why not.
        reason: Reason,
    },
    /// Nothing to do yet.
    Waiting {
        /// When to look again.
        until: Timestamp,
        /// What we wait for.
        reason: Reason,
    },
    /// It failed in a way that time may fix; nothing was done.
    Retryable {
        /// What failed.
        reason: Reason,
    },
    /// The far side asked for grace_period; not our attempt's fault.
    Snoozed {
        /// How long it asked us to wait, if it said.
        after: Option<Duration>,
        /// What it said.
        reason: Reason,
    },
    /// A vendor may have heard us and done it.
    Unknown {
        /// What was lost.
        reason: Reason,
    },
    /// Trying again would fail the same way: a person must look.
    Permanent {
        /// What is wrong.
        reason: Reason,
    },
    /// The whole connection is at fault, not this subject.
    ConnectionFault {
        /// What is wrong.
        reason: Reason,
    },
}

impl Outcome {
    /// The word in attempt rows and metric labels.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Acted => "acted",
            Self::InSync => "in_sync",
            Self::Skipped { .. } => "skipped",
            Self::Waiting { .. } => "waiting",
            Self::Retryable { .. } => "retryable",
            Self::Snoozed { .. } => "snoozed",
            Self::Unknown { .. } => "unknown",
            Self::Permanent { .. } => "permanent",
            Self::ConnectionFault { .. } => "connection_fault",
        }
    }

    /// Why, where there is a why.
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

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal),+ $(,)?) => {
        /// Why a task stands where it stands: a closed set, shown to people, used as a metric label, and each a
        /// heading in `docs/problems.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[doc = $doc])+ $name),+ }

        impl Reason {
            /// Every reason, for documents and tests.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code in rows, labels and URLs.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// The same in plain words, a sentence.
            pub fn description(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+)),+ }.trim()
            }

            /// The reason of a code read from a row.
            pub fn parse(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.code() == code)
            }
        }
    };
}

reasons! {
    // What was seen on the wire.
    /// We could not reach the vendor; nothing was sent.
    Unreachable = "unreachable",
    /// The answer was lost after we had sent.
    AnswerLost = "answer_lost",
    /// The vendor failed (500, 502, 503, 504).
    VendorFailed = "vendor_failed",
    /// The vendor asked for fewer calls (429), or our own budget for it is spent.
    RateLimited = "rate_limited",
    /// A 2xx whose body we cannot read.
    AnswerUnreadable = "answer_unreadable",
    /// The vendor refused the request (another 4xx).
    Refused = "refused",
    /// The vendor found the thing in another state than the action needs (409).
    Conflict = "conflict",
    /// The vendor refused our credentials (401, 403).
    CredentialsRefused = "credentials_refused",
    /// A vendor of the connection failed again and again: nothing is sent before it answers a probe.
    VendorDown = "vendor_down",
    // What the subject came to.
    /// The order is not paid, and not on cash on delivery.
    NotPaid = "not_paid",
    /// The payment was received but is not activated yet (Klarna, a payment known).
    PaymentNotActivated = "payment_not_activated",
    /// The order is older than `not_before`, or than the connection itself: history is never imported.
    BeforeStart = "before_start",
    /// The hold period before release is not over: time for edits and second thoughts.
    HoldPeriod = "hold_period",
    /// A person holds the order back.
    HeldByOperator = "held_by_operator",
    /// The order waits for a person to transfer it (`transfer = "manual"`).
    ManualTransfer = "manual_transfer",
    /// The shop cancelled the order before it went to the warehouse.
    CancelledInShop = "cancelled_in_shop",
    /// The shop completed the order before it went to the warehouse.
    CompletedInShop = "completed_in_shop",
    /// The shop does not know it.
    UnknownInShop = "unknown_in_shop",
    /// The warehouse does not know it.
    UnknownAtWarehouse = "unknown_at_warehouse",
    /// No line of the order is stored at the warehouse.
    NoWarehouseLines = "no_warehouse_lines",
    /// The product or code is excluded by configuration.
    Excluded = "excluded",
    /// After an unknown outcome: waiting out the settling time before anything is sent again.
    SettlingTime = "settling_time",
    /// The warehouse has cancelled the order; the shop's order is left as it is.
    CancelledAtWarehouse = "cancelled_at_warehouse",
    /// The warehouse holds the order (Reserved, Draft, Locked, or a word we do not know) and will not ship it before a person has acted there.
    HeldAtWarehouse = "held_at_warehouse",
    /// The parcel came back to the warehouse.
    Returned = "returned",
    /// A part of the order has left: the rest comes with another parcel, or is the shop's own to ship.
    PartiallyShipped = "partially_shipped",
    /// The shop's catalogue was not read as a whole yet, so nobody can tell whose a product code is.
    CatalogueUnread = "catalogue_unread",
    /// The warehouse's answer is older than one that we have acted on already.
    StaleReading = "stale_reading",
    // What a person must decide.
    /// The address lacks a field the warehouse demands, or breaks its form.
    AddressIncomplete = "address_incomplete",
    /// No rule of `[connections.shipping]` matches the order's shipping method.
    ShippingUnmapped = "shipping_unmapped",
    /// A line of the order has an empty or over-long product code.
    CodeUnusable = "code_unusable",
    /// The product or variation has no product code.
    CodeEmpty = "code_empty",
    /// The product code is longer than the warehouse may take.
    CodeTooLong = "code_too_long",
    /// Another product or variation has the same code, or one that differs only in case or blanks.
    CodeRepeated = "code_repeated",
    /// The warehouse has the product's new code already, as another product of the shop.
    CodeTaken = "code_taken",
    /// Too many stock figures would fall to zero at once: a feed that is empty or broken looks like that.
    StockBraked = "stock_braked",
    /// Much of what stood at the warehouse is missing from its list: a list that was cut off looks like that.
    ListPartial = "list_partial",
    /// The supplier of a line cannot be told, so not whether it is stored at the warehouse.
    SupplierUnknown = "supplier_unknown",
    /// The order's reference would be longer than the warehouse may take.
    ReferenceTooLong = "reference_too_long",
    /// The warehouse has the old version of an order that was edited in the shop.
    OldVersionAtWarehouse = "old_version_at_warehouse",
    /// The order was called off when the warehouse was collecting it already.
    TooLateToCancel = "too_late_to_cancel",
    /// The order was called off, and the warehouse still has it uncancelled.
    CancelledAfterTransfer = "cancelled_after_transfer",
    /// The warehouse shipped what the shop has cancelled.
    ShippedThoughCancelled = "shipped_though_cancelled",
    /// The warehouse no longer shows an order which we placed.
    VanishedAtWarehouse = "vanished_at_warehouse",
    /// The order has more than one open shipment or payment in a way we cannot complete.
    CannotComplete = "cannot_complete",
    /// Nobody could tell in time whether what we sent was done: look there before it is sent again.
    OutcomeUnknown = "outcome_unknown",
    // What we ran into ourselves.
    /// The lease ran out in mid-attempt: a crash, or a process that was gone too long.
    LeaseExpired = "lease_expired",
    /// Our own database was away when the attempt needed it.
    DatabaseUnavailable = "database_unavailable",
    /// The attempt overran its time.
    Overran = "overran",
    /// The attempt panicked.
    Panicked = "panicked",
    /// It did action after action and never came to rest.
    NotConverging = "not_converging",
    /// It was snoozed for longer than two weeks.
    SnoozedTooLong = "snoozed_too_long",
    // What a person did.
    /// A person cancelled the task, or the order before it was transferred.
    CancelledByOperator = "cancelled_by_operator",
    /// A person said what truly happened.
    ResolvedByOperator = "resolved_by_operator",
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_reason_has_a_code_of_its_own() {
        let codes: HashSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
    }
}
