//! Spans are exported over OTLP.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, routing::post};
use silta::dev::sandbox::OrderSpec;

use crate::harness::{
    CONNECTION, Database, http,
    process::{Process, config_file, sandbox},
    wait_until,
};

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
    wait_until("the order is at the warehouse", async || {
        sandbox.warehouse.count(&format!("{CONNECTION}-{order}")) == 1
    })
    .await;
    assert!(process.terminate(), "the last spans are sent at shutdown");
    let spans_text = String::from_utf8_lossy(&spans.lock().unwrap().clone()).into_owned();
    for word in ["silta", "receive", "attempt", "place_order", "read_order", "order.created", "task"] {
        assert!(spans_text.contains(word), "no span says {word}");
    }
    for secret in ["sandbox-token-4f1d", "Mannerheim", "@example", "api@", "083c584d"] {
        assert!(!spans_text.contains(secret), "a span says {secret}");
    }
}
