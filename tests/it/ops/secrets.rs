//! Secrets that Silta keeps: sealed, shared by processes, refreshed once.

use silta::dev::sandbox::OrderSpec;

use crate::harness::{TestSilta, secs};

#[tokio::test]
async fn oauth_tokens_are_sealed_and_shared_by_processes() {
    let silta = TestSilta::start().await;
    silta.place_order(OrderSpec::of("A", 1)).await;
    let sealed: Vec<u8> = silta.scalar("select sealed from sealed_token").await;
    let text = String::from_utf8_lossy(&sealed);
    assert!(!text.contains("access-") && !text.contains("refresh-"), "the tokens are stored unencrypted");
    let before = silta.warehouse.grants();
    let other = silta.second_worker();
    silta.send_webhook(silta.shop.order_created(silta.shop.place_order(OrderSpec::of("A", 1)))).await;
    other.run_until_idle().await.unwrap();
    assert_eq!(silta.warehouse.grants(), before, "it uses the stored tokens and needs no new grant");
}

#[tokio::test]
async fn oauth_token_is_refreshed_once_for_all_and_stored_first() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 99);
    for _ in 0..6 {
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
    }
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.grants(), (1, 0), "six concurrent attempts, one grant");

    silta.clock.advance(secs(2 * 3600));
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.grants(), (1, 1), "refreshed, not granted again");

    // Another process uses the stored token pair and needs no grant of its own.
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.second_worker().run_until_idle().await.unwrap();
    assert_eq!(silta.warehouse.grants(), (1, 1));

    // An access token that expires early costs one refresh and no failed attempt.
    silta.warehouse.revoke_access_tokens();
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.grants(), (1, 2));
    assert_eq!(silta.lost_and_doubled().1, 0);
}
