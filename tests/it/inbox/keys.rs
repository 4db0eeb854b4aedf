//! Keys and signatures: uses of each key, hints about refused webhooks, signature detection, the throttle.

use serde_json::{Value, json};
use silta::{
    dev::sandbox::{OrderSpec, WebhookSender},
    security::detection::Hint,
    store::signature_detections,
};

use crate::harness::{Answer, CONNECTION, TestOptions, TestSilta, answer, secs, wait_until};

const MYCASHFLOW_PATH: &str = "/webhooks/mycashflow/shop/sandbox-token-4f1d";

pub async fn post_with_headers(
    silta: &TestSilta,
    path: &str,
    headers: &[(&str, &str)],
    body: &'static str,
) -> Answer {
    let mut request = reqwest::Client::new().post(format!("{}{path}", silta.api.url)).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request).await
}

pub async fn show_connection(silta: &TestSilta) -> Value {
    silta.key_usage.flush(&silta.pool).await.unwrap();
    silta.api.get("/admin/v1/connections/shop").await.body
}

#[tokio::test]
async fn each_key_shows_its_age_and_uses() {
    let silta = TestSilta::start().await;
    silta.place_order(OrderSpec::of("A", 1)).await;
    let item = show_connection(&silta).await;
    let keys = item["keys"].as_array().unwrap();
    let key = |purpose: &str| keys.iter().find(|key| key["purpose"] == purpose).unwrap();
    assert_eq!(key("mycashflow_webhook")["uses"], 1);
    assert_eq!(
        (&key("ogoship_webhook")["uses"], &key("ogoship_webhook")["last_used_at"]),
        (&json!(0), &Value::Null)
    );
    let text = item.to_string();
    for secret in ["083c584d-ae65-11ec-aef4-0242ac130002", "sandbox-webhook-key", "sandbox-token-4f1d"] {
        assert!(!text.contains(secret), "a key is shown");
    }
    silta.key_usage.flush(&silta.pool).await.unwrap();
    let token =
        "key_usage where purpose = 'admin_token' and key_id = 'ops' and last_used_at is not null and uses";
    assert_eq!(silta.count(&format!("{token} = 1")).await, 1, "the page above was the token's only use");
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
        assert_eq!(post_with_headers(&silta, MYCASHFLOW_PATH, &[header], body).await.status, 401);
        silta.clock.advance(secs(1)); // one a second is examined
    }
    let item = show_connection(&silta).await;
    let rejections = item["rejected_webhooks"].as_array().unwrap();
    for (_, hint) in table {
        let rejected = rejections.iter().find(|it| it["hint"] == hint.as_str()).expect("a hint");
        assert_eq!((&rejected["count"], &rejected["source"]), (&json!(1), &json!("mycashflow")));
    }
    assert_eq!(silta.count("event").await, 0);
}

/// The others are only counted.
#[tokio::test]
async fn one_wrong_signature_a_second_is_examined() {
    let silta = TestSilta::start().await;
    let wrong = [("X-OGOship-Hmac-SHA256", "AAAA")];
    for _ in 0..2 {
        for _ in 0..4 {
            assert_eq!(post_with_headers(&silta, "/webhooks/ogoship/shop", &wrong, "{}").await.status, 401);
        }
        silta.clock.step(chrono::TimeDelta::days(-1)); // a clock that is set back stops nothing
        silta.clock.advance(secs(1));
    }
    let item = show_connection(&silta).await;
    let count = |hint: Hint| {
        let rejections = item["rejected_webhooks"].as_array().unwrap();
        rejections.iter().find(|it| it["hint"] == hint.as_str()).map(|it| it["count"].clone())
    };
    assert_eq!((count(Hint::NotASignature), count(Hint::NotExamined)), (Some(json!(2)), Some(json!(6))));
}

/// It is sent first, as often as anybody likes. What ends the detection is a webhook that a known key has signed.
#[tokio::test]
async fn forged_webhook_ends_no_signature_detection() {
    let silta = TestSilta::start().await;
    let mut db = silta.outside_connection().await;
    let until = silta.now() + secs(600);
    signature_detections::request_detection(&mut db, CONNECTION, "mycashflow", "ops", (silta.now(), until))
        .await
        .unwrap();
    let body = r#"{"topic":"order.created","data":{"id":1}}"#;
    let forged = "0".repeat(64);
    let forgery = [("x-forged", forged.as_str())];
    assert_eq!(post_with_headers(&silta, MYCASHFLOW_PATH, &forgery, body).await.status, 401);
    let detection = signature_detections::find_detection(&mut db, CONNECTION, "mycashflow").await.unwrap();
    assert!(detection.is_none(), "{detection:?}");
    let seen = signature_detections::find_unsigned(&mut db, CONNECTION, "mycashflow").await.unwrap();
    assert!(seen.unwrap().contains(&"x-forged".to_owned()));
    silta.clock.advance(secs(1));
    let (_, right) = WebhookSender::signature(&silta::dev::sandbox::Webhook::raw_from_shop(body.as_bytes()));
    let genuine = [("x-mcf-hmac", right.as_str())];
    assert_eq!(post_with_headers(&silta, MYCASHFLOW_PATH, &genuine, body).await.status, 401);
    let detection = signature_detections::find_detection(&mut db, CONNECTION, "mycashflow").await.unwrap();
    assert_eq!(detection.expect("a result").found[0]["header"], "x-mcf-hmac");
}

/// Once a second at most, since anybody can send one, and only while an operator waits for a webhook of that connection.
#[tokio::test]
async fn wrong_token_is_noted_for_an_operator_who_waits() {
    let silta = TestSilta::start().await;
    let mut db = silta.outside_connection().await;
    let mut wait_for = async |source: &str, time| {
        let until = silta.now() + secs(time);
        signature_detections::request_detection(&mut db, CONNECTION, source, "ops", (silta.now(), until))
            .await
            .unwrap();
    };
    let post = async |source: &str, connection: &str| {
        let path = format!("/webhooks/{source}/{connection}/another-token");
        assert_eq!(post_with_headers(&silta, &path, &[], "{}").await.status, 404);
    };
    let noted = async |source: &str| -> i64 {
        let sum = "select coalesce(sum(wrong_tokens), 0)::bigint from signature_detection where source = ";
        silta.scalar_text(&format!("{sum}'{source}'")).await
    };
    wait_for("mycashflow", 0).await; // it is over at once
    post("mycashflow", CONNECTION).await;
    silta.clock.advance(secs(1));
    wait_for("ogoship", 600).await;
    for count in 1..=2 {
        post("ogoship", "unknown").await;
        for _ in 0..3 {
            post("ogoship", CONNECTION).await;
        }
        wait_until("it is noted", async || noted("ogoship").await == count).await;
        silta.clock.advance(secs(1));
    }
    assert_eq!(noted("mycashflow").await, 0, "nobody waits");
    wait_for("ogoship", 600).await;
    assert_eq!(noted("ogoship").await, 0, "it begins anew");
}

#[tokio::test]
async fn signature_detection_learns_from_a_refused_webhook() {
    let silta = TestSilta::start().await;
    let mut db = silta.outside_connection().await;
    let until = silta.now() + secs(600);
    signature_detections::request_detection(&mut db, CONNECTION, "mycashflow", "ops", (silta.now(), until))
        .await
        .unwrap();
    let body = r#"{"topic":"order.created","data":{"id":1}}"#;
    let (_, right) = WebhookSender::signature(&silta::dev::sandbox::Webhook::raw_from_shop(body.as_bytes()));
    let response = post_with_headers(&silta, MYCASHFLOW_PATH, &[("x-mcf-hmac", &right)], body).await;
    assert_eq!(response.status, 401);
    let detection =
        signature_detections::find_detection(&mut db, CONNECTION, "mycashflow").await.unwrap().unwrap();
    let found = &detection.found[0];
    assert_eq!(
        (&found["header"], &found["hash"], &found["encoding"]),
        (&json!("x-mcf-hmac"), &json!("HMAC-SHA256"), &json!("hex"))
    );
    assert!(detection.headers.contains(&"x-mcf-hmac".to_owned()));
    let kept: String =
        silta.scalar("select row_to_json(signature_detection)::text from signature_detection").await;
    assert!(!kept.contains(&right) && !kept.contains("083c584d"), "a value was kept: {kept}");
    assert_eq!(silta.count("event").await, 0);
}

const WRONG: (&str, &str) = ("X-OGOship-Hmac-SHA256", "AAAA");
const OGOSHIP_PATH: &str = "/webhooks/ogoship/shop/sandbox-token-9b27";

async fn behind_a_proxy() -> TestSilta {
    TestSilta::start_with(TestOptions { service: "[http]\nproxies = 1\n", connection: "" }).await
}

#[tokio::test]
async fn repeated_wrong_signatures_throttle_only_that_client() {
    let silta = behind_a_proxy().await;
    let send = async |address: &str| {
        post_with_headers(&silta, OGOSHIP_PATH, &[WRONG, ("x-forwarded-for", address)], "{}").await
    };
    for _ in 0..30 {
        assert_eq!(send("203.0.113.7").await.status, 401);
    }
    let throttled = send("203.0.113.7").await;
    assert_eq!((throttled.status, throttled.text("/code")), (429, "too_many"));
    assert_eq!(throttled.headers["retry-after"], "60");
    assert_eq!(send("203.0.113.8").await.status, 401);
    let rejections = show_connection(&silta).await["rejected_webhooks"].clone();
    let rejected: i64 = rejections.as_array().unwrap().iter().filter_map(|it| it["count"].as_i64()).sum();
    assert_eq!(rejected, 31, "the throttled one is not looked into");
    silta.clock.advance(secs(61));
    assert_eq!(send("203.0.113.7").await.status, 401);
}

#[tokio::test]
async fn right_signature_is_never_throttled() {
    let silta = behind_a_proxy().await;
    let attacker = ("x-forwarded-for", "203.0.113.7");
    for _ in 0..200 {
        post_with_headers(&silta, OGOSHIP_PATH, &[WRONG, attacker], "{}").await;
        post_with_headers(&silta, "/webhooks/ogoship/shop/wrong-token", &[WRONG, attacker], "{}").await;
    }
    let body = r#"{"type":"ProductStockLevelChanged","productCode":"A"}"#;
    let webhook = silta::dev::sandbox::Webhook::raw_from_warehouse(body.as_bytes());
    let (header, right) = WebhookSender::signature(&webhook);
    let vendor = post_with_headers(&silta, OGOSHIP_PATH, &[(header, &right), attacker], body).await;
    assert_eq!(vendor.status, 200, "the vendor shares the attacker's address");
    silta.run_until_idle().await;
}

#[tokio::test]
async fn failures_count_by_vendor_and_connection() {
    let silta = TestSilta::start().await;
    for _ in 0..31 {
        post_with_headers(&silta, OGOSHIP_PATH, &[WRONG], "{}").await;
    }
    assert_eq!(post_with_headers(&silta, OGOSHIP_PATH, &[WRONG], "{}").await.status, 429);
    let other = post_with_headers(&silta, MYCASHFLOW_PATH, &[("X-MyCashflow-Signature", "00")], "{}").await;
    assert_eq!(other.status, 401);
}

#[tokio::test]
async fn wrong_path_tokens_are_throttled_alike_for_all_connections() {
    let silta = TestSilta::start().await;
    for _ in 0..30 {
        let path = "/webhooks/mycashflow/shop/wrong-token";
        assert_eq!(post_with_headers(&silta, path, &[], "{}").await.status, 404);
    }
    for connection in ["shop", "unknown"] {
        for vendor in ["mycashflow", "ogoship"] {
            let path = format!("/webhooks/{vendor}/{connection}/wrong-token");
            assert_eq!(post_with_headers(&silta, &path, &[], "{}").await.status, 429, "{path}");
        }
    }
    silta.place_order(OrderSpec::of("A", 1)).await; // the right path
}

#[tokio::test]
async fn warehouse_path_without_its_token_is_accepted_only_by_setting() {
    let body = r#"{"type":"ProductStockLevelChanged","productCode":"A"}"#;
    let webhook = silta::dev::sandbox::Webhook::raw_from_warehouse(body.as_bytes());
    let (header, right) = WebhookSender::signature(&webhook);
    let statuses = async |token: &str, is_accepted: &str| {
        let settings =
            [("ogoship.webhook_token", token), ("ogoship.webhook_path_without_token", is_accepted)];
        let silta = TestSilta::start_with_settings(&settings).await;
        let mut statuses = Vec::new();
        for path in ["/webhooks/ogoship/shop", "/webhooks/ogoship/shop/a-long-token", OGOSHIP_PATH] {
            statuses.push(post_with_headers(&silta, path, &[(header, &right)], body).await.status);
        }
        silta.run_until_idle().await;
        statuses
    };
    assert_eq!(statuses("a-long-token", "false").await, [404, 200, 404]);
    assert_eq!(statuses("a-long-token", "true").await, [200, 200, 404]);
    assert_eq!(statuses("", "false").await, [200, 404, 404], "an installation without a token");
}
