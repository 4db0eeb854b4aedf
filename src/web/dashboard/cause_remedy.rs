//! Which remedy a cause has: the same on its card and on the page of an order that stopped for it.

use crate::domain::task::reason::Reason;

/// What is offered in place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Map the shipping method.
    Rule,
    /// Say what truly happened.
    Unknown,
    /// Say what an order of the warehouse is.
    Adopt,
    /// Confirm a shipment that the shop added.
    Replacement,
    /// Correct codes in the shop.
    Codes,
    /// One button for each order.
    Orders(&'static str),
    /// Send or write what is manual.
    Write,
    /// Correct the cause, in the shop or at the warehouse: trying again before that changes nothing.
    FixFirst,
    /// Look at all of it and try again.
    Replay,
}

impl Remedy {
    /// Whether the orders themselves must be known to offer it.
    pub(super) const fn needs_orders(self) -> bool {
        matches!(self, Self::Unknown | Self::Adopt | Self::Replacement)
    }

    /// Whether sending or trying all again is what helps.
    pub(super) const fn is_trying_again(self) -> bool {
        matches!(self, Self::Write | Self::Replay)
    }
}

/// The remedy of what is in this state for this reason; `kind` is order, product or stock.
pub(super) fn remedy_of(state: &str, reason: &str, kind: &str) -> Remedy {
    match (state, Reason::parse(reason)) {
        ("in_doubt", _) | (_, Some(Reason::OutcomeUnknown | Reason::RepeatedTooOften)) => Remedy::Unknown,
        ("dead", Some(Reason::ShippingUnmapped)) => Remedy::Rule,
        ("dead", Some(Reason::NotOursAtWarehouse)) => Remedy::Adopt,
        ("dead", Some(Reason::ReplacementUnconfirmed)) => Remedy::Replacement,
        ("dead", Some(Reason::CodeRepeated | Reason::CodeEmpty | Reason::CodeTooLong | Reason::CodeDots))
            if kind != "order" =>
        {
            Remedy::Codes
        }
        ("on_hold", Some(Reason::ManualTransfer | Reason::PaymentNotActivated)) => Remedy::Orders("transfer"),
        ("on_hold", Some(Reason::HeldByOperator)) => Remedy::Orders("release"),
        ("on_hold", Some(Reason::HeldAtWarehouse)) => Remedy::Orders("refresh"),
        ("on_hold" | "skipped", _) => Remedy::Write,
        ("dead", Some(reason)) if !passes(reason) => Remedy::FixFirst,
        _ => Remedy::Replay,
    }
}

/// Whether what stopped for this reason may work the next time, though nobody has corrected anything.
const fn passes(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Unreachable
            | Reason::AnswerLost
            | Reason::VendorFailed
            | Reason::RateLimited
            | Reason::AnswerUnreadable
            | Reason::CredentialsRefused
            | Reason::AccessDenied
            | Reason::VendorDown
            | Reason::GoneFromShop
            | Reason::LeaseExpired
            | Reason::DatabaseUnavailable
            | Reason::Overran
            | Reason::Panicked
            | Reason::NotConverging
            | Reason::SnoozedTooLong
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trying_again_is_offered_where_it_may_help() {
        let of = |reason: Reason, kind| remedy_of("dead", reason.code(), kind);
        assert!(of(Reason::VendorFailed, "order") == Remedy::Replay);
        for reason in [Reason::AddressIncomplete, Reason::Refused, Reason::CodeTaken] {
            assert!(of(reason, "order") == Remedy::FixFirst, "{reason:?}");
        }
        assert!(of(Reason::CodeRepeated, "product") == Remedy::Codes);
        assert!(of(Reason::ShippingUnmapped, "order") == Remedy::Rule);
        assert!(remedy_of("dead", "of_a_newer_version", "order") == Remedy::Replay);
    }
}
