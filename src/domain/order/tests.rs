//! `decide` by table: each row a situation and the one thing to do.

use rust_decimal::Decimal;

use super::*;
use crate::domain::{
    Timestamp,
    link::{Begun, Link},
};

pub(super) fn line(code: &str, quantity: i64) -> ShopLine {
    ShopLine { code: Some(code.into()), quantity, is_download: false }
}

fn payment(is_paid: bool, cash_on_delivery: bool) -> Payment {
    Payment {
        is_paid,
        counts: true,
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
    }
}

pub(super) fn policy() -> OrderPolicy {
    OrderPolicy {
        transfer: Transfer::Automatic,
        when: When::Paid,
        reference_prefix: "k-".into(),
        shipping: Vec::new(),
        products: ProductPolicy { exclude_codes: Vec::new(), language: "fi".into() },
        send_emails: true,
        test: false,
        look_again: std::time::Duration::from_secs(10),
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
        tracking_code: Some("JJFI1".into()),
        tracking_url: None,
        version: None,
    }
}

fn placed() -> Link {
    Link { placed_at: Some(at(0)), ogoship_id: Some("w".into()), ..Link::default() }
}

fn begun_at(second: i64) -> Link {
    let begun = Begun { deed: "place".into(), key: "k".into(), at: at(second) };
    Link { begun: Some(begun), ..Link::default() }
}

/// A situation in short; what it leaves out is the usual.
struct Case {
    shop: Option<ShopOrder>,
    warehouse: Option<WarehouseOrder>,
    link: Link,
    intent: Option<Intent>,
    policy: OrderPolicy,
    now: i64,
}

fn case() -> Case {
    Case {
        shop: Some(order()),
        warehouse: None,
        link: Link::default(),
        intent: None,
        policy: policy(),
        now: 100,
    }
}

/// The decision as one short word with its detail.
fn word(case: &Case) -> String {
    let view = OrderView {
        shop: case.shop.as_ref(),
        warehouse: case.warehouse.as_ref(),
        link: &case.link,
        intent: case.intent,
        policy: &case.policy,
        now: at(case.now),
    };
    match decide(&view) {
        Next::Nothing => "nothing".into(),
        Next::Skip(reason) => format!("skip {}", reason.code()),
        Next::Wait { until, reason } => format!("wait {} {}", until.timestamp() - case.now, reason.code()),
        Next::Place(draft) => format!("place {}", draft.reference),
        Next::Adopt => "adopt".into(),
        Next::QuickProcess { tracking_code, cash_on_delivery } => {
            let cod = if cash_on_delivery { " cod" } else { "" };
            format!("quick-process {}{cod}", tracking_code.unwrap_or_default())
        }
        Next::CompleteShipment { id } => format!("complete {id}"),
        Next::AskPerson { reason, .. } => format!("ask {}", reason.code()),
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
fn an_order_that_is_not_at_the_warehouse_goes_there_once_it_is_ready() {
    let manual = OrderPolicy { transfer: Transfer::Manual, ..policy() };
    let created = OrderPolicy { when: When::Created, ..policy() };
    let unpaid = || paid_by(vec![payment(false, false)]);
    let refunded = Payment { counts: false, ..payment(false, false) };
    let table = [
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
        assert_eq!(word(case), *expected, "row {row}");
    }
}

#[test]
fn after_an_unknown_outcome_nothing_is_sent_before_two_looks_a_settling_time_apart() {
    let table = [
        (Case { link: begun_at(100), ..case() }, "wait 10 settling_time"),
        (Case { link: begun_at(95), ..case() }, "wait 5 settling_time"),
        (Case { link: begun_at(90), ..case() }, "wait 10 settling_time"),
        (Case { link: begun_at(80), ..case() }, "place k-1042"),
        (Case { link: begun_at(99), warehouse: Some(at_warehouse(WarehouseStatus::New)), ..case() }, "adopt"),
        // What we know to be placed is never placed again, whatever the search shows.
        (Case { link: placed(), ..case() }, "wait 10 settling_time"),
        (Case { link: placed(), now: 601, ..case() }, "ask vanished_at_warehouse"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(word(case), *expected, "row {row}");
    }
}

#[test]
fn an_order_at_the_warehouse_is_followed_home() {
    use WarehouseStatus::{Cancelled, Collecting, New, Returned, Shipped};
    let there = |status| Case { link: placed(), warehouse: Some(at_warehouse(status)), ..case() };
    let with = |shop, status| Case { shop, ..there(status) };
    let two_shipments =
        Some(ShopOrder { shipments: vec![shipment("s1", true), shipment("s2", false)], ..order() });
    let table = [
        (there(New), "nothing"),
        (there(Collecting), "nothing"),
        (there(WarehouseStatus::Unknown("Flying".into())), "nothing"),
        (there(Shipped), "quick-process JJFI1"),
        (there(Returned), "quick-process JJFI1"),
        (there(Cancelled), "skip cancelled_at_warehouse"),
        (with(shop_is(ShopStatus::Completed), Shipped), "nothing"),
        (with(shop_is(ShopStatus::Cancelled), New), "ask cancelled_after_transfer"),
        (with(shop_is(ShopStatus::Cancelled), Shipped), "ask shipped_though_cancelled"),
        (with(shop_is(ShopStatus::Cancelled), Cancelled), "skip cancelled_at_warehouse"),
        (with(paid_by(vec![payment(false, true)]), Shipped), "quick-process JJFI1 cod"),
        (with(paid_by(vec![payment(true, false), payment(true, false)]), Shipped), "complete s1"),
        (with(two_shipments, Shipped), "complete s2"),
        (with(Some(ShopOrder { shipments: vec![], ..order() }), Shipped), "ask cannot_complete"),
        (Case { link: Link::default(), ..there(Shipped) }, "adopt"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(word(case), *expected, "row {row}");
    }
}

#[test]
fn statuses_are_read_in_any_case_and_unknown_ones_are_kept() {
    assert_eq!(WarehouseStatus::parse("SHIPPED"), WarehouseStatus::Shipped);
    assert_eq!(WarehouseStatus::parse("collecting"), WarehouseStatus::Collecting);
    assert_eq!(WarehouseStatus::parse("Flying").as_str(), "Flying");
}
