//! The porter: slow, many and large ones at the front endpoint.

use std::time::Duration;

use axum::{Router, routing::get};
use silta::web::server::{self, Limits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

use crate::harness::{TestOptions, TestSilta, secs, wait_until};

/// A server with these limits, and the way to end it.
struct Endpoint {
    address: std::net::SocketAddr,
    routers: watch::Sender<Router>,
    soft: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
}

fn says(word: &'static str) -> Router {
    Router::new().route("/", get(async move || word))
}

async fn endpoint(limits: Limits) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (routers, router) = watch::channel(says("old"));
    let soft = CancellationToken::new();
    let serving =
        tokio::spawn(server::serve(listener, router, limits, soft.clone(), CancellationToken::new()));
    Endpoint { address, routers, soft, serving }
}

const DEFAULT_LIMITS: Limits = Limits { connections: 100, header_timeout: Duration::from_secs(30) };

/// Says something on a connection and answers what comes back until it ends, or within a second.
async fn hears(stream: &mut TcpStream, said: &str) -> String {
    stream.write_all(said.as_bytes()).await.unwrap();
    let mut heard = vec![0; 4096];
    let read = tokio::time::timeout(secs(5), stream.read(&mut heard)).await.expect("an answer").unwrap_or(0);
    String::from_utf8_lossy(&heard[..read]).into_owned()
}

#[tokio::test]
async fn slow_and_silent_connections_are_closed() {
    let endpoint = endpoint(Limits { header_timeout: Duration::from_millis(200), ..DEFAULT_LIMITS }).await;
    let mut slow = TcpStream::connect(endpoint.address).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
    let mut silent = TcpStream::connect(endpoint.address).await.unwrap();
    assert!(hears(&mut silent, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.contains("old"));
    for mut stream in [slow, silent] {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(secs(10), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "it is still open");
    }
}

#[tokio::test]
async fn connections_over_the_limit_wait() {
    let endpoint = endpoint(Limits { connections: 2, ..DEFAULT_LIMITS }).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(endpoint.address).await.unwrap();
        assert!(hears(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.contains("old"));
        held.push(stream);
    }
    let mut third = TcpStream::connect(endpoint.address).await.unwrap();
    third.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut heard = [0; 64];
    let early = tokio::time::timeout(Duration::from_millis(200), third.read(&mut heard)).await;
    assert!(early.is_err(), "it was answered while two were held");
    held.pop();
    let read = tokio::time::timeout(secs(5), third.read(&mut heard)).await.unwrap().unwrap();
    assert!(heard[..read].starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn oversized_request_head_is_refused() {
    let endpoint = endpoint(DEFAULT_LIMITS).await;
    let mut stream = TcpStream::connect(endpoint.address).await.unwrap();
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "a".repeat(300 << 10));
    stream.write_all(large.as_bytes()).await.ok();
    let mut heard = Vec::new();
    let _ = tokio::time::timeout(secs(5), stream.read_to_end(&mut heard)).await.expect("it is closed");
    let heard = String::from_utf8_lossy(&heard);
    assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 431"), "{heard}");
}

#[tokio::test]
async fn router_is_swapped_live_and_shutdown_drains_requests() {
    let endpoint = endpoint(DEFAULT_LIMITS).await;
    let mut stream = TcpStream::connect(endpoint.address).await.unwrap();
    assert!(hears(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.contains("old"));
    let slow = Router::new().route(
        "/",
        get(async || {
            tokio::time::sleep(Duration::from_millis(300)).await;
            "new"
        }),
    );
    drop(endpoint.routers.send_replace(slow));
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    endpoint.soft.cancel();
    let mut heard = Vec::new();
    tokio::time::timeout(secs(5), stream.read_to_end(&mut heard)).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&heard).ends_with("new"));
    wait_until("the server ends", async || endpoint.serving.is_finished()).await;
}

#[tokio::test]
async fn slow_body_is_answered_503_at_the_timeout() {
    let options = TestOptions { service: "[http]\ntimeout = \"1s\"\n", connection: "" };
    let silta = TestSilta::start_with(options).await;
    let mut stream = TcpStream::connect(silta.api.url.trim_start_matches("http://")).await.unwrap();
    let said = "POST /webhooks/ogoship/shop HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{";
    let heard = hears(&mut stream, said).await;
    assert!(heard.starts_with("HTTP/1.1 503"), "{heard}");
    assert_eq!(silta.count("event").await, 0);
}
