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
    /// Look at all of it and try again.
    Replay,
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
        ("on_hold", _) => Remedy::Write,
        _ => Remedy::Replay,
    }
}
