//! An order at the warehouse until it is completed in the shop.

use super::case::*;
use crate::domain::{order::*, product::CodeKey};

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
        (there(WarehouseStatus::Delivered), "quick-process JJFI1"),
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
        is_exchange: false,
    };
    let same_code = RelatedOrder { tracking_code: Some("JJFI1".into()), ..rest(WarehouseStatus::Shipped) };
    let part = || vec![placed_line("A", 2)];
    let mixed = |ids: [&str; 2]| {
        let of = |code, id: &str| ShopLine { shipment_id: Some(id.into()), ..line(code, 1) };
        let lines = vec![of("A", ids[0]), of("B", ids[1])];
        let shipments = vec![shipment("s1", false), shipment("s2", false)];
        let mut case = shipped(vec![], vec![]);
        case.shop = Some(ShopOrder { lines, shipments, ..order() });
        case.policy.products.exclude_codes = [CodeKey::of("B")].into();
        case
    };
    let table = vec![
        (shipped(vec![placed_line("A", 2), placed_line("B", 1)], vec![]), "quick-process JJFI1"),
        (shipped(vec![placed_line(" a", 2), placed_line("b ", 1)], vec![]), "quick-process JJFI1"),
        (shipped(part(), vec![]), "ask partially_shipped"),
        (shipped(part(), vec![rest(WarehouseStatus::Pending)]), "skip partially_shipped"),
        (shipped(part(), vec![rest(WarehouseStatus::Cancelled)]), "ask partially_shipped"),
        (shipped(part(), vec![rest(WarehouseStatus::Shipped)]), "quick-process JJFI1, JJFI2"),
        (shipped(part(), vec![same_code]), "quick-process JJFI1"),
        (mixed(["s1", "s2"]), "complete s1"),
        (mixed(["s1", "s1"]), "skip partially_shipped"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {row}");
    }
}

#[test]
fn shipped_status_survives_a_lagging_read() {
    use WarehouseStatus::{Cancelled, Collecting, Delivered, New, Returned, Shipped};
    assert_eq!(Delivered.or_later_known(Some("Shipped")), Delivered);
    assert_eq!(Shipped.or_later_known(Some("DELIVERED")), Delivered);
    assert_eq!(Returned.or_later_known(Some("Delivered")), Returned);
    assert_eq!(WarehouseStatus::Unknown("AtCarrier".into()).or_later_known(Some("Shipped")), Shipped);
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

#[test]
fn unreadable_order_of_the_warehouse_is_not_followed() {
    use WarehouseStatus::{New, Shipped};
    let there = |shop, status| {
        let unreadable = vec!["trackingNumber".to_owned()];
        let warehouse = Some(WarehouseOrder { unreadable, ..at_warehouse(status) });
        Case { shop, ledger: placed(), warehouse, ..case() }
    };
    for status in [New, Shipped] {
        assert_eq!(describe(&there(shop_is(ShopStatus::Open), status)), "ask field_unreadable");
    }
    assert_eq!(
        describe(&there(shop_is(ShopStatus::Completed), Shipped)),
        "nothing",
        "there is nothing left to do"
    );
}
