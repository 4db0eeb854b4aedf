//! After the parcel: returns, and what the shop added to an order that was sent.

use super::case::*;
use crate::domain::{
    order::*,
    product::CodeKey,
    task::action::{ActionKind, ActionState, LedgerEntry},
    task::ledger::Ledger,
};

fn of(code: &str, quantity: i64, shipment: &str) -> ShopLine {
    ShopLine { shipment_id: Some(shipment.into()), ..line(code, quantity) }
}

fn row(id: &str, kind: &str) -> Shipment {
    Shipment { kind: Some(kind.into()), ..shipment(id, false) }
}

/// Placed with one piece of `A` in shipment s1, then this.
fn sent(then: Vec<LedgerEntry>) -> Ledger {
    let shop = ShopOrder { lines: vec![of("A", 1, "s1")], ..order() };
    let inputs = Some(order_inputs(&shop, &policy()));
    let place = LedgerEntry { inputs, ..entry(ActionKind::Place, ActionState::Applied, 0) };
    let then = then.into_iter().zip(2..).map(|(entry, number)| LedgerEntry { number, ..entry });
    Ledger(std::iter::once(place).chain(then).collect())
}

fn replacement(shipment: &str, state: ActionState, reference: &str) -> LedgerEntry {
    let (target, reference) = (shipment.to_owned(), Some(reference.to_owned()));
    LedgerEntry { target, reference, ..entry(ActionKind::PlaceReplacement, state, 0) }
}

/// Shipped and completed, and then these lines and shipments came.
fn after(lines: Vec<ShopLine>, shipments: Vec<Shipment>, ledger: Ledger) -> Case {
    let lines = std::iter::once(of("A", 1, "s1")).chain(lines).collect();
    let shipments = std::iter::once(shipment("s1", true)).chain(shipments).collect();
    let mut case = Case { shop: Some(ShopOrder { lines, shipments, ..order() }), ledger, ..case() };
    case.warehouse = Some(at_warehouse(WarehouseStatus::Shipped));
    case.known.completed_at = Some(at(60));
    case
}

fn exchange(ledger: Ledger) -> Case {
    after(vec![of("A", -1, "r1"), of("B", 1, "s2")], vec![row("r1", "RETURN"), shipment("s2", false)], ledger)
}

fn confirmed(case: Case) -> Case {
    Case { confirmed: vec!["s2".into()], ..case }
}

fn there(mut case: Case, reference: &str, status: WarehouseStatus) -> Case {
    let related = RelatedOrder {
        reference: reference.into(),
        status,
        lines: vec![WarehouseLine { code: "B".into(), quantity: 1 }],
        tracking_code: Some("JJFI9".into()),
        is_exchange: false,
    };
    case.warehouse.as_mut().expect("there").related.push(related);
    case
}

#[test]
fn added_shipment_is_sent_once_a_person_confirms_it() {
    use ActionState::{Applied, Begun, Refused};
    use WarehouseStatus::{Cancelled, New, Reserved, Shipped};
    let with = |state| exchange(sent(vec![replacement("s2", state, "k-1042-R1")]));
    let completed = |mut case: Case| {
        case.shop.as_mut().expect("there").shipments[2].is_completed = true;
        case
    };
    let another = || exchange(sent(vec![replacement("s0", Applied, "k-1042-R1")]));
    let table = vec![
        (exchange(sent(vec![])), "ask replacement_unconfirmed"),
        (confirmed(exchange(sent(vec![]))), "replace s2 by k-1042-R1"),
        (confirmed(another()), "replace s2 by k-1042-R2"),
        (confirmed(with(Refused)), "replace s2 by k-1042-R1"),
        (confirmed(with(Begun)), "doubt 10"),
        (there(with(Begun), "k-1042-R1", New), "adopt k-1042-R1 Some(2)"),
        (with(Applied), "wait 10 settling_time"),
        (there(with(Applied), "k-1042-R1", New), "nothing"),
        (there(with(Applied), "k-1042-R1", Reserved), "ask held_at_warehouse"),
        (there(with(Applied), "k-1042-R1", Cancelled), "ask cancelled_at_warehouse"),
        (there(with(Applied), "K-1042-r1", Shipped), "complete s2"),
        (there(completed(with(Applied)), "k-1042-R1", Shipped), "nothing"),
        (completed(exchange(sent(vec![]))), "nothing"),
        // Sent by hand, or before our database was restored: the same goods under the next reference.
        (there(exchange(sent(vec![])), "k-1042-R1", New), "adopt k-1042-R1 None"),
        // Without what was sent nobody knows what was added: it is theirs who opened the order again.
        (exchange(placed()), "skip reopened_in_shop"),
    ];
    for (at, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {at}");
    }
}

#[test]
fn replacement_sent_by_hand_waits_while_it_can_be_taken_back() {
    let leaving = |leaves_at| describe(&Case { leaves_at, ..confirmed(exchange(sent(vec![]))) });
    assert_eq!(leaving(Some(110)), "wait 10 undo_period");
    assert_eq!(leaving(Some(100)), "replace s2 by k-1042-R1", "its time has come");
    assert_eq!(leaving(Some(5000)), "replace s2 by k-1042-R1", "a clock that is far ahead holds nothing up");
    let unconfirmed = Case { leaves_at: Some(110), ..exchange(sent(vec![])) };
    assert_eq!(describe(&unconfirmed), "ask replacement_unconfirmed");
}

#[test]
fn replacements_of_an_order_are_capped_together() {
    let entries = |count| (0..count).map(|at| replacement(&format!("x{at}"), ActionState::Applied, "k"));
    assert_eq!(describe(&confirmed(exchange(sent(entries(5).collect())))), "ask repeated_too_often");
    assert_eq!(describe(&confirmed(exchange(sent(entries(4).collect())))), "replace s2 by k-1042-R1");
}

#[test]
fn goods_of_an_added_shipment_are_found_with_and_without_its_id() {
    let in_s2 = |line: ShopLine| confirmed(after(vec![line], vec![shipment("s2", false)], sent(vec![])));
    let two = vec![shipment("s2", false), shipment("s3", false)];
    let mut split = in_s2(of("B", 1, "s2"));
    split.shop.as_mut().expect("there").lines = vec![of("A", 1, "s2")];
    // The same goods, respelt when they were moved.
    let mut respelt = in_s2(of("B", 1, "s2"));
    respelt.shop.as_mut().expect("there").lines = vec![of(" a", 1, "s2")];
    let mut excluded = in_s2(of("B", 1, "s2"));
    excluded.policy.products.exclude_codes = [CodeKey::of("B")].into();
    let table = [
        (in_s2(of("A", 1, "s2")), "replace s2 by k-1042-R1"),
        (in_s2(line("B", 2)), "replace s2 by k-1042-R1"),
        (confirmed(after(vec![line("B", 2)], two, sent(vec![]))), "ask replacement_unconfirmed"),
        // It only takes over goods of the first one.
        (split, "skip reopened_in_shop"),
        (respelt, "skip reopened_in_shop"),
        // The shop sends it itself.
        (excluded, "nothing"),
    ];
    for (at, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {at}");
    }
}

#[test]
fn added_shipment_before_the_parcel_left_is_an_edit() {
    let mut case = confirmed(exchange(sent(vec![])));
    case.warehouse = Some(at_warehouse(WarehouseStatus::Collecting));
    assert_eq!(describe(&case), "ask old_version_at_warehouse");
}

#[test]
fn removed_shipment_stops_its_replacement() {
    let ledger = || sent(vec![replacement("s2", ActionState::Applied, "k-1042-R1")]);
    let gone = |status| there(after(vec![], vec![], ledger()), "k-1042-R1", status);
    assert_eq!(describe(&gone(WarehouseStatus::New)), "ask cancelled_after_transfer");
    assert_eq!(describe(&gone(WarehouseStatus::Shipped)), "skip reopened_in_shop");
}

#[test]
fn return_row_is_never_completed() {
    let open = |lines: Vec<ShopLine>, rows: Vec<Shipment>, is_first_done: bool| {
        let mut case = after(lines, rows, sent(vec![]));
        case.known.completed_at = None;
        case.shop.as_mut().expect("there").shipments[0].is_completed = is_first_done;
        case
    };
    let by_type = |done| open(vec![], vec![row("r1", "Return")], done);
    let by_lines = |done| open(vec![of("A", -1, "r1")], vec![shipment("r1", false)], done);
    let table = [
        (by_type(false), "complete s1"),
        (by_lines(false), "complete s1"),
        (by_type(true), "nothing"),
        (by_lines(true), "nothing"),
    ];
    for (at, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {at}");
    }
}

#[test]
fn return_order_is_no_sale() {
    let with = |shop: ShopOrder| Case { shop: Some(shop), intent: Some(Intent::Transfer), ..case() };
    let lines = |lines| ShopOrder { lines, ..order() };
    let negative = |text: &str, of: ShopOrder| ShopOrder { total: text.parse().ok(), ..of };
    let typed = ShopOrder { shipments: vec![row("r1", "RETURN")], lines: vec![of("A", 1, "r1")], ..order() };
    let table = [
        (with(lines(vec![line("A", -1)])), "skip return_order"),
        (with(negative("-10.00", lines(vec![line("A", -1)]))), "skip return_order"),
        (with(typed), "skip return_order"),
        (with(negative("-5", lines(vec![line("A", -2), line("B", 1)]))), "ask return_order"),
        (with(negative("0.00", lines(vec![line("A", 1)]))), "place k-1042"),
        (with(lines(vec![line("A", 2), line("A", -1)])), "place k-1042"),
    ];
    for (at, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {at}");
    }
}
