//! Why a task is in its state.

use strum::EnumMessage;

/// Why a task is in its state: a closed set, shown to people, used as a metric label, each a heading of
/// `docs/problems.md`. The comment of each, one line, is its English text.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    strum::EnumMessage,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    // From a call to a vendor.
    /// MyCashflow or OGOship could not be reached; nothing was sent.
    Unreachable,
    /// The answer was lost after the request was sent.
    AnswerLost,
    /// MyCashflow or OGOship failed, or is under maintenance.
    VendorFailed,
    /// MyCashflow or OGOship asked for fewer calls, or our own limit for it is used up.
    RateLimited,
    /// MyCashflow or OGOship accepted the call, and its answer cannot be read.
    AnswerUnreadable,
    /// MyCashflow or OGOship refused the request.
    Refused,
    /// MyCashflow or OGOship has the order or product in another state than the action needs.
    Conflict,
    /// MyCashflow or OGOship refuses our credentials, at sign-in or for every call.
    CredentialsRefused,
    /// MyCashflow or OGOship refused access for this one, while it accepted others.
    AccessDenied,
    /// MyCashflow or OGOship failed repeatedly, so nothing is sent until it answers again.
    VendorDown,
    // From the subject.
    /// The order's payments do not cover its total, and it is not cash on delivery.
    NotPaid,
    /// The payment was received but is not activated yet (Klarna, a payment link).
    PaymentNotActivated,
    /// The order is older than the connection, or than the day that was set, and old orders are never imported.
    BeforeStart,
    /// The hold period before the transfer is not over, so there is time for edits and cancellations.
    HoldPeriod,
    /// An operator sent the order by hand a moment ago, and can still take that back.
    UndoPeriod,
    /// An operator put the order on hold.
    HeldByOperator,
    /// A shipping rule leaves the order to the shop, where it is collected.
    LeftToShop,
    /// The order takes back more pieces of a code than it has.
    NegativeQuantity,
    /// The order has half a piece of a code, and the warehouse counts whole ones.
    FractionalQuantity,
    /// The order books a return, so it is no sale and nothing of it is sent.
    ReturnOrder,
    /// The order waits until you transfer it.
    ManualTransfer,
    /// Orders are switched off, so nothing is written for them in the shop or at the warehouse.
    TransferOff,
    /// The product waits until you upload it.
    ManualUpload,
    /// The upload of products is switched off, so none is created or changed at the warehouse.
    UploadOff,
    /// The stock figure waits until you write it to the shop.
    ManualStockUpdate,
    /// Stock updates are switched off, so no figure is written to the shop.
    StockUpdateOff,
    /// The shop cancelled the order before it went to the warehouse.
    CancelledInShop,
    /// The shop completed the order before it went to the warehouse.
    CompletedInShop,
    /// The shop does not know it.
    UnknownInShop,
    /// The shop says that it does not have what it lists, or what was read there before.
    GoneFromShop,
    /// The warehouse does not know it.
    UnknownAtWarehouse,
    /// The shop had completed the order, and somebody opened it again, so it is left to them.
    ReopenedInShop,
    /// No line of the order is stored at the warehouse.
    NoWarehouseLines,
    /// The product or code is excluded by configuration.
    Excluded,
    /// The outcome is unknown, and the settling time passes before anything is sent again.
    SettlingTime,
    /// The warehouse has cancelled the order; the shop's order is left as it is.
    CancelledAtWarehouse,
    /// The warehouse holds the order until somebody acts there.
    HeldAtWarehouse,
    /// The parcel came back to the warehouse.
    Returned,
    /// Only a part of the order was shipped so far.
    PartiallyShipped,
    /// The shop's catalogue has not been read completely yet, so it is unknown whose a product code is.
    CatalogueUnread,
    /// The warehouse's answer is older than the one last acted on.
    StaleReading,
    // Needs attention.
    /// MyCashflow or OGOship sent a value that decides something and cannot be read.
    FieldUnreadable,
    /// The address lacks a field that the warehouse requires, or a field has the wrong form.
    AddressIncomplete,
    /// No warehouse method is chosen for the order's shipping method.
    ShippingUnmapped,
    /// A line of the order has an empty product code, or one that is too long.
    CodeUnusable,
    /// The product or variation has no product code.
    CodeEmpty,
    /// The product code is longer than the warehouse may take.
    CodeTooLong,
    /// The product code is only a dot or two, and neither MyCashflow nor OGOship can be asked for it.
    CodeDots,
    /// Another product or variation has the same code, or one that differs only in case or spaces.
    CodeRepeated,
    /// The warehouse has the product's new code already, as another product of the shop.
    CodeTaken,
    /// The product's code was changed in the shop, and the warehouse has it under the old one.
    CodeChanged,
    /// Too many stock figures would fall to zero at once, which is what an empty or broken list looks like.
    StockBraked,
    /// Much of what was at the warehouse is missing from its list, which is what a truncated list looks like.
    ListPartial,
    /// The supplier of a line is unknown, so it is unknown whether the line is stored at the warehouse.
    SupplierUnknown,
    /// The order's reference would be longer than the warehouse may take.
    ReferenceTooLong,
    /// The warehouse has the old version of an order that was edited in the shop.
    OldVersionAtWarehouse,
    /// The order was cancelled when the warehouse was already collecting it.
    TooLateToCancel,
    /// The order was cancelled, and the warehouse still has it.
    CancelledAfterTransfer,
    /// The warehouse shipped an order that is cancelled in the shop.
    ShippedThoughCancelled,
    /// The warehouse no longer shows an order that was placed there.
    VanishedAtWarehouse,
    /// The shop added a shipment to an order that was sent, and a person must confirm that the warehouse sends it.
    ReplacementUnconfirmed,
    /// The warehouse no longer shows a replacement that was placed there.
    ReplacementVanished,
    /// The warehouse has an order with the shop's reference that Silta did not send.
    NotOursAtWarehouse,
    /// The warehouse has several orders with the same reference.
    DoubledAtWarehouse,
    /// The payment was refunded or cancelled after the order was sent to the warehouse.
    RefundedAfterTransfer,
    /// It was sent as often as is allowed and its effect was never found.
    RepeatedTooOften,
    /// The order has more than one open shipment or payment in a way that Silta cannot complete.
    CannotComplete,
    /// It is not known whether the request was carried out. Check before it is sent again.
    OutcomeUnknown,
    // From Silta itself.
    /// The attempt was cut short, since its process crashed or was away too long.
    LeaseExpired,
    /// Our own database was not available when the attempt needed it.
    DatabaseUnavailable,
    /// The attempt took too long.
    Overran,
    /// The attempt crashed, which is a fault in Silta.
    Panicked,
    /// MyCashflow and OGOship do not agree, after 200 actions without a new event.
    NotConverging,
    /// It was put off for longer than two weeks, or a thousand times.
    SnoozedTooLong,
    // From an operator.
    /// An operator cancelled the task, or the order before it was transferred.
    CancelledByOperator,
    /// An operator said what truly happened.
    ResolvedByOperator,
}

impl Reason {
    /// Every value.
    pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The reasons of orders that ask for work outside Silta, which may leave no trace on either side: a refund, missing goods, a
    /// word with the warehouse or the shopper. Silta does nothing more for them, so a person can mark them as handled.
    pub const HANDLED_OUTSIDE: [Self; 8] = [
        Self::PartiallyShipped,
        Self::ReturnOrder,
        Self::CancelledAtWarehouse,
        Self::OldVersionAtWarehouse,
        Self::TooLateToCancel,
        Self::CancelledAfterTransfer,
        Self::ShippedThoughCancelled,
        Self::RefundedAfterTransfer,
    ];

    /// The code in rows, labels and URLs.
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// The reason as an English sentence.
    pub fn description(self) -> &'static str {
        self.get_documentation().expect("every reason is documented")
    }

    /// Parses a code read from a row.
    pub fn parse(code: &str) -> Option<Self> {
        code.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_one_english_sentence() {
        for reason in Reason::ALL {
            let text = reason.description();
            assert!(!text.contains('\n') && text.ends_with('.'), "{}: {text}", reason.code());
            assert_eq!(Reason::parse(reason.code()), Some(*reason));
        }
    }
}
