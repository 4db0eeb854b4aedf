//! The configuration read anew while everything runs, and spans to a collector: the real binary.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use axum::{Router, body::Bytes, routing::post};
use serde_json::json;
use silta::dev::sandbox::OrderSpec;

use super::process::{Process, config_file, sandbox};
use crate::harness::{CONNECTION, Database, answer, http, wait_until};

/// Signs as the shop does, under any key.
fn signature(key: &str, body: &[u8]) -> String {
    hex::encode(silta::security::signature::sign(key, body))
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_rotation_under_load_refuses_no_webhook() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let config = config_file(&sandbox, "");
    let process = Process::start(config.path(), Some(&database.url()));
    let first = "083c584d-ae65-11ec-aef4-0242ac130002";
    let key = Arc::new(Mutex::new(first.to_owned()));
    let (is_over, sent, refused) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let url = format!("{}/webhooks/mycashflow/{CONNECTION}/sandbox-token-4f1d", process.url);
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            let (key, is_over, sent, refused, url) =
                (key.clone(), is_over.clone(), sent.clone(), refused.clone(), url.clone());
            tokio::spawn(async move {
                let client = reqwest::Client::new();
                for number in 0.. {
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    let body = json!({ "topic": "order.created", "data": { "id": 1_000_000 * (sender + 1) + number } }).to_string();
                    let signature = signature(&key.lock().unwrap().clone(), body.as_bytes());
                    let request = client.post(&url).header("X-MyCashflow-Signature", signature).body(body);
                    let answer = answer(request).await;
                    sent.fetch_add(1, Ordering::SeqCst);
                    if answer.status != 200 {
                        refused.lock().unwrap().push((answer.status, answer.body));
                    }
                }
            })
        })
        .collect();
    let wait_for_more = async || {
        let before = sent.load(Ordering::SeqCst);
        wait_until("webhooks go on", async || sent.load(Ordering::SeqCst) > before + 40).await;
    };
    let keys = |secrets: &str| {
        let text = std::fs::read_to_string(config.path()).unwrap();
        let line = text.lines().find(|line| line.starts_with("secrets = ")).unwrap().to_owned();
        std::fs::write(config.path(), text.replace(&line, &format!("secrets = {secrets}"))).unwrap();
    };
    for round in 0..3 {
        let (old, new) = (key.lock().unwrap().clone(), format!("key-number-{round}"));
        wait_for_more().await;
        keys(&format!("[\"{old}\", \"{new}\"]"));
        process.reloads("connections.shop.mycashflow.signature.secrets").await;
        wait_for_more().await;
        key.lock().unwrap().clone_from(&new); // the shop signs with the new one now
        wait_for_more().await;
        keys(&format!("[\"{new}\"]"));
        process.reloads("connections.shop.mycashflow.signature.secrets").await;
    }
    wait_for_more().await;
    // A configuration with a fault changes nothing.
    keys("[]\nnonsense = 1");
    process.signals("HUP");
    process.says("the configuration was not reloaded").await;
    wait_for_more().await;
    is_over.store(true, Ordering::SeqCst);
    for sender in senders {
        sender.await.unwrap();
    }
    assert_eq!(*refused.lock().unwrap(), []);
    // What was retired fits no more.
    let request = reqwest::Client::new()
        .post(&url)
        .header("X-MyCashflow-Signature", signature(first, b"{}"))
        .body("{}");
    assert_eq!(answer(request).await.status, 401);
    assert!(process.terminate());
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_reach_a_collector_without_personal_data() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let spans = Arc::new(Mutex::new(Vec::<u8>::new()));
    let kept = spans.clone();
    let collector = Router::new().route(
        "/v1/traces",
        post(async move |body: Bytes| {
            kept.lock().unwrap().extend_from_slice(&body);
        }),
    );
    let (url, _serving) = http::serve(collector).await;
    let config = config_file(&sandbox, &format!("[traces]\notlp = \"{url}\"\n"));
    let process = Process::start(config.path(), Some(&database.url()));
    let webhook_sender = silta::dev::sandbox::WebhookSender::to(&process.url, CONNECTION);
    let order = sandbox.shop.place_order(OrderSpec::of("A", 1));
    webhook_sender.send(&sandbox.shop.order_created(order)).await.unwrap();
    wait_until("it stands at the warehouse", async || {
        sandbox.warehouse.count(&format!("{CONNECTION}-{order}")) == 1
    })
    .await;
    assert!(process.terminate(), "the last spans go out with the process");
    let told = String::from_utf8_lossy(&spans.lock().unwrap().clone()).into_owned();
    for word in ["silta", "receive", "attempt", "place_order", "read_order", "order.created", "task"] {
        assert!(told.contains(word), "no span says {word}");
    }
    for secret in ["sandbox-token-4f1d", "Mannerheim", "@example", "api@", "083c584d"] {
        assert!(!told.contains(secret), "a span says {secret}");
    }
}
