//! Orders of several payments, of payments that wait to be activated, and of none.

use serde_json::{Value, json};
use silta::dev::sandbox::{Fault, OrderSpec};

use crate::harness::{TestSilta, secs};

/// A payment as the shop shows it. Method 9 is cash on delivery.
fn payment(id: u64, status: &str, amount: &str, method: u64) -> Value {
    json!({
        "id": id, "status": status, "is_paid": status == "PAID", "amount": amount, "currency": "EUR",
        "payment_method_id": method,
    })
}

fn order_with(total: &str, payments: &[Value]) -> OrderSpec {
    OrderSpec::of("A", 1).with_json(json!({ "total": total, "payments": payments }))
}

/// Klarna's part of a gift card's order.
fn gift_card_and_klarna() -> OrderSpec {
    order_with("30.00", &[payment(1, "PAID", "10.00", 8), payment(2, "PENDING_ACTIVATION", "20.00", 7)])
}

async fn start() -> TestSilta {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    silta.warehouse.receive_goods("A", 100);
    silta
}

impl TestSilta {
    async fn ship(&self, order: u64) {
        let reference = format!("shop-{order}");
        assert!(self.warehouse.ship_order(&reference), "it is at the warehouse");
        self.send_webhook(self.warehouse.order_shipped(&reference)).await;
        self.run_until_idle().await;
    }

    /// The order's status in the shop, which of its payments were activated, and how often it was completed.
    fn completed(&self, order: u64) -> (&'static str, Vec<u64>, u32) {
        let order = self.shop.order(order).unwrap();
        (order.status, order.activated, order.shipments[0].completions)
    }
}

#[tokio::test]
async fn orders_go_once_their_payments_cover_the_total() {
    let cases = [
        ("klarna", order_with("30.00", &[payment(1, "PENDING_ACTIVATION", "30.00", 7)]), "done"),
        ("gift card and klarna", gift_card_and_klarna(), "done"),
        (
            "gift card, card still open",
            order_with("30.00", &[payment(1, "PAID", "10.00", 8), payment(2, "OPEN", "20.00", 7)]),
            "skipped not_paid",
        ),
        (
            "an attempt given up before another one",
            order_with("30.00", &[payment(1, "OPEN", "30.00", 7), payment(2, "PAID", "30.00", 8)]),
            "done",
        ),
        (
            "an open correction of a refund",
            order_with("30.00", &[payment(1, "PAID", "30.00", 8), payment(2, "OPEN", "-5.00", 8)]),
            "done",
        ),
        (
            "a whole refund by correction",
            order_with("30.00", &[payment(1, "PAID", "30.00", 8), payment(2, "PAID", "-30.00", 8)]),
            "skipped not_paid",
        ),
        ("nothing to pay", order_with("0.00", &[]), "done"),
        ("something to pay and no payment", order_with("30.00", &[]), "skipped not_paid"),
        ("as people write it", order_with("1 234,50", &[payment(1, "PAID", "1\u{a0}234,50", 8)]), "done"),
        ("too little", order_with("30.00", &[payment(1, "PAID", "29.00", 8)]), "skipped not_paid"),
        (
            "an amount that could be two",
            order_with("30.00", &[payment(1, "PAID", "1,234", 8)]),
            "dead field_unreadable",
        ),
        (
            "no amount beside an open payment",
            order_with("30.00", &[payment(1, "PAID", "", 8), payment(2, "OPEN", "20.00", 8)]),
            "dead field_unreadable",
        ),
    ];
    for (name, spec, state) in cases {
        let silta = start().await;
        let order = silta.place_order(spec).await;
        assert_eq!(silta.order_task_state(order).await, state, "{name}");
        assert_eq!(silta.warehouse_count(order), usize::from(state == "done"), "{name}");
    }
}

#[tokio::test]
async fn quick_processing_activates_the_only_payment() {
    let silta = start().await;
    let order = silta.place_order(order_with("30.00", &[payment(5, "PENDING_ACTIVATION", "30.00", 7)])).await;
    silta.ship(order).await;
    assert_eq!(silta.completed(order), ("COMPLETED", vec![5], 1));
    assert!(silta.shop.order(order).unwrap().shipments[0].tracking_code.is_some());
    assert_eq!(
        silta.sandbox.shop_server.calls.count("POST", "/activate"),
        0,
        "it was not asked for by itself"
    );
}

#[tokio::test]
async fn payments_are_activated_before_a_shipment_is_completed() {
    let silta = start().await;
    let order = silta.place_order(gift_card_and_klarna()).await;
    silta.ship(order).await;
    assert_eq!(silta.completed(order), ("COMPLETED", vec![2], 1));
    assert_eq!(silta.order_task_state(order).await, "done");
    let kinds: Vec<String> =
        sqlx::query_scalar("select kind || ' ' || target || ' ' || state from action order by number")
            .fetch_all(&silta.pool)
            .await
            .unwrap();
    let shipment = format!("complete_shipment {order}0 applied");
    assert_eq!(kinds, ["place  applied", "activate_payment 2 applied", &*shipment]);
}

#[tokio::test]
async fn activation_with_a_lost_answer_is_not_repeated() {
    for fault in [Fault::DropAfter, Fault::StatusAfter(504)] {
        let silta = start().await;
        let order = silta.place_order(gift_card_and_klarna()).await;
        silta.sandbox.shop_server.faults.script("POST", "/activate", fault);
        silta.ship(order).await;
        silta.advance(secs(600)).await;
        assert_eq!(silta.completed(order), ("COMPLETED", vec![2], 1));
        assert_eq!(silta.sandbox.shop_server.calls.count("POST", "/activate"), 1);
    }
}

#[tokio::test]
async fn activation_that_was_lost_is_repeated_after_two_reads() {
    let silta = start().await;
    let order = silta.place_order(gift_card_and_klarna()).await;
    silta.sandbox.shop_server.faults.script("POST", "/activate", Fault::DropBefore);
    silta.ship(order).await;
    assert_eq!(silta.completed(order), ("OPEN", vec![], 0));
    silta.advance(secs(11)).await;
    assert_eq!(silta.sandbox.shop_server.calls.count("POST", "/activate"), 1, "one read is not enough");
    silta.advance(secs(600)).await;
    assert_eq!(silta.completed(order), ("COMPLETED", vec![2], 1));
}

#[tokio::test]
async fn refused_activation_is_left_to_an_operator() {
    let silta = start().await;
    let order = silta.place_order(gift_card_and_klarna()).await;
    silta.sandbox.shop_server.faults.script("POST", "/activate", Fault::Status(422));
    silta.ship(order).await;
    assert_eq!(silta.order_task_state(order).await, "dead payment_not_activated");
    assert_eq!(silta.completed(order), ("OPEN", vec![], 0), "money that was not taken completes nothing");
}

#[tokio::test]
async fn order_without_anything_to_pay_is_completed() {
    let silta = start().await;
    let order = silta.place_order(order_with("0", &[])).await;
    silta.ship(order).await;
    assert_eq!(silta.completed(order), ("COMPLETED", vec![], 1));
}

#[tokio::test]
async fn open_cash_on_delivery_payments_are_collected_together() {
    let silta = start().await;
    let payments = [payment(1, "OPEN", "10,50", 9), payment(2, "OPEN", "20", 9), payment(3, "PAID", "5", 8)];
    let order = silta.place_order(order_with("35.50", &payments)).await;
    let sent = silta.warehouse.find(&format!("shop-{order}")).unwrap().sent;
    assert_eq!(sent["cashOnDelivery"], json!({ "amount": 30.5, "currencyCode": "EUR" }));
}

#[tokio::test]
async fn cash_on_delivery_without_an_amount_is_left_to_an_operator() {
    let silta = start().await;
    let order = silta.place_order(order_with("30.00", &[payment(1, "OPEN", "", 9)])).await;
    assert_eq!(silta.order_task_state(order).await, "dead field_unreadable");
    assert_eq!(silta.warehouse_count(order), 0, "the carrier would collect nothing");
    let detail: String = silta.scalar("select detail from attempt").await;
    assert!(detail.contains("payments[0].amount"), "{detail}");
}
