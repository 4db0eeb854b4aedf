//! Access tokens of the warehouse.

use silta::dev::sandbox::OrderSpec;

use crate::harness::{TestSilta, secs};

async fn send_orders(silta: &TestSilta, count: usize) {
    for _ in 0..count {
        silta.place_order(OrderSpec::of("A", 1)).await;
    }
}

#[tokio::test]
async fn token_that_lives_shorter_than_the_margin_is_used_again() {
    let silta = TestSilta::start().await;
    silta.warehouse.set_token_lifetime(40, None);
    send_orders(&silta, 10).await;
    assert_eq!(silta.warehouse.grants(), (1, 0), "thirty calls and one grant");
    silta.clock.advance(secs(21));
    send_orders(&silta, 10).await;
    assert_eq!(silta.warehouse.grants(), (1, 1), "renewed at half of its lifetime");
    assert_eq!(silta.warehouse.orders().len(), 20);
}

#[tokio::test]
async fn unusable_lifetime_of_a_token_is_bounded() {
    use serde_json::{Value, json};

    for stated in [
        json!(0),
        json!(-1),
        Value::Null,
        json!("soon"),
        json!(u64::MAX),
        json!(i64::MAX),
        json!(f64::MAX),
        json!("1e400"),
        json!("99999999999999999999999999"),
        json!([3600]),
    ] {
        let silta = TestSilta::start().await;
        silta.warehouse.set_token_lifetime(100_000, Some(stated.clone()));
        send_orders(&silta, 5).await;
        assert_eq!(silta.warehouse.grants(), (1, 0), "{stated}");
        silta.clock.advance(secs(86_400));
        send_orders(&silta, 1).await;
        assert_eq!(silta.warehouse.grants(), (1, 1), "{stated}: renewed within a day");
        assert_eq!(silta.warehouse.orders().len(), 6, "{stated}");
    }
}

#[tokio::test]
async fn token_that_ends_sooner_than_it_says_is_renewed_once() {
    let silta = TestSilta::start().await;
    silta.warehouse.set_token_lifetime(10, Some(serde_json::json!(5400)));
    send_orders(&silta, 1).await;
    silta.clock.advance(secs(11));
    send_orders(&silta, 3).await;
    assert_eq!(silta.warehouse.grants(), (1, 1));
    assert_eq!(silta.count("attempt where outcome not in ('acted', 'in_sync')").await, 0);
}
