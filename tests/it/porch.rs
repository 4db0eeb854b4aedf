//! Keys and signatures: which key is still used, why a webhook is refused, how a stranger signs; subscriptions.

use serde_json::{Value, json};
use silta::{
    dev::sandbox::{OrderSpec, WebhookSender},
    security::detection::Hint,
};

use crate::harness::{Answer, CONNECTION, TestOptions, TestSilta, answer, secs};

const MYCASHFLOW_PATH: &str = "/webhooks/mycashflow/shop/sandbox-token-4f1d";

async fn sends(silta: &TestSilta, path: &str, headers: &[(&str, &str)], body: &'static str) -> Answer {
    let mut request = reqwest::Client::new().post(format!("{}{path}", silta.api.url)).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request).await
}

async fn item(silta: &TestSilta) -> Value {
    silta.key_usage.flush(&silta.pool).await.unwrap();
    silta.api.get("/admin/v1/connections/shop").await.body
}

#[tokio::test]
async fn each_key_shows_its_age_and_uses() {
    let silta = TestSilta::start().await;
    silta.place_order(OrderSpec::of("A", 1)).await;
    let item = item(&silta).await;
    let keys = item["keys"].as_array().unwrap();
    let of = |purpose: &str| keys.iter().find(|key| key["purpose"] == purpose).unwrap();
    assert_eq!(of("mycashflow_webhook")["uses"], 1);
    assert_eq!(
        (&of("ogoship_webhook")["uses"], &of("ogoship_webhook")["last_used_at"]),
        (&json!(0), &Value::Null)
    );
    let text = item.to_string();
    for secret in ["083c584d-ae65-11ec-aef4-0242ac130002", "sandbox-webhook-key", "sandbox-token-4f1d"] {
        assert!(!text.contains(secret), "a key is shown");
    }
    silta.key_usage.flush(&silta.pool).await.unwrap();
    let tokens = silta
        .scalar::<i64>("select uses from key_usage where purpose = 'admin_token' and key_id = 'ops'")
        .await;
    assert!(tokens > 0);
}

#[tokio::test]
async fn refused_signature_records_a_hint_and_no_event() {
    let silta = TestSilta::start().await;
    let body = r#"{"topic":"order.created","data":{"id":1}}"#;
    let webhook = silta::dev::sandbox::Webhook::raw_from_shop(body.as_bytes());
    let (header, right) = WebhookSender::signature(&webhook);
    let another = "0".repeat(64);
    let table = [
        (("x-nothing", ""), Hint::HeaderMissing),
        (("x-other", right.as_str()), Hint::OtherHeader),
        ((header, "hello"), Hint::NotASignature),
        ((header, another.as_str()), Hint::WrongKey),
    ];
    for (header, _) in table {
        assert_eq!(sends(&silta, MYCASHFLOW_PATH, &[header], body).await.status, 401);
    }
    let item = item(&silta).await;
    let refusals = item["rejected_webhooks"].as_array().unwrap();
    for (_, hint) in table {
        let refusal = refusals.iter().find(|it| it["hint"] == hint.as_str()).expect("a hint");
        assert_eq!((&refusal["count"], &refusal["source"]), (&json!(1), &json!("mycashflow")));
    }
    assert_eq!(silta.count("event").await, 0);
}

#[tokio::test]
async fn signature_detection_learns_from_a_refused_webhook() {
    let silta = TestSilta::start().await;
    let mut db = silta.outside_connection().await;
    let until = silta.now() + secs(600);
    silta::store::signature_detections::request_detection(&mut db, CONNECTION, "mycashflow", "ops", until)
        .await
        .unwrap();
    let body = r#"{"topic":"order.created","data":{"id":1}}"#;
    let (_, right) = WebhookSender::signature(&silta::dev::sandbox::Webhook::raw_from_shop(body.as_bytes()));
    let told = sends(&silta, MYCASHFLOW_PATH, &[("x-mcf-hmac", &right)], body).await;
    assert_eq!(told.status, 401);
    let detection = silta::store::signature_detections::find_detection(&mut db, CONNECTION, "mycashflow")
        .await
        .unwrap()
        .unwrap();
    let found = &detection.found[0];
    assert_eq!(
        (&found["header"], &found["hash"], &found["encoding"]),
        (&json!("x-mcf-hmac"), &json!("HMAC-SHA256"), &json!("hex"))
    );
    assert!(detection.headers.contains(&"x-mcf-hmac".to_owned()));
    let kept: String = silta.scalar("select row_to_json(detection)::text from detection").await;
    assert!(!kept.contains(&right) && !kept.contains("083c584d"), "a value was kept: {kept}");
    assert_eq!(silta.count("event").await, 0);
}

#[tokio::test]
async fn repeated_wrong_signatures_throttle_only_that_client() {
    let silta = TestSilta::start_with(TestOptions { service: "[http]\nproxies = 1\n", connection: "" }).await;
    let wrong = ("X-OGOship-Hmac-SHA256", "AAAA");
    let from = |address| [wrong, ("x-forwarded-for", address)];
    for _ in 0..30 {
        assert_eq!(sends(&silta, "/webhooks/ogoship/shop", &from("203.0.113.7"), "{}").await.status, 401);
    }
    let throttled = sends(&silta, "/webhooks/ogoship/shop", &from("203.0.113.7"), "{}").await;
    assert_eq!((throttled.status, throttled.text("/code")), (429, "too_many"));
    assert_eq!(throttled.headers["retry-after"], "60");
    assert_eq!(sends(&silta, "/webhooks/ogoship/shop", &from("203.0.113.8"), "{}").await.status, 401);
    silta.place_order(OrderSpec::of("A", 1)).await; // comes from elsewhere, with a key
    silta.clock.advance(secs(61));
    assert_eq!(sends(&silta, "/webhooks/ogoship/shop", &from("203.0.113.7"), "{}").await.status, 401);
}

#[tokio::test]
async fn subscriptions_are_registered_and_their_keys_accepted() {
    let mut silta = TestSilta::start_with(TestOptions {
        service: "[http]\npublic_url = \"https://silta.example.fi\"\n",
        connection: "",
    })
    .await;
    silta.leave_unfinished();
    let subscriptions = silta.subscriptions.clone();
    let of = subscriptions.find(CONNECTION).unwrap();
    let made = subscriptions.register(of, false, "ops").await.unwrap();
    assert_eq!(made.len(), 3, "{made:?}");
    assert!(made.iter().all(|made| made.key.is_none()), "they lie sealed");
    assert_eq!(subscriptions.register(of, false, "ops").await.unwrap().len(), 0, "they stand already");

    // The warehouse signs with the key that it was told; nobody has written it into the configuration.
    let key = silta.warehouse.subscriptions()[0][3].clone();
    let body = r#"{"type":"ProductStockLevelChanged","productCode":"A"}"#;
    let signature = silta::security::signature::sign_base64(key.as_bytes(), body.as_bytes());
    let told = sends(&silta, "/webhooks/ogoship/shop", &[("X-OGOship-Hmac-SHA256", &signature)], body).await;
    assert_eq!(told.status, 200, "{}", told.body);

    let sealed: Vec<u8> =
        silta.scalar("select sealed_key from subscription where source = 'ogoship' limit 1").await;
    assert!(!sealed.windows(8).any(|part| part == &key.as_bytes()[..8]), "the key lies in the clear");
    let item = item(&silta).await;
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
    let of = subscriptions.find(CONNECTION).unwrap();
    assert_eq!(
        subscriptions.restore_missing(of).await.unwrap(),
        0,
        "what nobody registered is nobody's to watch"
    );
    assert_eq!(silta.sandbox.warehouse_server.calls.count("GET", "/webhooks"), 0);
    subscriptions.register(of, false, "ops").await.unwrap();
    assert_eq!(subscriptions.restore_missing(of).await.unwrap(), 0);

    silta.shop.remove_subscriptions();
    silta.warehouse.remove_subscription("OrderShipped");
    assert_eq!(subscriptions.restore_missing(of).await.unwrap(), 2);
    let (listed, _) = subscriptions.list(of).await.unwrap();
    assert_eq!(listed.iter().filter(|it| it.is_ours && it.is_kept).count(), 3);
    assert_eq!(subscriptions.restore_missing(of).await.unwrap(), 0);

    let removed = subscriptions.remove(of, None).await.unwrap();
    assert_eq!(removed.len(), 3);
    assert_eq!(subscriptions.list(of).await.unwrap().0.len(), 0);
    // What is on its way when it is removed is still taken, for a day.
    let (mut db, since) = (silta.outside_connection().await, silta.now() - secs(86_400));
    let keys = silta::store::subscriptions::list_keys(&mut db, CONNECTION, since).await.unwrap();
    assert_eq!(keys.len(), 5);
}

#[tokio::test]
async fn oauth_tokens_are_sealed_and_shared_by_processes() {
    let silta = TestSilta::start().await;
    silta.place_order(OrderSpec::of("A", 1)).await;
    let sealed: Vec<u8> = silta.scalar("select sealed from sealed_token").await;
    let text = String::from_utf8_lossy(&sealed);
    assert!(!text.contains("access-") && !text.contains("refresh-"), "the pair lies in the clear");
    let before = silta.warehouse.grants();
    let other = silta.second_worker();
    silta.send_webhook(silta.shop.order_created(silta.shop.place_order(OrderSpec::of("A", 1)))).await;
    other.run_until_idle().await.unwrap();
    assert_eq!(silta.warehouse.grants(), before, "it has opened the pair and signs in no second time");
}
