//! `decide` by table: each row is a situation and the decision.

use std::time::Duration;

use rust_decimal::Decimal;

use super::*;
use crate::domain::{
    Timestamp,
    product::{ProductPolicy, Supplier},
    redact::Redactor,
    task::subject_state::{BegunAction, SubjectState},
};

pub(super) fn line(code: &str, quantity: i64) -> ShopLine {
    ShopLine {
        code: Some(code.into()),
        quantity,
        is_download: false,
        supplier: Supplier::NotRead,
        unit_price: None,
        vat_rate: None,
        shipment_id: None,
    }
}

fn payment(is_paid: bool, cash_on_delivery: bool) -> Payment {
    Payment {
        state: if is_paid { PaymentState::Paid } else { PaymentState::Open },
        cash_on_delivery,
        amount: Some(Decimal::TEN),
        currency: Some("EUR".into()),
    }
}

fn shipment(id: &str, is_completed: bool) -> Shipment {
    Shipment { id: id.into(), is_completed, pickup_point: None }
}

/// A paid, open order of one piece of `A`.
pub(super) fn order() -> ShopOrder {
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
        payments: vec![payment(true, false)],
        shipments: vec![shipment("s1", false)],
        comments: None,
        receipt_url: None,
    }
}

pub(super) fn policy() -> OrderPolicy {
    OrderPolicy {
        transfer: Transfer::Automatic,
        when: TransferTime::Paid,
        hold: Duration::ZERO,
        not_before: None,
        reference_prefix: "k-".into(),
        shipping: Vec::new(),
        products: ProductPolicy::default(),
        comments: false,
        receipt: false,
        unit_prices: UnitPrices::Unsent,
        longest_field: 100,
        edit: false,
        cancel: true,
        send_emails: true,
        shipment_tracking: false,
        test: false,
        redactor: Redactor::default(),
        recheck_delay: Duration::from_secs(10),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(second, 0).expect("a small number of seconds")
}

fn at_warehouse(status: WarehouseStatus) -> WarehouseOrder {
    WarehouseOrder {
        id: Some("w".into()),
        reference: "k-1042".into(),
        status,
        lines: Vec::new(),
        tracking_code: Some("JJFI1".into()),
        tracking_url: None,
        comments: None,
        version: None,
        related: Vec::new(),
    }
}

fn placed() -> SubjectState {
    SubjectState { placed_at: Some(at(0)), ogoship_id: Some("w".into()), ..SubjectState::default() }
}

fn begun_at(second: i64) -> SubjectState {
    let begun = BegunAction { action: "place".into(), key: "k".into(), at: at(second) };
    SubjectState { begun: Some(begun), ..SubjectState::default() }
}

/// A situation; what it leaves out is the default.
struct Case {
    shop: Option<ShopOrder>,
    warehouse: Option<WarehouseOrder>,
    known: SubjectState,
    intent: Option<Intent>,
    policy: OrderPolicy,
    now: i64,
}

fn case() -> Case {
    Case {
        shop: Some(order()),
        warehouse: None,
        known: SubjectState::default(),
        intent: None,
        policy: policy(),
        now: 100,
    }
}

/// The decision as a short text.
fn describe(case: &Case) -> String {
    let view = OrderView {
        shop: case.shop.as_ref(),
        warehouse: case.warehouse.as_ref(),
        known: &case.known,
        intent: case.intent,
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
        Decision::Adopt => "adopt".into(),
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
fn shop_is(status: ShopStatus) -> Option<ShopOrder> {
    Some(ShopOrder { status, ..order() })
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of Case::shop")]
fn paid_by(payments: Vec<Payment>) -> Option<ShopOrder> {
    Some(ShopOrder { payments, ..order() })
}

#[test]
fn order_is_placed_once_it_is_ready() {
    let manual = OrderPolicy { transfer: Transfer::Manual, ..policy() };
    let created = OrderPolicy { when: TransferTime::Created, ..policy() };
    let unpaid = || paid_by(vec![payment(false, false)]);
    let refunded = Payment { state: PaymentState::Void, ..payment(false, false) };
    let table = vec![
        (case(), "place k-1042"),
        (Case { shop: None, ..case() }, "skip unknown_in_shop"),
        (Case { shop: shop_is(ShopStatus::Cancelled), ..case() }, "skip cancelled_in_shop"),
        (Case { shop: shop_is(ShopStatus::Completed), ..case() }, "skip completed_in_shop"),
        (Case { shop: unpaid(), ..case() }, "skip not_paid"),
        (Case { shop: unpaid(), policy: created, ..case() }, "place k-1042"),
        (Case { shop: paid_by(vec![payment(false, true)]), ..case() }, "place k-1042"),
        (Case { shop: paid_by(vec![]), ..case() }, "skip not_paid"),
        (
            Case { shop: paid_by(vec![payment(true, false), payment(false, false)]), ..case() },
            "skip not_paid",
        ),
        (Case { shop: paid_by(vec![refunded, payment(true, false)]), ..case() }, "place k-1042"),
        (Case { policy: manual.clone(), ..case() }, "skip manual_transfer"),
        (Case { policy: manual, intent: Some(Intent::Transfer), ..case() }, "place k-1042"),
        (Case { shop: Some(ShopOrder { lines: vec![], ..order() }), ..case() }, "skip no_warehouse_lines"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {row}");
    }
}

#[test]
fn unknown_outcome_waits_for_two_reads_a_settling_time_apart() {
    let table = [
        (Case { known: begun_at(100), ..case() }, "wait 10 settling_time"),
        (Case { known: begun_at(95), ..case() }, "wait 5 settling_time"),
        (Case { known: begun_at(90), ..case() }, "wait 10 settling_time"),
        (Case { known: begun_at(80), ..case() }, "place k-1042"),
        (
            Case { known: begun_at(99), warehouse: Some(at_warehouse(WarehouseStatus::New)), ..case() },
            "adopt",
        ),
        // A placed order is never placed again, whatever the search shows.
        (Case { known: placed(), ..case() }, "wait 10 settling_time"),
        (Case { known: placed(), now: 601, ..case() }, "ask vanished_at_warehouse"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {row}");
    }
}

#[test]
fn order_at_the_warehouse_is_followed_until_completed() {
    use WarehouseStatus::{Cancelled, Collecting, New, Returned, Shipped};
    let there = |status| Case { known: placed(), warehouse: Some(at_warehouse(status)), ..case() };
    let with = |shop, status| Case { shop, ..there(status) };
    let two_shipments =
        Some(ShopOrder { shipments: vec![shipment("s1", true), shipment("s2", false)], ..order() });
    let table = vec![
        (there(New), "nothing"),
        (there(Collecting), "nothing"),
        (there(WarehouseStatus::Unknown("Flying".into())), "skip held_at_warehouse"),
        (there(WarehouseStatus::Reserved), "skip held_at_warehouse"),
        (there(WarehouseStatus::Pending), "nothing"),
        (there(Shipped), "quick-process JJFI1"),
        (there(Returned), "quick-process JJFI1"),
        (there(Cancelled), "skip cancelled_at_warehouse"),
        (with(shop_is(ShopStatus::Completed), Shipped), "nothing"),
        (with(shop_is(ShopStatus::Completed), Returned), "skip returned"),
        (with(shop_is(ShopStatus::Cancelled), New), "cancel"),
        (with(shop_is(ShopStatus::Cancelled), Collecting), "ask too_late_to_cancel"),
        (with(shop_is(ShopStatus::Cancelled), Shipped), "ask shipped_though_cancelled"),
        (with(shop_is(ShopStatus::Cancelled), Cancelled), "skip cancelled_at_warehouse"),
        (with(paid_by(vec![payment(false, true)]), Shipped), "quick-process JJFI1 cod"),
        (with(paid_by(vec![payment(true, false), payment(true, false)]), Shipped), "complete s1"),
        (with(two_shipments, Shipped), "complete s2"),
        (with(Some(ShopOrder { shipments: vec![], ..order() }), Shipped), "ask cannot_complete"),
        (Case { known: SubjectState::default(), ..there(Shipped) }, "adopt"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {row}");
    }
}

#[test]
fn operators_intent_comes_before_the_rules() {
    let unpaid = || paid_by(vec![payment(false, false)]);
    let held = OrderPolicy { hold: Duration::from_secs(60), ..policy() };
    let with_intent = |intent, policy: &OrderPolicy, shop| Case {
        intent: Some(intent),
        policy: policy.clone(),
        shop,
        ..case()
    };
    let paid = || shop_is(ShopStatus::Open);
    let ready_long_ago = SubjectState { ready_at: Some(at(30)), ..SubjectState::default() };
    let pending = Payment { state: PaymentState::AwaitsActivation, ..payment(false, false) };
    let history = OrderPolicy { not_before: Some(at(51)), ..policy() };
    let table = vec![
        (Case { policy: held.clone(), ..case() }, "wait 60 hold_period"),
        (Case { policy: held.clone(), known: ready_long_ago, ..case() }, "place k-1042"),
        (with_intent(Intent::Release, &held, paid()), "place k-1042"),
        (with_intent(Intent::Release, &held, unpaid()), "skip not_paid"),
        (with_intent(Intent::Transfer, &held, unpaid()), "place k-1042"),
        (with_intent(Intent::Hold, &policy(), paid()), "skip held_by_operator"),
        (with_intent(Intent::Cancel, &policy(), paid()), "skip cancelled_by_operator"),
        (Case { shop: paid_by(vec![pending]), ..case() }, "skip payment_not_activated"),
        (Case { policy: history.clone(), ..case() }, "skip before_start"),
        (with_intent(Intent::Transfer, &history, paid()), "place k-1042"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {row}");
    }
}

#[test]
fn order_edited_or_cancelled_after_transfer_is_fixed_or_reported() {
    use WarehouseStatus::{Collecting, New, Pending};
    let sent = draft(&order(), &policy()).expect("whole");
    let known = SubjectState {
        sent_hash: Some(sent.hash()),
        sent: Some(sent.redacted(&Redactor::default())),
        ..placed()
    };
    let edit = OrderPolicy { edit: true, ..policy() };
    let edited = || Some(ShopOrder { lines: vec![line("A", 2)], ..order() });
    let there = |shop, status, policy: &OrderPolicy| Case {
        shop,
        known: known.clone(),
        warehouse: Some(at_warehouse(status)),
        policy: policy.clone(),
        ..case()
    };
    let asked_at = |second| SubjectState { cancel_requested_at: Some(at(second)), ..known.clone() };
    let cancelled = |status| there(shop_is(ShopStatus::Cancelled), status, &policy());
    let never = OrderPolicy { cancel: false, ..policy() };
    let table = vec![
        (there(shop_is(ShopStatus::Open), New, &edit), "nothing"),
        (there(edited(), New, &edit), "update lines.0.quantity: 1 → 2"),
        (there(edited(), New, &policy()), "ask old_version_at_warehouse"),
        (there(edited(), Pending, &edit), "ask old_version_at_warehouse"),
        (there(edited(), Collecting, &edit), "ask old_version_at_warehouse"),
        (Case { known: placed(), ..there(edited(), New, &edit) }, "nothing"),
        (cancelled(Pending), "cancel"),
        (Case { policy: never, ..cancelled(New) }, "ask cancelled_after_transfer"),
        (Case { known: asked_at(95), ..cancelled(New) }, "wait 15 settling_time"),
        (Case { known: asked_at(60), ..cancelled(New) }, "ask cancelled_after_transfer"),
        (Case { intent: Some(Intent::Cancel), ..there(edited(), New, &edit) }, "cancel"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {row}");
    }
}

#[test]
fn partial_shipment_does_not_complete_the_order() {
    let placed_line = |code: &str, quantity| WarehouseLine { code: code.into(), quantity };
    let shipped = |lines, related| {
        let warehouse = WarehouseOrder { lines, related, ..at_warehouse(WarehouseStatus::Shipped) };
        let shop = Some(ShopOrder { lines: vec![line("A", 2), line("B", 1)], ..order() });
        Case { shop, known: placed(), warehouse: Some(warehouse), ..case() }
    };
    let rest = |status| RelatedOrder {
        reference: "k-1042-2".into(),
        status,
        lines: vec![placed_line("B", 1)],
        tracking_code: Some("JJFI2".into()),
    };
    let part = || vec![placed_line("A", 2)];
    let mixed = |ids: [&str; 2]| {
        let of = |code, id: &str| ShopLine { shipment_id: Some(id.into()), ..line(code, 1) };
        let lines = vec![of("A", ids[0]), of("B", ids[1])];
        let shipments = vec![shipment("s1", false), shipment("s2", false)];
        let mut case = shipped(vec![], vec![]);
        case.shop = Some(ShopOrder { lines, shipments, ..order() });
        case.policy.products.exclude_codes = vec!["B".into()];
        case
    };
    let table = [
        (shipped(vec![placed_line("A", 2), placed_line("B", 1)], vec![]), "quick-process JJFI1"),
        (shipped(part(), vec![]), "ask partially_shipped"),
        (shipped(part(), vec![rest(WarehouseStatus::Pending)]), "skip partially_shipped"),
        (shipped(part(), vec![rest(WarehouseStatus::Cancelled)]), "ask partially_shipped"),
        (shipped(part(), vec![rest(WarehouseStatus::Shipped)]), "quick-process JJFI1, JJFI2"),
        (mixed(["s1", "s2"]), "complete s1"),
        (mixed(["s1", "s1"]), "skip partially_shipped"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {row}");
    }
}

#[test]
fn shipped_status_survives_a_lagging_read() {
    use WarehouseStatus::{Cancelled, Collecting, New, Returned, Shipped};
    assert_eq!(Collecting.or_later_known(Some("Shipped")), Shipped);
    assert_eq!(Returned.or_later_known(Some("SHIPPED")), Returned);
    assert_eq!(Shipped.or_later_known(Some("Returned")), Returned);
    assert_eq!(New.or_later_known(Some("Cancelled")), New, "a cancelled order may be taken up again");
    assert_eq!(Cancelled.or_later_known(None), Cancelled);
}

#[test]
fn statuses_are_parsed_in_any_case_and_unknown_ones_kept() {
    assert_eq!(WarehouseStatus::parse("SHIPPED"), WarehouseStatus::Shipped);
    assert_eq!(WarehouseStatus::parse("collecting"), WarehouseStatus::Collecting);
    assert_eq!(WarehouseStatus::parse("Flying").as_str(), "Flying");
}
