//! What an operator can ask for an order in its present state, and why not: the same on its page and for several at once.

use super::{
    cause_remedy::{Remedy, remedy_of},
    order_situation::{is_never_sent, is_unknown, reason_of},
};
use crate::{
    domain::{
        order::{Intent, WarehouseStatus},
        switch::Switch,
        task::reason::Reason,
    },
    explain::OrderTexts,
    store::views::orders::OrderRow,
};

/// What may be asked for several orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Transfer,
    Hold,
    Release,
    Refresh,
    Cancel,
    Adopt,
}

impl Request {
    /// Those that may be asked for several orders at once.
    pub(super) const BULK: [Self; 4] = [Self::Transfer, Self::Hold, Self::Release, Self::Refresh];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Refresh => "refresh",
            Self::Cancel => "cancel",
            Self::Adopt => "adopt",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let all = [Self::Transfer, Self::Hold, Self::Release, Self::Refresh, Self::Cancel, Self::Adopt];
        all.into_iter().find(|request| request.as_str() == text)
    }

    /// The intent that it is stored as; `None` for a read.
    pub(super) const fn intent(self) -> Option<Intent> {
        match self {
            Self::Transfer => Some(Intent::Transfer),
            Self::Hold => Some(Intent::Hold),
            Self::Release => Some(Intent::Release),
            Self::Cancel => Some(Intent::Cancel),
            Self::Adopt => Some(Intent::Adopt),
            Self::Refresh => None,
        }
    }
}

/// Why a request would change nothing; `None` where it may.
pub(super) fn stays(
    request: Request,
    order: &OrderRow,
    transfer: Switch,
    texts: &'static OrderTexts,
) -> Option<&'static str> {
    let is_closed = matches!(order.status.as_str(), "delivered" | "returned" | "cancelled");
    let is = |reason: Reason| reason_of(order) == Some(reason);
    let is_held = is(Reason::HeldByOperator);
    match request {
        Request::Refresh => None,
        _ if is_unknown(order) => Some(texts.stays_unknown),
        _ if is_never_sent(order) => Some(texts.stays_never),
        Request::Cancel if is_closed || is(Reason::CancelledByOperator) => Some(texts.stays_closed),
        Request::Cancel => is_collected(order).then_some(texts.stays_collected),
        _ if order.placed_at.is_some() => Some(texts.stays_placed),
        _ if is_closed => Some(texts.stays_closed),
        Request::Hold => is_held.then_some(texts.stays_held),
        _ if transfer == Switch::Off => Some(texts.stays_off),
        Request::Transfer if is(Reason::NotOursAtWarehouse) => Some(texts.stays_placed),
        Request::Transfer if is_held => Some(texts.stays_on_hold),
        Request::Transfer => is_corrected_first(order).then_some(texts.stays_stopped),
        Request::Release => (!is_held && !is(Reason::HoldPeriod)).then_some(texts.stays_not_held),
        Request::Adopt => (!is(Reason::NotOursAtWarehouse)).then_some(texts.stays_placed),
    }
}

/// True where an order stopped for something that a person corrects first: sent as it is, it stops again.
fn is_corrected_first(order: &OrderRow) -> bool {
    let reason = order.reason.as_deref().filter(|_| order.task_state.as_deref() == Some("dead"));
    reason.is_some_and(|reason| matches!(remedy_of("dead", reason, "order"), Remedy::FixFirst | Remedy::Rule))
}

/// True once only the warehouse itself can stop the order.
fn is_collected(order: &OrderRow) -> bool {
    let status = order.warehouse_status.as_deref().filter(|_| order.placed_at.is_some());
    status.is_some_and(|status| !WarehouseStatus::parse(status).is_uncollected())
}

/// True where the reason of an order's newest task says that it is not paid.
pub(super) fn is_unpaid(reason: Option<&str>) -> bool {
    let unpaid = [Reason::NotPaid.code(), Reason::PaymentNotActivated.code()];
    reason.is_some_and(|reason| unpaid.contains(&reason))
}
