//! Bodies of requests: how large they may be before anyone has authenticated, how large all of them together, and what is
//! answered to those that do not come.

use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{OPERATOR, TestOptions, TestSilta, answer, secs, wait_until};

/// Sends a request and nothing more; returns the answer.
async fn exchange(silta: &TestSilta, request: &str) -> String {
    let mut stream = TcpStream::connect(silta.api.url.trim_start_matches("http://")).await.unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut response = vec![0; 4096];
    let read = tokio::time::timeout(secs(5), stream.read(&mut response)).await.expect("an answer at once");
    String::from_utf8_lossy(&response[..read.unwrap_or_default()]).into_owned()
}

/// The body never comes: an answer shows that it is not waited for.
#[tokio::test]
async fn large_body_is_not_waited_for_before_authentication() {
    let silta = TestSilta::start().await;
    for (path, status) in [
        ("/sign-in", 413),
        ("/sign-out", 303),
        ("/replays", 303),
        ("/admin/v1/replays", 401),
        ("/webhooks/mycashflow/shop/wrong-token", 404),
        ("/webhooks/ogoship/unknown", 404),
        ("/webhooks/ogoship/shop", 413),
        ("/livez", 405),
        ("/nowhere", 404),
    ] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 2097151\r\n");
        let form = "content-type: application/x-www-form-urlencoded\r\n\r\n";
        let response = exchange(&silta, &(head + form)).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {response}");
    }
}

#[tokio::test]
async fn sign_in_of_unknown_length_is_read_to_eight_kibibytes() {
    let silta = TestSilta::start().await;
    let head = "POST /sign-in HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-type: application/x-www-form-urlencoded\r\n\r\n";
    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
    let response = exchange(&silta, &(head.to_owned() + &chunk.repeat(9))).await;
    assert!(response.starts_with("HTTP/1.1 413"), "{response}");
    let whole = exchange(&silta, &(head.to_owned() + &chunk.repeat(8) + "0\r\n\r\n")).await;
    assert!(!whole.starts_with("HTTP/1.1 413") && !whole.is_empty(), "{whole}");
}

#[tokio::test]
async fn operator_may_send_more_than_a_client_without_a_token() {
    let silta = TestSilta::start().await;
    let of_size = |size: usize| json!({ "filter": {}, "limit": 1, "unknown": "x".repeat(size) });
    let send = async |size| silta.api.post("/admin/v1/replays", of_size(size)).await;
    assert_ne!(send(60 << 10).await.status, 413);
    let refused = send(70 << 10).await;
    assert_eq!((refused.status, refused.text("/code")), (413, "too_large"));
}

/// A webhook that never ends, and others on other paths.
#[tokio::test]
async fn bodies_of_all_paths_share_one_memory_limit() {
    let options =
        TestOptions { service: "[http]\nbody_limit = \"16KiB\"\nwaiting = \"16KiB\"\n", connection: "" };
    let silta = TestSilta::start_with(options).await;
    let form = format!("nothing={}", "x".repeat(6 << 10));
    let sign_in = async || {
        let request = silta.api.request(Method::POST, "/sign-in");
        let form_type = ("content-type", "application/x-www-form-urlencoded");
        answer(request.header(form_type.0, form_type.1).body(form.clone())).await
    };
    assert_ne!(sign_in().await.status, 503);
    let mut webhook = TcpStream::connect(silta.api.url.trim_start_matches("http://")).await.unwrap();
    let head = "POST /webhooks/ogoship/shop HTTP/1.1\r\nhost: x\r\ncontent-length: 12288\r\n\r\n";
    webhook.write_all((head.to_owned() + &"x".repeat(12_287)).as_bytes()).await.unwrap();
    wait_until("the memory is reserved", async || sign_in().await.status == 503).await;
    let refused = sign_in().await;
    assert_eq!((refused.status, refused.text("/code")), (503, "busy"));
    assert!(refused.headers.contains_key("retry-after"));
    let body = json!({ "filter": { "subject": "x".repeat(6 << 10) } });
    let refused = silta.api.post("/admin/v1/replays", body).await;
    assert_eq!((refused.status, refused.text("/code")), (503, "busy"));
    drop(webhook);
    wait_until("the memory is released", async || sign_in().await.status != 503).await;
}

/// A request to each kind of path that reads a body, with these headers and this begin of a body.
fn requests(rest: &str) -> [(&'static str, String); 3] {
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    ["/webhooks/ogoship/shop", "/sign-in", "/admin/v1/replays"].map(|path| {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\n{form}authorization: Bearer {OPERATOR}\r\n");
        (path, head + rest)
    })
}

/// The counter of rejected webhooks of the warehouse with this code.
async fn refused(silta: &TestSilta, code: &str) -> u32 {
    silta.clock.advance(secs(2)); // the metrics are a second old at most
    let metrics = answer(silta.api.request(Method::GET, "/metrics")).await;
    let counter = format!("silta_webhooks_refused_total{{source=\"ogoship\",code=\"{code}\"}} ");
    let line = metrics.body.as_str().unwrap().lines().find_map(|line| line.strip_prefix(&counter));
    line.unwrap_or_else(|| panic!("no {counter}")).parse().unwrap()
}

#[tokio::test]
async fn incomplete_body_is_answered_400_and_counted_as_itself() {
    let silta = TestSilta::start().await;
    assert_eq!(refused(&silta, "body_incomplete").await, 0, "the counter exists before the first");
    for rest in ["content-length: 100\r\n\r\n{", "transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n"] {
        for (path, request) in requests(rest) {
            let mut stream = TcpStream::connect(silta.api.url.trim_start_matches("http://")).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut response = String::new();
            let read = tokio::time::timeout(secs(5), stream.read_to_string(&mut response)).await;
            read.expect("an answer at once").unwrap();
            assert!(response.starts_with("HTTP/1.1 400"), "{path}: {response}");
            assert!(
                response.contains("\"body_incomplete\"") && response.contains("problem+json"),
                "{response}"
            );
        }
    }
    let counts = [refused(&silta, "body_incomplete").await, refused(&silta, "too_large").await];
    assert_eq!(counts, [2, 0]);
    assert_eq!(silta.count("event").await, 0);
}

#[tokio::test]
async fn stalled_body_is_answered_408_and_counted_as_itself() {
    let options = TestOptions { service: "[http]\ntimeout = \"1s\"\n", connection: "" };
    let silta = TestSilta::start_with(options).await;
    assert_eq!(refused(&silta, "body_timeout").await, 0);
    for (path, request) in requests("content-length: 1000\r\n\r\n{") {
        let response = exchange(&silta, &request).await;
        assert!(response.starts_with("HTTP/1.1 408"), "{path}: {response}");
        assert!(
            response.contains("\"body_timeout\"") && response.contains("connection: close"),
            "{response}"
        );
    }
    assert_eq!(refused(&silta, "body_timeout").await, 1);
    assert_eq!(silta.count("event").await, 0);
}

#[tokio::test]
async fn request_that_takes_too_long_is_answered_503_with_a_problem() {
    let options = TestOptions { service: "[http]\ntimeout = \"1s\"\n", connection: "" };
    let silta = TestSilta::start_with(options).await;
    let mut locked = silta.pool.begin().await.unwrap();
    sqlx::query("lock table alert in access exclusive mode").execute(&mut *locked).await.unwrap();
    let slow = silta.api.get("/admin/v1/alerts").await;
    assert_eq!((slow.status, slow.text("/code")), (503, "busy"));
    assert!(slow.headers.contains_key("retry-after"));
    locked.rollback().await.unwrap();
}
