//! A situation of an order, and what is decided in it as a short text.

use std::time::Duration;

use rust_decimal::Decimal;

use crate::domain::order::*;
use crate::domain::{
    Timestamp,
    event::reference::ReferencePrefixes,
    product::{ProductPolicy, Supplier},
    redact::Redactor,
    switch::Switch,
    task::{
        action::{ActionKind, ActionState, LedgerEntry},
        ledger::Ledger,
        subject_state::SubjectState,
    },
};

pub(in crate::domain::order) fn line(code: &str, quantity: i64) -> ShopLine {
    ShopLine {
        code: Some(code.into()),
        name: Some(format!("Product {code}")),
        quantity: quantity.into(),
        is_download: false,
        supplier: Supplier::NotRead,
        unit_price: None,
        vat_rate: None,
        shipment_id: None,
        customization: None,
    }
}

pub(in crate::domain::order) fn payment(is_paid: bool, cash_on_delivery: bool) -> Payment {
    Payment {
        id: Some("p1".into()),
        state: if is_paid { PaymentState::Paid } else { PaymentState::Open },
        cash_on_delivery,
        amount: Some(Decimal::TEN),
        currency: Some("EUR".into()),
    }
}

pub(in crate::domain::order) fn shipment(id: &str, is_completed: bool) -> Shipment {
    Shipment { id: id.into(), is_completed, kind: None, shipping: None, pickup_point: None }
}

/// A paid, open order of one piece of `A`.
pub(in crate::domain::order) fn order() -> ShopOrder {
    ShopOrder {
        id: "1042".into(),
        created_at: Some(at(50)),
        version: Some("v1".into()),
        status: ShopStatus::Open,
        recipient: Recipient {
            name: "N".into(),
            street: "S".into(),
            city: "C".into(),
            country: "FI".into(),
            ..Recipient::default()
        },
        shipping: None,
        lines: vec![line("A", 1)],
        total: None,
        payments: vec![payment(true, false)],
        shipments: vec![shipment("s1", false)],
        comments: None,
        receipt_url: None,
        unreadable: UnreadableFields::default(),
    }
}

pub(in crate::domain::order) fn policy() -> OrderPolicy {
    OrderPolicy {
        transfer: Switch::Automatic,
        when: TransferTime::Paid,
        hold: Duration::ZERO,
        not_before: None,
        references: ReferencePrefixes::new("k-"),
        shipping: Vec::new(),
        cash_on_delivery: Vec::new(),
        products: ProductPolicy::default(),
        comments: false,
        customizations: false,
        receipt: false,
        unit_prices: UnitPrices::Unsent,
        longest_field: 100,
        edit: false,
        cancel: true,
        send_emails: true,
        shipment_tracking: false,
        return_types: vec!["*return*".into()],
        test: false,
        redactor: Redactor::default(),
        recheck_delay: Duration::from_secs(10),
        digest: CachedDigest::default(),
    }
}

pub(in crate::domain::order) fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(second, 0).expect("a small number of seconds")
}

pub(in crate::domain::order) fn at_warehouse(status: WarehouseStatus) -> WarehouseOrder {
    WarehouseOrder {
        id: Some("w".into()),
        reference: "k-1042".into(),
        status,
        lines: Vec::new(),
        tracking_code: Some("JJFI1".into()),
        tracking_url: None,
        comments: None,
        version: None,
        edited_at: None,
        twins: Vec::new(),
        parcel_state: None,
        origin: None,
        related: Vec::new(),
        unreadable: Vec::new(),
    }
}

pub(in crate::domain::order) fn entry(kind: ActionKind, state: ActionState, at_second: i64) -> LedgerEntry {
    LedgerEntry {
        number: 1,
        kind,
        target: String::new(),
        state,
        reference: Some("k-1042".into()),
        sent: None,
        inputs: None,
        begun_at: at(at_second),
        ended_at: (state != ActionState::Begun).then(|| at(at_second)),
        reads: 0,
        watched: None,
    }
}

pub(in crate::domain::order) fn placed() -> Ledger {
    Ledger(vec![entry(ActionKind::Place, ActionState::Applied, 0)])
}

/// Of unknown outcome: `reads` were in vain, and this process has known that for so many seconds.
pub(in crate::domain::order) fn in_doubt(kind: ActionKind, reads: u16, seconds: u64) -> Ledger {
    let watched = Some(Duration::from_secs(seconds));
    Ledger(vec![LedgerEntry { reads, watched, ..entry(kind, ActionState::Unknown, 0) }])
}

/// Placed, and then this.
pub(in crate::domain::order) fn placed_then(then: LedgerEntry) -> Ledger {
    Ledger(vec![entry(ActionKind::Place, ActionState::Applied, 0), LedgerEntry { number: 2, ..then }])
}

/// A situation; what it leaves out is the default.
pub(in crate::domain::order) struct Case {
    pub(in crate::domain::order) shop: Option<ShopOrder>,
    pub(in crate::domain::order) warehouse: Option<WarehouseOrder>,
    pub(in crate::domain::order) known: SubjectState,
    pub(in crate::domain::order) ledger: Ledger,
    pub(in crate::domain::order) intent: Option<Intent>,
    pub(in crate::domain::order) leaves_at: Option<i64>,
    pub(in crate::domain::order) confirmed: Vec<String>,
    pub(in crate::domain::order) policy: OrderPolicy,
    pub(in crate::domain::order) now: i64,
}

pub(in crate::domain::order) fn case() -> Case {
    Case {
        shop: Some(order()),
        warehouse: None,
        known: SubjectState::default(),
        ledger: Ledger::default(),
        intent: None,
        leaves_at: None,
        confirmed: Vec::new(),
        policy: policy(),
        now: 100,
    }
}

/// The decision as a short text.
pub(in crate::domain::order) fn describe(case: &Case) -> String {
    let view = OrderView {
        shop: case.shop.as_ref(),
        warehouse: case.warehouse.as_ref(),
        reference: case.policy.reference_of("1042", &case.ledger),
        ledger: &case.ledger,
        known: &case.known,
        intent: case.intent,
        leaves_at: case.leaves_at.map(at),
        confirmed: &case.confirmed,
        policy: &case.policy,
        connected_at: at(0),
        now: at(case.now),
    };
    match decide(&view) {
        Decision::Nothing => "nothing".into(),
        Decision::Skip(reason) => format!("skip {}", reason.code()),
        Decision::Wait { until, reason } => {
            format!("wait {} {}", until.timestamp() - case.now, reason.code())
        }
        Decision::Place(draft) => format!("place {}", draft.reference),
        Decision::PlaceReplacement { shipment, draft } => {
            format!("replace {shipment} by {}", draft.reference)
        }
        Decision::AdoptReplacement { number, reference, .. } => format!("adopt {reference} {number:?}"),
        Decision::WaitInDoubt { until, read_in_vain } => {
            let counted = if read_in_vain.is_some() { " counted" } else { "" };
            format!("doubt {}{counted}", until.timestamp() - case.now)
        }
        Decision::Adopt { number } => format!("adopt {number:?}"),
        Decision::ActivatePayment { id } => format!("activate {id}"),
        Decision::QuickProcess { tracking_code, cash_on_delivery } => {
            let cod = if cash_on_delivery { " cod" } else { "" };
            format!("quick-process {}{cod}", tracking_code.unwrap_or_default())
        }
        Decision::CompleteShipment { id, .. } => format!("complete {id}"),
        Decision::Update { difference, .. } => format!("update {difference}"),
        Decision::Cancel => "cancel".into(),
        Decision::AskOperator { reason, .. } => format!("ask {}", reason.code()),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of Case::shop")]
pub(in crate::domain::order) fn shop_is(status: ShopStatus) -> Option<ShopOrder> {
    Some(ShopOrder { status, ..order() })
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of Case::shop")]
pub(in crate::domain::order) fn paid_by(payments: Vec<Payment>) -> Option<ShopOrder> {
    Some(ShopOrder { payments, ..order() })
}
