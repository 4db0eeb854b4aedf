//! Webhooks: what is verified and stored, what is refused, what counts as a duplicate.

use reqwest::Method;
use serde_json::json;
use silta::dev::sandbox::{OrderSpec, Webhook, WebhookSender};

use crate::harness::{TestOptions, TestSilta, answer, secs};

pub const MYCASHFLOW_PATH: &str = "/webhooks/mycashflow/shop/sandbox-token-4f1d";

pub const OGOSHIP_PATH: &str = "/webhooks/ogoship/shop";

pub async fn post_webhook(
    silta: &TestSilta,
    path: &str,
    header: (&str, &str),
    body: &[u8],
) -> crate::harness::Answer {
    answer(silta.api.request(Method::POST, path).header(header.0, header.1).body(body.to_vec())).await
}

#[tokio::test]
async fn acknowledged_webhook_is_committed() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    let body = br#"{"topic":"order.created","data":{"id":1042}}"#;
    let receipt = silta.send_webhook(Webhook::raw_from_shop(body)).await;
    assert_eq!(receipt["duplicate"], false);

    let row: (String, String, String, Vec<u8>) =
        sqlx::query_as("select source, topic, subject, body from event where id = $1::uuid")
            .bind(receipt["event_id"].as_str().unwrap())
            .fetch_one(&silta.pool)
            .await
            .unwrap();
    assert_eq!(
        (row.0.as_str(), row.1.as_str(), row.2.as_str()),
        ("mycashflow", "order.created", "order:1042")
    );
    assert_eq!(row.3, body, "the raw bytes are kept");
    assert_eq!(silta.task_state("order:1042").await, "pending");
}

#[tokio::test]
async fn wrong_signature_gets_401_and_stores_nothing() {
    let silta = TestSilta::start().await;
    let webhook = Webhook::raw_from_shop(br#"{"id":1}"#);
    let (_, signature) = WebhookSender::signature(&webhook);
    let altered = br#"{"id":2}"#;

    let wrong = post_webhook(&silta, MYCASHFLOW_PATH, ("X-MyCashflow-Signature", &signature), altered).await;
    assert_eq!((wrong.status, wrong.text("/code")), (401, "signature_wrong"));
    assert_eq!(wrong.headers["content-type"], "application/problem+json");
    let missing = post_webhook(&silta, MYCASHFLOW_PATH, ("X-Other", &signature), &webhook.body).await;
    assert_eq!((missing.status, missing.text("/code")), (401, "signature_missing"));
    let hex_to_ogoship =
        post_webhook(&silta, OGOSHIP_PATH, ("X-OGOship-Hmac-SHA256", &signature), &webhook.body).await;
    assert_eq!(hex_to_ogoship.status, 401);
    assert_eq!((silta.count("event").await, silta.count("task").await), (0, 0));
}

#[tokio::test]
async fn every_flipped_byte_is_refused() {
    let silta = TestSilta::start().await;
    let body = br#"{"topic":"order.created","data":{"id":1042,"note":"\u00e4\u00e4ni"}}"#;
    let bodies = [Webhook::raw_from_shop(body), Webhook::raw_from_warehouse(body)];
    for (webhook, path) in bodies.into_iter().zip([MYCASHFLOW_PATH, OGOSHIP_PATH]) {
        let (header, signature) = WebhookSender::signature(&webhook);
        for at in 0..webhook.body.len() {
            for change in [0x01, 0x20, 0xff] {
                let mut changed = webhook.body.clone();
                changed[at] ^= change;
                silta.clock.advance(secs(3)); // so that the throttle answers none of them
                let answer = post_webhook(&silta, path, (header, &signature), &changed).await;
                assert_eq!((answer.status, answer.text("/code")), (401, "signature_wrong"), "byte {at}");
            }
        }
        for (shorter, longer) in [(&webhook.body[1..], b"x".as_slice()), (&webhook.body, b" ")] {
            let changed = [shorter, longer].concat();
            assert_eq!(post_webhook(&silta, path, (header, &signature), &changed).await.status, 401);
        }
        // The same for every changed letter of the signature.
        for at in 0..signature.trim_end_matches('=').len() - 1 {
            let mut changed = signature.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            silta.clock.advance(secs(3));
            assert_eq!(
                post_webhook(&silta, path, (header, &changed), &webhook.body).await.status,
                401,
                "letter {at}"
            );
        }
    }
    assert_eq!((silta.count("event").await, silta.count("task").await), (0, 0));
}

#[tokio::test]
async fn refused_webhook_does_not_block_the_genuine_one() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    let webhook = Webhook::raw_from_shop(br#"{"topic":"order.created","data":{"id":1}}"#);
    let refused =
        post_webhook(&silta, MYCASHFLOW_PATH, ("X-MyCashflow-Signature", "00"), &webhook.body).await;
    assert_eq!(refused.status, 401);
    assert_eq!(silta.send_webhook(webhook).await["duplicate"], false);
}

#[tokio::test]
async fn each_invalid_webhook_gets_its_own_status() {
    let silta = TestSilta::start_with(TestOptions {
        service: "[http]\nbody_limit = \"1KiB\"",
        ..TestOptions::default()
    })
    .await;
    let cases = [
        ("/webhooks/mycashflow/shop/wrong-token", "{}", 404),
        ("/webhooks/mycashflow/other/sandbox-token-4f1d", "{}", 404),
        ("/webhooks/ogoship/other", "{}", 404),
        (MYCASHFLOW_PATH, "not json", 400),
        (OGOSHIP_PATH, "", 400),
    ];
    for (path, body, status) in cases {
        let body = body.as_bytes();
        let webhook = if path.contains("ogoship") {
            Webhook::raw_from_warehouse(body)
        } else {
            Webhook::raw_from_shop(body)
        };
        let (header, signature) = WebhookSender::signature(&webhook);
        assert_eq!(post_webhook(&silta, path, (header, &signature), body).await.status, status, "{path}");
    }
    let large = Webhook::raw_from_shop(&vec![b' '; 2000]);
    let (header, signature) = WebhookSender::signature(&large);
    assert_eq!(post_webhook(&silta, MYCASHFLOW_PATH, (header, &signature), &large.body).await.status, 413);
    assert_eq!(answer(silta.api.request(Method::GET, OGOSHIP_PATH)).await.status, 405);
    assert_eq!(silta.count("event").await, 0);
}

#[tokio::test]
async fn any_active_secret_in_either_encoding_is_accepted() {
    use base64::Engine;

    let secrets = "SILTA__CONNECTIONS__SHOP__MYCASHFLOW__SIGNATURE__SECRETS";
    let mut silta =
        TestSilta::start_with_env(TestOptions::default(), &[(secrets, "next-secret, last-secret")]).await;
    silta.leave_unfinished();
    for (at, secret) in ["last-secret", "next-secret"].iter().enumerate() {
        let body = json!({ "topic": "order.created", "data": { "id": at + 1 } }).to_string();
        let signature = silta::security::signature::sign(secret, body.as_bytes());
        let encoded = base64::engine::general_purpose::STANDARD.encode(&signature);
        for written in [encoded, hex::encode(signature)] {
            let response =
                post_webhook(&silta, MYCASHFLOW_PATH, ("X-MyCashflow-Signature", &written), body.as_bytes())
                    .await;
            assert_eq!(response.status, 200, "{secret}");
        }
    }
    let removed = silta::security::signature::sign(silta::dev::sandbox::credentials::SHOP_SECRET, b"{}");
    let refused =
        post_webhook(&silta, MYCASHFLOW_PATH, ("X-MyCashflow-Signature", &hex::encode(removed)), b"{}").await;
    assert_eq!(refused.status, 401, "a removed secret is refused");
}

#[tokio::test]
async fn duplicate_webhook_creates_no_second_task() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.warehouse.receive_goods("A", 5);
    let first = silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    silta.clock.advance(secs(86_400));
    let again = silta.send_webhook(silta.shop.order_created(order)).await;
    assert_eq!((again["duplicate"].as_bool(), &again["event_id"]), (Some(true), &first["event_id"]));
    assert_eq!((silta.count("event").await, silta.count("task").await), (1, 1));
}

#[tokio::test]
async fn undated_repeat_is_a_duplicate_but_raises_the_revision() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "A", 0);
    silta.warehouse.receive_goods("A", 5);
    silta.send_webhook(silta.warehouse.stock_changed("A")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.quantity("A"), Some(5));

    // The stock changes again within the minute, with an identical callback.
    silta.warehouse.receive_goods("A", 2);
    assert_eq!(silta.send_webhook(silta.warehouse.stock_changed("A")).await["duplicate"], true);
    silta.run_until_idle().await;
    assert_eq!(silta.shop.quantity("A"), Some(7), "the change is not lost");

    silta.clock.advance(secs(120));
    assert_eq!(silta.send_webhook(silta.warehouse.stock_changed("A")).await["duplicate"], false);
    silta.run_until_idle().await;
}

#[tokio::test]
async fn unknown_topic_is_stored_and_brings_the_polls_forward() {
    let silta = TestSilta::start().await;
    silta.poll().await;
    for body in [&br#"{"type":"Unheard","value":[1]}"#[..], b"[1,2,3]", b"null", b"\"\\u0000\""] {
        let receipt = silta.send_webhook(Webhook::raw_from_warehouse(body)).await;
        assert_eq!(receipt["duplicate"], false);
    }
    assert_eq!((silta.count("event").await, silta.count("task").await), (4, 0));
    let due: i64 = silta.scalar("select count(*) from poll where what in ('statuses', 'stock') and due_at <= '2026-09-21 14:13:20Z'").await;
    assert_eq!(due, 2);
}

#[tokio::test]
async fn callbacks_about_one_subject_make_one_task() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "A", 0);
    silta.warehouse.receive_goods("A", 5);
    let requests = (0..200).map(|at| {
        let body = json!({ "type": 2, "productCode": "A", "modified": at }).to_string();
        let webhook_sender = silta.webhook_sender.clone();
        async move { webhook_sender.send(&Webhook::raw_from_warehouse(body.as_bytes())).await.unwrap().0 }
    });
    let mut tasks = tokio::task::JoinSet::new();
    requests.for_each(|webhook| drop(tasks.spawn(webhook)));
    let statuses = tasks.join_all().await;
    assert!(statuses.iter().all(|status| *status == 200));

    assert_eq!((silta.count("event").await, silta.count("task").await), (200, 1));
    let revision: i32 = silta.scalar("select revision from task").await;
    assert_eq!(revision, 200);
    silta.run_until_idle().await;
    assert_eq!((silta.shop.quantity("A"), silta.shop.writes()), (Some(5), 1));
}

#[tokio::test]
async fn concurrent_duplicates_store_one_event() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    let webhook = Webhook::raw_from_shop(br#"{"topic":"order.created","data":{"id":7}}"#);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (webhook_sender, webhook) = (silta.webhook_sender.clone(), webhook.clone());
        tasks.spawn(async move { webhook_sender.send(&webhook).await.unwrap() });
    }
    let answers = tasks.join_all().await;
    let ids: std::collections::HashSet<_> =
        answers.iter().map(|(_, body)| body["event_id"].to_string()).collect();
    let fresh = answers.iter().filter(|(_, body)| body["duplicate"] == false).count();
    assert_eq!((ids.len(), fresh, silta.count("event").await), (1, 1, 1));
}

/// A webhook that somebody has recorded, sent again with another topic beside it: the topic is not signed.
#[tokio::test]
async fn recorded_webhook_with_another_topic_in_its_address_is_a_duplicate() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    let webhook = Webhook::raw_from_shop(br#"{"id":1042,"updated_at":"2026-09-21T10:00:00Z"}"#);
    let (header, signature) = WebhookSender::signature(&webhook);
    let send = async |topic: &str| {
        let path = format!("{MYCASHFLOW_PATH}?topic={topic}");
        let answer = post_webhook(&silta, &path, (header, &signature), &webhook.body).await;
        assert_eq!(answer.status, 200);
        answer.body["duplicate"].as_bool().unwrap()
    };
    assert!(!send("order.updated").await);
    for topic in ["order.created", "orders.x", "order.updated2"] {
        assert!(send(topic).await, "{topic}");
    }
    assert!(!send("product.updated").await, "the same number of another kind of subject is not lost");
    assert_eq!(silta.count("event").await, 2);
}
