//! Webhook subscriptions at both vendors.

use silta::{
    background::subscriptions::SubscriptionError,
    dev::sandbox::Fault,
    domain::connection_work::WorkKind,
    store::connection_work::{self, NewWork},
};

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
    let keys =
        silta::store::subscriptions::list_keys(&mut db, &[CONNECTION.to_owned()], since).await.unwrap();
    assert_eq!(keys.len(), 5);
}

/// The environment of a process whose webhook tokens are these.
fn tokens<'a>(shop: &'a str, warehouse: &'a str) -> [(&'static str, &'a str); 3] {
    [
        ("SILTA__HTTP__PUBLIC_URL", "https://silta.example.fi"),
        ("SILTA__CONNECTIONS__SHOP__MYCASHFLOW__WEBHOOK_TOKEN", shop),
        ("SILTA__CONNECTIONS__SHOP__OGOSHIP__WEBHOOK_TOKEN", warehouse),
    ]
}

impl TestSilta {
    /// The addresses that both vendors call, in order.
    fn called_addresses(&self) -> Vec<String> {
        let of_shop = self.shop.subscriptions().into_iter().map(|[_, _, url]| url);
        let of_warehouse = self.warehouse.subscriptions().into_iter().map(|[_, _, url, _]| url);
        let mut urls: Vec<_> = of_shop.chain(of_warehouse).collect();
        urls.sort();
        urls
    }
}

#[tokio::test]
async fn changed_webhook_token_replaces_the_old_subscriptions() {
    let silta = TestSilta::start().await;
    let old = silta.second_process_with(&tokens("the-old-token-1", "the-old-token-2"));
    let subscriber = old.subscriptions.find(CONNECTION).unwrap();
    assert_eq!(old.subscriptions.register(subscriber, false, "ops").await.unwrap().len(), 3);
    // Other addresses at the same vendors: another service, and a connection whose name begins alike.
    let others =
        ["https://other.example.fi/hook", "https://silta.example.fi/webhooks/mycashflow/shop-2/its-token"];
    for url in others {
        subscriber.clients.shop.subscribe("order.created", url).await.unwrap();
    }

    let new = silta.second_process_with(&tokens("the-new-token-1", "the-new-token-2"));
    let subscriber = new.subscriptions.find(CONNECTION).unwrap();
    let (listed, _) = new.subscriptions.list(subscriber).await.unwrap();
    assert_eq!(listed.iter().filter(|it| it.is_outdated).count(), 3);
    assert!(listed.iter().all(|it| !it.url.contains("old-token")), "a former token is not shown: {listed:?}");
    assert_eq!(new.subscriptions.restore_missing(subscriber).await.unwrap(), 3);
    let own = "https://silta.example.fi/webhooks";
    let mut expected = vec![
        others[0].to_owned(),
        others[1].to_owned(),
        format!("{own}/mycashflow/shop/the-new-token-1"),
        format!("{own}/ogoship/shop/the-new-token-2"),
        format!("{own}/ogoship/shop/the-new-token-2"),
    ];
    expected.sort();
    assert_eq!(silta.called_addresses(), expected);
    assert_eq!(new.subscriptions.restore_missing(subscriber).await.unwrap(), 0, "once");
    assert_eq!(silta.called_addresses(), expected);
    assert_eq!(new.subscriptions.remove(subscriber, None).await.unwrap().len(), 3);
    assert_eq!(silta.called_addresses(), others);
}

#[tokio::test]
async fn old_subscription_stays_until_the_new_one_is_there() {
    let silta = TestSilta::start().await;
    let old = silta.second_process_with(&tokens("the-old-token-1", "the-old-token-2"));
    let subscriber = old.subscriptions.find(CONNECTION).unwrap();
    old.subscriptions.register(subscriber, false, "ops").await.unwrap();
    let before = silta.called_addresses();
    let new = silta.second_process_with(&tokens("the-new-token-1", "the-new-token-2"));
    let subscriber = new.subscriptions.find(CONNECTION).unwrap();
    assert_eq!(new.subscriptions.remove_outdated(subscriber).await.unwrap(), 0);
    assert_eq!(silta.called_addresses(), before);
    // A person registers: the same as the watch does.
    new.subscriptions.register(subscriber, false, "ops").await.unwrap();
    assert_eq!(new.subscriptions.remove_outdated(subscriber).await.unwrap(), 3);
    assert!(silta.called_addresses().iter().all(|url| url.contains("the-new-token")));
}

#[tokio::test]
async fn registrations_of_page_command_and_check_take_turns() {
    let silta = TestSilta::start_with(TestOptions {
        service: "[http]\npublic_url = \"https://silta.example.fi\"\n",
        connection: "",
    })
    .await;
    let subscriptions = silta.subscriptions.clone();
    let subscriber = subscriptions.find(CONNECTION).unwrap();
    let made = subscriptions.register_in_turn(subscriber, false, "ops").await.unwrap();
    assert_eq!((made.created.len(), made.removed), (3, 0));
    silta.shop.remove_subscriptions();
    // As the page's button begins one.
    let (mut db, at) = (silta.outside_connection().await, silta.now() + secs(1));
    let id = uuid::Uuid::from_u128(7);
    let new = NewWork { id, connection: CONNECTION, kind: WorkKind::Register, actor: "page", at };
    assert!(connection_work::begin(&mut db, &new).await.unwrap());
    let refused = subscriptions.register_in_turn(subscriber, false, "ops").await;
    assert!(matches!(refused, Err(SubscriptionError::Running)), "{refused:?}");
    assert_eq!(subscriptions.restore_missing(subscriber).await.unwrap(), 0, "the hourly check waits too");
    assert_eq!(silta.shop.subscriptions().len(), 0);
    let key = (CONNECTION, WorkKind::Register, id);
    assert!(connection_work::finish(&mut db, key, &serde_json::json!([]), at).await.unwrap());

    silta.sandbox.shop_server.faults.script("POST", "/webhooks", Fault::Status(500));
    subscriptions.restore_missing(subscriber).await.unwrap_err();
    assert_eq!(silta.count("connection_work").await, 0, "a failure leaves nothing in the way");
    assert_eq!(subscriptions.restore_missing(subscriber).await.unwrap(), 1);
    assert_eq!(
        silta.count("connection_work where requested_by = 'watch' and finished_at is not null").await,
        1
    );
    assert_eq!(silta.shop.subscriptions().len(), 1);
}
