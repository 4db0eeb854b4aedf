//! Webhook subscriptions at both vendors.

use crate::{
    harness::{CONNECTION, TestOptions, TestSilta, secs},
    inbox::keys::{post_with_headers, show_connection},
};

#[tokio::test]
async fn subscriptions_are_registered_and_their_keys_accepted() {
    let mut silta = TestSilta::start_with(TestOptions {
        service: "[http]\npublic_url = \"https://silta.example.fi\"\n",
        connection: "",
    })
    .await;
    silta.leave_unfinished();
    let subscriptions = silta.subscriptions.clone();
    let subscriber = subscriptions.find(CONNECTION).unwrap();
    let made = subscriptions.register(subscriber, false, "ops").await.unwrap();
    assert_eq!(made.len(), 3, "{made:?}");
    assert!(made.iter().all(|made| made.key.is_none()), "keys are sealed, not returned");
    assert_eq!(
        subscriptions.register(subscriber, false, "ops").await.unwrap().len(),
        0,
        "they are registered already"
    );

    // The warehouse signs with the key subscriber its registration, which is not in the configuration.
    let key = silta.warehouse.subscriptions()[0][3].clone();
    let body = r#"{"type":"ProductStockLevelChanged","productCode":"A"}"#;
    let signature = silta::security::signature::sign_base64(key.as_bytes(), body.as_bytes());
    let response =
        post_with_headers(&silta, "/webhooks/ogoship/shop", &[("X-OGOship-Hmac-SHA256", &signature)], body)
            .await;
    assert_eq!(response.status, 200, "{}", response.body);

    let sealed: Vec<u8> =
        silta.scalar("select sealed_key from subscription where source = 'ogoship' limit 1").await;
    assert!(!sealed.windows(8).any(|part| part == &key.as_bytes()[..8]), "the key is stored unencrypted");
    let item = show_connection(&silta).await;
    assert_eq!(item["subscriptions"].as_array().unwrap().len(), 3);
    assert!(!item.to_string().contains(&key));
}

#[tokio::test]
async fn missing_subscription_is_registered_again() {
    let silta = TestSilta::start_with(TestOptions {
        service: "[http]\npublic_url = \"https://silta.example.fi\"\n",
        connection: "",
    })
    .await;
    let subscriptions = silta.subscriptions.clone();
    let subscriber = subscriptions.find(CONNECTION).unwrap();
    assert_eq!(
        subscriptions.restore_missing(subscriber).await.unwrap(),
        0,
        "without a registration nothing is watched"
    );
    assert_eq!(silta.sandbox.warehouse_server.calls.count("GET", "/webhooks"), 0);
    subscriptions.register(subscriber, false, "ops").await.unwrap();
    assert_eq!(subscriptions.restore_missing(subscriber).await.unwrap(), 0);

    silta.shop.remove_subscriptions();
    silta.warehouse.remove_subscription("OrderShipped");
    assert_eq!(subscriptions.restore_missing(subscriber).await.unwrap(), 2);
    let (listed, _) = subscriptions.list(subscriber).await.unwrap();
    assert_eq!(listed.iter().filter(|it| it.is_ours && it.is_kept).count(), 3);
    assert_eq!(subscriptions.restore_missing(subscriber).await.unwrap(), 0);

    let removed = subscriptions.remove(subscriber, None).await.unwrap();
    assert_eq!(removed.len(), 3);
    assert_eq!(subscriptions.list(subscriber).await.unwrap().0.len(), 0);
    // Webhooks in transit at removal are accepted for one more day.
    let (mut db, since) = (silta.outside_connection().await, silta.now() - secs(86_400));
    let keys = silta::store::subscriptions::list_keys(&mut db, CONNECTION, since).await.unwrap();
    assert_eq!(keys.len(), 5);
}
