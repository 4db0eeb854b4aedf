//! When an order goes to the warehouse.

use std::time::Duration;

use rust_decimal::Decimal;

use super::case::*;
use crate::domain::{order::*, switch::Switch, task::subject_state::SubjectState};

#[test]
fn order_is_placed_once_it_is_ready() {
    let manual = OrderPolicy { transfer: Switch::Manual, ..policy() };
    let off = OrderPolicy { transfer: Switch::Off, ..policy() };
    let created = OrderPolicy { when: TransferTime::Created, ..policy() };
    let unpaid = || paid_by(vec![payment(false, false)]);
    let refunded = Payment { state: PaymentState::Void, ..payment(false, false) };
    let half_paid = |total: Option<i64>| {
        let payments = vec![payment(true, false), payment(false, false)];
        Some(ShopOrder { total: total.map(Decimal::from), payments, ..order() })
    };
    let table = vec![
        (case(), "place k-1042"),
        (Case { shop: None, ..case() }, "skip unknown_in_shop"),
        (Case { shop: shop_is(ShopStatus::Cancelled), ..case() }, "skip cancelled_in_shop"),
        (Case { shop: shop_is(ShopStatus::Completed), ..case() }, "skip completed_in_shop"),
        (Case { shop: unpaid(), ..case() }, "skip not_paid"),
        (Case { shop: unpaid(), policy: created, ..case() }, "place k-1042"),
        (Case { shop: paid_by(vec![payment(false, true)]), ..case() }, "place k-1042"),
        (Case { shop: paid_by(vec![]), ..case() }, "skip not_paid"),
        (Case { shop: half_paid(Some(20)), ..case() }, "skip not_paid"),
        (Case { shop: half_paid(Some(10)), ..case() }, "place k-1042"),
        (Case { shop: half_paid(None), ..case() }, "ask field_unreadable"),
        (Case { shop: paid_by(vec![refunded, payment(true, false)]), ..case() }, "place k-1042"),
        (Case { policy: manual.clone(), ..case() }, "skip manual_transfer"),
        (Case { policy: manual, intent: Some(Intent::Transfer), ..case() }, "place k-1042"),
        (Case { policy: off.clone(), ..case() }, "skip transfer_off"),
        (Case { policy: off, intent: Some(Intent::Transfer), ..case() }, "skip transfer_off"),
        (Case { shop: Some(ShopOrder { lines: vec![], ..order() }), ..case() }, "skip no_warehouse_lines"),
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
fn order_sent_by_hand_waits_while_it_can_be_taken_back() {
    let sent = |intent, leaves_at| describe(&Case { intent, leaves_at, ..case() });
    assert_eq!(sent(Some(Intent::Transfer), Some(110)), "wait 10 undo_period");
    assert_eq!(sent(Some(Intent::Release), Some(110)), "wait 10 undo_period");
    assert!(sent(Some(Intent::Transfer), Some(100)).starts_with("place"), "its time has come");
    assert!(
        sent(Some(Intent::Transfer), Some(5000)).starts_with("place"),
        "a clock that is far ahead holds nothing up"
    );
    assert!(sent(Some(Intent::Transfer), None).starts_with("place"));
}
