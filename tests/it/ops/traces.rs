//! Spans are exported over OTLP.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, Status, span::SpanKind, status::StatusCode},
};
use prost::Message;
use silta::dev::sandbox::{Fault, OrderSpec};

use crate::harness::{
    CONNECTION, Database, http,
    process::{BINARY, Process, config_file, sandbox},
    wait_until,
};

/// What a collector received: the attributes of each resource, and every span.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<Bytes>>>);

impl Collected {
    fn router(&self) -> Router {
        let kept = self.0.clone();
        Router::new().route("/v1/traces", post(async move |body: Bytes| kept.lock().unwrap().push(body)))
    }

    fn read(&self) -> (Vec<KeyValue>, Vec<Span>) {
        let (mut resource, mut spans) = (Vec::new(), Vec::new());
        for body in self.0.lock().unwrap().iter() {
            for sent in ExportTraceServiceRequest::decode(body.clone()).unwrap().resource_spans {
                resource = sent.resource.unwrap().attributes;
                spans.extend(sent.scope_spans.into_iter().flat_map(|scope| scope.spans));
            }
        }
        (resource, spans)
    }
}

/// An attribute as a word that shows its type.
fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|it| it.key == key)?;
    Some(match found.value.clone()?.value? {
        Value::StringValue(text) => text,
        Value::IntValue(number) => format!("int {number}"),
        other => format!("{other:?}"),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_follow_the_conventions_of_opentelemetry() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let collected = Collected::default();
    let (url, _serving) = http::serve(collected.router()).await;
    let config = config_file(&sandbox, &format!("[traces]\notlp = \"{url}\"\n"));
    let mut command = std::process::Command::new(BINARY);
    command.arg("serve").arg("--config").arg(config.path()).env("DATABASE_URL", database.url());
    command
        .env("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        .env("OTEL_SERVICE_NAME", "kauppa");
    let process = Process::of(command);
    let refused = reqwest::Client::new().post(format!("{}/webhooks/ogoship/shop", process.url)).send().await;
    assert_eq!(refused.unwrap().status(), 401);
    sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", Fault::Status(503));
    let webhook_sender = silta::dev::sandbox::WebhookSender::to(&process.url, CONNECTION);
    let order = sandbox.shop.place_order(OrderSpec::of("A", 1));
    webhook_sender.send(&sandbox.shop.order_created(order)).await.unwrap();
    wait_until("the order is at the warehouse", async || {
        sandbox.warehouse.count(&format!("{CONNECTION}-{order}")) == 1
    })
    .await;
    assert!(process.terminate(), "the last spans are sent at shutdown");
    let (resource, spans) = collected.read();
    for (key, value) in [("service.name", "kauppa"), ("deployment.environment.name", "test")] {
        assert_eq!(attribute(&resource, key).as_deref(), Some(value));
    }
    let instance = attribute(&resource, "service.instance.id").unwrap();
    assert!(uuid::Uuid::parse_str(&instance).is_ok(), "{instance}");

    let find = |name: &str, status: &str| {
        let mut named = spans.iter().filter(|span| span.name == name);
        let wanted = named
            .find(|it| attribute(&it.attributes, "http.response.status_code").as_deref() == Some(status));
        wanted.unwrap_or_else(|| {
            panic!("{name} {status} in {:?}", spans.iter().map(|it| &it.name).collect::<Vec<_>>())
        })
    };
    let status_of = |span: &Span| span.status.as_ref().map(Status::code).unwrap_or_default();
    let request = find("POST /webhooks/ogoship/{connection}", "int 401");
    assert_eq!(request.kind(), SpanKind::Server);
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/webhooks/ogoship/{connection}"),
        ("server.address", "127.0.0.1"),
        ("url.scheme", "http"),
    ] {
        assert_eq!(attribute(&request.attributes, key).as_deref(), Some(value), "{key}");
    }
    assert!(attribute(&request.attributes, "request_id").is_some_and(|id| !id.is_empty()));
    assert!(attribute(&request.attributes, "server.port").unwrap().starts_with("int "));
    assert_eq!(status_of(request), StatusCode::Unset, "a client's fault is no error of the server");
    let failed = find("POST place_order", "int 503");
    assert_eq!((failed.kind(), status_of(failed)), (SpanKind::Client, StatusCode::Error));
    assert_eq!(attribute(&failed.attributes, "error.type").as_deref(), Some("503"));
    assert_eq!(attribute(&failed.attributes, "server.address").as_deref(), Some("127.0.0.1"));
    assert_eq!(status_of(find("POST place_order", "int 200")), StatusCode::Unset);
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
