//! `decide` by table: each row is a situation and the decision.

use std::time::Duration;

use rust_decimal::Decimal;

use super::*;
use crate::domain::{
    Timestamp,
    event::reference::ReferencePrefixes,
    product::{ProductPolicy, Supplier},
    redact::Redactor,
    shipping::{ShippingMethod, ShippingRule},
    task::{
        action::{ActionKind, ActionState, Ledger, LedgerEntry},
        subject_state::SubjectState,
    },
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
        unreadable: UnreadableFields::default(),
    }
}

pub(super) fn policy() -> OrderPolicy {
    OrderPolicy {
        transfer: Transfer::Automatic,
        when: TransferTime::Paid,
        hold: Duration::ZERO,
        not_before: None,
        references: ReferencePrefixes::new("k-"),
        shipping: Vec::new(),
        cash_on_delivery: Vec::new(),
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
        edited_at: None,
        twins: Vec::new(),
        related: Vec::new(),
        unreadable: Vec::new(),
    }
}

fn entry(kind: ActionKind, state: ActionState, at_second: i64) -> LedgerEntry {
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

fn placed() -> Ledger {
    Ledger(vec![entry(ActionKind::Place, ActionState::Applied, 0)])
}

/// Of unknown outcome: `reads` were in vain, and this process has known that for so many seconds.
fn in_doubt(kind: ActionKind, reads: u16, seconds: u64) -> Ledger {
    let watched = Some(Duration::from_secs(seconds));
    Ledger(vec![LedgerEntry { reads, watched, ..entry(kind, ActionState::Unknown, 0) }])
}

/// Placed, and then this.
fn placed_then(then: LedgerEntry) -> Ledger {
    Ledger(vec![entry(ActionKind::Place, ActionState::Applied, 0), LedgerEntry { number: 2, ..then }])
}

/// A situation; what it leaves out is the default.
struct Case {
    shop: Option<ShopOrder>,
    warehouse: Option<WarehouseOrder>,
    known: SubjectState,
    ledger: Ledger,
    intent: Option<Intent>,
    policy: OrderPolicy,
    now: i64,
}

fn case() -> Case {
    Case {
        shop: Some(order()),
        warehouse: None,
        known: SubjectState::default(),
        ledger: Ledger::default(),
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
        reference: case.policy.reference_of("1042", &case.ledger),
        ledger: &case.ledger,
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
        Decision::WaitInDoubt { until, read_in_vain } => {
            let counted = if read_in_vain.is_some() { " counted" } else { "" };
            format!("doubt {}{counted}", until.timestamp() - case.now)
        }
        Decision::Adopt { number } => format!("adopt {number:?}"),
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
    let doubt = |reads, seconds| Case { ledger: in_doubt(ActionKind::Place, reads, seconds), ..case() };
    let five = |state| {
        let entries = (1..=5).map(|number| LedgerEntry { number, ..entry(ActionKind::Place, state, 0) });
        Ledger(entries.collect())
    };
    let tired = |mut ledger: Ledger| {
        let last = ledger.0.last_mut().expect("some");
        (last.reads, last.watched) = (1, Some(Duration::from_secs(10)));
        Case { ledger, ..case() }
    };
    let table = [
        (doubt(0, 0), "doubt 10"),
        (doubt(0, 5), "doubt 5"),
        (doubt(0, 10), "doubt 10 counted"),
        (doubt(0, 99), "doubt 10 counted"),
        (doubt(1, 5), "doubt 5"),
        (doubt(1, 10), "place k-1042"),
        (Case { warehouse: Some(at_warehouse(WarehouseStatus::New)), ..doubt(0, 1) }, "adopt Some(1)"),
        // A placed order is never placed again, whatever the search shows.
        (Case { ledger: placed(), ..case() }, "wait 10 settling_time"),
        (Case { ledger: placed(), now: 601, ..case() }, "ask vanished_at_warehouse"),
        // What a person says counts for ever.
        (
            Case {
                ledger: Ledger(vec![entry(ActionKind::Place, ActionState::ResolvedApplied, 0)]),
                ..case()
            },
            "skip resolved_by_operator",
        ),
        (
            Case {
                ledger: Ledger(vec![entry(ActionKind::Place, ActionState::ResolvedNotApplied, 0)]),
                ..case()
            },
            "place k-1042",
        ),
        // Whatever is read, there is an end.
        (tired(five(ActionState::Unknown)), "ask repeated_too_often"),
        (tired(five(ActionState::Refused)), "place k-1042"),
        (tired(five(ActionState::NotSent)), "place k-1042"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {row}");
    }
}

#[test]
fn order_that_was_never_sent_is_adopted_only_if_it_is_the_same() {
    let lines = |code: &str, quantity| vec![WarehouseLine { code: code.into(), quantity }];
    let there = |lines| WarehouseOrder { lines, ..at_warehouse(WarehouseStatus::Shipped) };
    let with = |warehouse| Case { warehouse: Some(warehouse), ..case() };
    let edited = |second| WarehouseOrder { edited_at: Some(at(second)), ..there(lines("a", 1)) };
    let late = Some(ShopOrder { created_at: Some(at(8000)), ..order() });
    let twin = WarehouseOrder { twins: vec![WarehouseStatus::New], ..there(lines("A", 1)) };
    let old_twin = WarehouseOrder { twins: vec![WarehouseStatus::Cancelled], ..there(lines("A", 1)) };
    let table = [
        (with(there(lines("A", 1))), "adopt None"),
        (with(there(lines("A", 2))), "ask not_ours_at_warehouse"),
        (with(there(lines("B", 1))), "ask not_ours_at_warehouse"),
        (with(there(Vec::new())), "ask not_ours_at_warehouse"),
        (with(edited(60)), "adopt None"),
        (Case { shop: late.clone(), ..with(edited(7000)) }, "adopt None"),
        (Case { shop: late, ..with(edited(60)) }, "ask not_ours_at_warehouse"),
        (Case { intent: Some(Intent::Adopt), ..with(there(lines("B", 1))) }, "adopt None"),
        (
            Case { shop: shop_is(ShopStatus::Completed), ..with(there(lines("B", 1))) },
            "skip completed_in_shop",
        ),
        (
            Case { shop: shop_is(ShopStatus::Cancelled), ..with(there(lines("B", 1))) },
            "skip cancelled_in_shop",
        ),
        (with(twin.clone()), "ask doubled_at_warehouse"),
        (Case { ledger: placed(), ..with(twin) }, "ask doubled_at_warehouse"),
        (with(old_twin), "adopt None"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {row}");
    }
}

#[test]
fn reference_of_the_ledger_outlives_another_prefix() {
    let renamed = || OrderPolicy { references: ReferencePrefixes::new("new-"), ..policy() };
    let with = |ledger| Case { ledger, policy: renamed(), ..case() };
    let refused = Ledger(vec![entry(ActionKind::Place, ActionState::Refused, 0)]);
    assert_eq!(describe(&with(in_doubt(ActionKind::Place, 1, 10))), "place k-1042");
    assert_eq!(describe(&with(refused)), "place new-1042", "it is not there under the old one");
    assert_eq!(describe(&with(Ledger::default())), "place new-1042");
}

#[test]
fn completion_happens_once_in_the_life_of_an_order() {
    use ActionState::{Applied, Refused, ResolvedApplied, ResolvedNotApplied};
    let shipped = |ledger| Case { ledger, warehouse: Some(at_warehouse(WarehouseStatus::Shipped)), ..case() };
    let completed = |state| shipped(placed_then(entry(ActionKind::Complete, state, 0)));
    let doubt = |reads, seconds| {
        let doubtful = in_doubt(ActionKind::Complete, reads, seconds).0.remove(0);
        shipped(placed_then(doubtful))
    };
    let reopened = SubjectState { completed_at: Some(at(50)), ..SubjectState::default() };
    let table = [
        (shipped(placed()), "quick-process JJFI1"),
        (doubt(0, 0), "doubt 10"),
        (doubt(0, 10), "doubt 10 counted"),
        (doubt(1, 10), "quick-process JJFI1"),
        (completed(Applied), "skip reopened_in_shop"),
        (completed(Refused), "quick-process JJFI1"),
        (completed(ResolvedApplied), "skip resolved_by_operator"),
        (completed(ResolvedNotApplied), "quick-process JJFI1"),
        (Case { known: reopened.clone(), ..shipped(placed()) }, "skip reopened_in_shop"),
        (Case { known: reopened.clone(), ..case() }, "skip reopened_in_shop"),
        (Case { known: reopened, intent: Some(Intent::Transfer), ..case() }, "place k-1042"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {row}");
    }
}

#[test]
fn order_at_the_warehouse_is_followed_until_completed() {
    use WarehouseStatus::{Cancelled, Collecting, New, Returned, Shipped};
    let there = |status| Case { ledger: placed(), warehouse: Some(at_warehouse(status)), ..case() };
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
        (there(Cancelled), "ask cancelled_at_warehouse"),
        (with(paid_by(vec![payment(false, false)]), Cancelled), "skip cancelled_at_warehouse"),
        (Case { intent: Some(Intent::Cancel), ..there(Cancelled) }, "skip cancelled_at_warehouse"),
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

/// Placed with these inputs, under this policy.
fn placed_with(shop: &ShopOrder, policy: &OrderPolicy) -> Ledger {
    let inputs = Some(order_inputs(shop, policy));
    Ledger(vec![LedgerEntry { inputs, ..entry(ActionKind::Place, ActionState::Applied, 0) }])
}

#[test]
fn order_edited_or_cancelled_after_transfer_is_fixed_or_reported() {
    use WarehouseStatus::{Collecting, New, Pending};
    let edit = OrderPolicy { edit: true, ..policy() };
    let edited = || Some(ShopOrder { lines: vec![line("A", 2)], ..order() });
    let there = |shop, status, policy: &OrderPolicy| Case {
        shop,
        ledger: placed_with(&order(), policy),
        warehouse: Some(at_warehouse(status)),
        policy: policy.clone(),
        ..case()
    };
    let cancelled = |status| there(shop_is(ShopStatus::Cancelled), status, &policy());
    let asked = |second, version: &str| {
        let shop = ShopOrder { status: ShopStatus::Cancelled, version: Some(version.into()), ..order() };
        let inputs = Some(cancel_inputs(&shop, None));
        placed_then(LedgerEntry { inputs, ..entry(ActionKind::Cancel, ActionState::Applied, second) })
    };
    let never = OrderPolicy { cancel: false, ..policy() };
    let refunded = Payment { state: PaymentState::Void, ..payment(true, false) };
    let nameless = Recipient { name: String::new(), ..order().recipient };
    let table = vec![
        (there(shop_is(ShopStatus::Open), New, &edit), "nothing"),
        (there(edited(), New, &edit), "update lines.0.quantity: 1 → 2"),
        (there(edited(), New, &policy()), "ask old_version_at_warehouse"),
        (there(edited(), Pending, &edit), "ask old_version_at_warehouse"),
        (there(edited(), Collecting, &edit), "ask old_version_at_warehouse"),
        (Case { ledger: placed(), ..there(edited(), New, &edit) }, "nothing"),
        // An edit that can no longer be sent is told of too.
        (
            there(Some(ShopOrder { recipient: nameless, ..order() }), New, &edit),
            "ask old_version_at_warehouse",
        ),
        (there(paid_by(vec![refunded]), New, &edit), "ask refunded_after_transfer"),
        (cancelled(Pending), "cancel"),
        (Case { policy: never, ..cancelled(New) }, "ask cancelled_after_transfer"),
        (Case { ledger: asked(95, "v1"), ..cancelled(New) }, "wait 15 settling_time"),
        (Case { ledger: asked(60, "v1"), ..cancelled(New) }, "ask cancelled_after_transfer"),
        (Case { ledger: asked(60, "v0"), ..cancelled(New) }, "cancel"),
        (Case { intent: Some(Intent::Cancel), ..there(edited(), New, &edit) }, "cancel"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {row}");
    }
}

#[test]
fn changed_rules_and_new_fields_are_no_edit() {
    let method = |id: &str, name: &str| {
        Some(ShippingMethod { id: Some(id.into()), product_code: None, name: Some(name.into()) })
    };
    let rule = |code: &str| ShippingRule { pattern: "*".into(), code: code.into(), pickup: false };
    let shop = ShopOrder { shipping: method("7", "Posti"), comments: Some("soon".into()), ..order() };
    let before = OrderPolicy { shipping: vec![rule("Posti")], edit: true, ..policy() };
    let with = |policy: OrderPolicy, shop: ShopOrder| Case {
        shop: Some(shop),
        ledger: placed_with(
            &ShopOrder { shipping: method("7", "Posti"), comments: Some("soon".into()), ..order() },
            &before,
        ),
        warehouse: Some(at_warehouse(WarehouseStatus::New)),
        policy,
        ..case()
    };
    let renamed = OrderPolicy { shipping: vec![rule("Posti Parcel")], ..before.clone() };
    let comments = OrderPolicy { comments: true, ..before.clone() };
    let other_key = OrderPolicy { redactor: Redactor::with_key("rotated"), ..before.clone() };
    let prices = OrderPolicy { unit_prices: UnitPrices::IncludeVat, ..before.clone() };
    let test = OrderPolicy { test: true, references: ReferencePrefixes::new("new-"), ..before.clone() };
    for policy in [before.clone(), renamed.clone(), comments.clone(), other_key, prices, test] {
        assert_eq!(describe(&with(policy, shop.clone())), "nothing");
    }
    let renamed_method = ShopOrder { shipping: method("7", "Posti Oy"), ..shop.clone() };
    assert_eq!(describe(&with(before.clone(), renamed_method)), "nothing");
    let mut older = with(before.clone(), shop.clone());
    let inputs = older.ledger.0[0].inputs.as_mut().expect("given");
    inputs["recipient"].as_object_mut().expect("an object").remove("phone");
    inputs.as_object_mut().expect("an object").remove("pickup_point");
    assert_eq!(describe(&older), "nothing", "a version of Silta that kept less");

    let silent = ShopOrder { comments: None, ..shop.clone() };
    assert_eq!(describe(&with(before.clone(), silent.clone())), "nothing", "comments are not sent");
    assert_eq!(describe(&with(comments, silent)), "update comments: removed");
    let other_method = ShopOrder { shipping: method("8", "DHL"), ..shop };
    assert_eq!(describe(&with(renamed, other_method)), "update shipping_method: 7 → 8");
}

#[test]
fn partial_shipment_does_not_complete_the_order() {
    let placed_line = |code: &str, quantity| WarehouseLine { code: code.into(), quantity };
    let shipped = |lines, related| {
        let warehouse = WarehouseOrder { lines, related, ..at_warehouse(WarehouseStatus::Shipped) };
        let shop = Some(ShopOrder { lines: vec![line("A", 2), line("B", 1)], ..order() });
        Case { shop, ledger: placed(), warehouse: Some(warehouse), ..case() }
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
