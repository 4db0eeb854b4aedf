//! The HTTP server: slow, many and large requests, and clients that take more than their share.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    routing::get,
};
use silta::web::server::{self, Limits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
};
use tokio_util::sync::CancellationToken;

use crate::harness::{TestSilta, secs, wait_until};

/// A running server and the means to change and stop it.
struct TestServer {
    address: std::net::SocketAddr,
    routers: watch::Sender<Router>,
    soft: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
}

fn fixed_answer(body: &'static str) -> Router {
    Router::new().route("/", get(async move || body))
}

async fn start_server(limits: Limits) -> TestServer {
    start_server_of(fixed_answer("old"), limits).await
}

async fn start_server_of(router: Router, limits: Limits) -> TestServer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (routers, router) = watch::channel(router);
    let soft = CancellationToken::new();
    let serving =
        tokio::spawn(server::serve(listener, router, limits, soft.clone(), CancellationToken::new()));
    TestServer { address, routers, soft, serving }
}

const DEFAULT_LIMITS: Limits = Limits {
    connections: 100,
    connections_per_address: 50,
    header_timeout: Duration::from_secs(30),
    write_timeout: Duration::from_secs(30),
    lifetime: Duration::from_secs(900),
    proxies: 0,
};

const REQUEST: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// Connects from one of the addresses 127.0.0.x.
async fn connect_from(last: u8, server: std::net::SocketAddr) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, last], 0).into()).unwrap();
    socket.connect(server).await.unwrap()
}

/// An answer whose body never ends.
fn endless_answer() -> Router {
    let chunks =
        || futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 4096])));
    Router::new().route("/", get(async move || Body::from_stream(chunks())))
}

/// Writes a request and returns the first part of the response; fails after 5 s.
async fn exchange(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = vec![0; 4096];
    let read =
        tokio::time::timeout(secs(5), stream.read(&mut response)).await.expect("an answer").unwrap_or(0);
    String::from_utf8_lossy(&response[..read]).into_owned()
}

#[tokio::test]
async fn slow_and_silent_connections_are_closed() {
    let running = start_server(Limits { header_timeout: Duration::from_millis(200), ..DEFAULT_LIMITS }).await;
    let mut slow = TcpStream::connect(running.address).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    assert!(exchange(&mut silent, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.contains("old"));
    for mut stream in [slow, silent] {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(secs(10), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "the connection is still open");
    }
}

#[tokio::test]
async fn connections_over_the_limit_wait() {
    let running = start_server(Limits { connections: 2, ..DEFAULT_LIMITS }).await;
    let mut streams = Vec::new();
    for last in [1, 2] {
        let mut stream = connect_from(last, running.address).await;
        assert!(exchange(&mut stream, REQUEST).await.contains("old"));
        streams.push(stream);
    }
    let mut third = connect_from(3, running.address).await;
    third.write_all(REQUEST.as_bytes()).await.unwrap();
    let mut response = [0; 64];
    let early = tokio::time::timeout(Duration::from_millis(200), third.read(&mut response)).await;
    assert!(early.is_err(), "it was answered while two connections were open");
    streams.pop();
    let read = tokio::time::timeout(secs(5), third.read(&mut response)).await.unwrap().unwrap();
    assert!(response[..read].starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn one_address_has_at_most_its_share_of_the_connections() {
    for limits in [
        Limits { connections_per_address: 3, ..DEFAULT_LIMITS },
        Limits { connections: 6, connections_per_address: 1000, ..DEFAULT_LIMITS },
    ] {
        let running = start_server(limits).await;
        let mut held = Vec::new();
        for _ in 0..3 {
            let mut stream = connect_from(3, running.address).await;
            assert!(exchange(&mut stream, REQUEST).await.contains("old"));
            held.push(stream);
        }
        for _ in 0..20 {
            let mut further = connect_from(3, running.address).await;
            let ended = tokio::time::timeout(secs(5), further.read(&mut [0; 64])).await;
            assert!(matches!(ended.expect("it is closed at once"), Ok(0) | Err(_)));
        }
        let mut other = connect_from(2, running.address).await;
        assert!(exchange(&mut other, REQUEST).await.contains("old"), "another address");
        held.pop();
        wait_until("a closed connection leaves its place", async || {
            let mut next = connect_from(3, running.address).await;
            let _ = next.write_all(REQUEST.as_bytes()).await;
            matches!(tokio::time::timeout(secs(5), next.read(&mut [0; 64])).await, Ok(Ok(1..)))
        })
        .await;
    }
}

/// All connections are the proxy's there.
#[tokio::test]
async fn behind_a_proxy_requests_in_work_are_counted_by_client() {
    let limits = Limits { connections_per_address: 2, proxies: 1, ..DEFAULT_LIMITS };
    let running = start_server(limits).await;
    drop(running.routers.send_replace(endless_answer()));
    let request = |client: &str| format!("GET / HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {client}\r\n\r\n");
    let mut streams = Vec::new();
    for (client, status) in [("192.0.2.1", 200), ("192.0.2.1", 200), ("192.0.2.1", 503), ("192.0.2.2", 200)] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let answer = exchange(&mut stream, &request(client)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{client}: {answer:.100}");
        assert_eq!(answer.to_lowercase().contains("retry-after"), status == 503);
        streams.push(stream);
    }
    streams.remove(0); // the answer is over
    drop(running.routers.send_replace(fixed_answer("new")));
    wait_until("its place is free", async || {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        exchange(&mut stream, &request("192.0.2.1")).await.contains("new")
    })
    .await;
}

/// It asks and never reads. Its place is the only one of its address.
#[tokio::test]
async fn client_that_reads_no_answer_is_disconnected() {
    let limits =
        Limits { connections_per_address: 1, write_timeout: Duration::from_millis(200), ..DEFAULT_LIMITS };
    let running = start_server(limits).await;
    drop(running.routers.send_replace(endless_answer()));
    let mut slow = connect_from(3, running.address).await;
    slow.write_all(REQUEST.as_bytes()).await.unwrap();
    wait_until("its place is free", async || {
        let mut next = connect_from(3, running.address).await;
        let _ = next.write_all(REQUEST.as_bytes()).await;
        matches!(tokio::time::timeout(secs(5), next.read(&mut [0; 64])).await, Ok(Ok(1..)))
    })
    .await;
}

/// One reads just enough of an endless answer, the other goes on asking.
#[tokio::test]
async fn connection_ends_after_its_lifetime() {
    let half_a_second = Duration::from_millis(500);
    let limits = Limits { lifetime: half_a_second, write_timeout: half_a_second, ..DEFAULT_LIMITS };
    let running = start_server(limits).await;
    let mut asking = TcpStream::connect(running.address).await.unwrap();
    let asks = async {
        while asking.write_all(REQUEST.as_bytes()).await.is_ok()
            && matches!(asking.read(&mut [0; 4096]).await, Ok(1..))
        {}
    };
    tokio::time::timeout(secs(20), asks).await.expect("the connection is closed");
    drop(running.routers.send_replace(endless_answer()));
    let mut reading = TcpStream::connect(running.address).await.unwrap();
    reading.write_all(REQUEST.as_bytes()).await.unwrap();
    let reads = async { while matches!(reading.read(&mut [0; 4096]).await, Ok(1..)) {} };
    tokio::time::timeout(secs(20), reads).await.expect("the connection is closed");
}

#[tokio::test]
async fn oversized_request_head_is_refused() {
    let running = start_server(DEFAULT_LIMITS).await;
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "a".repeat(300 << 10));
    // Writes while the response is read: the server answers and closes before it has read the whole head.
    let writing = tokio::spawn(async move { write.write_all(large.as_bytes()).await });
    let mut response = Vec::new();
    let reading = tokio::time::timeout(secs(5), read.read_to_end(&mut response)).await;
    let _ = reading.expect("the connection is closed"); // perhaps by a reset, after the response
    let _ = writing.await.unwrap();
    let response = String::from_utf8_lossy(&response);
    assert!(response.starts_with("HTTP/1.1 431"), "{response:?}");
}

#[tokio::test]
async fn router_is_swapped_live_and_shutdown_drains_requests() {
    let running = start_server(DEFAULT_LIMITS).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    assert!(exchange(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.contains("old"));
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let answer = {
        let (entered, release) = (entered.clone(), release.clone());
        async move || {
            entered.notify_one();
            release.notified().await;
            "new"
        }
    };
    drop(running.routers.send_replace(Router::new().route("/", get(answer))));
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    entered.notified().await;
    running.soft.cancel();
    // This runtime has one thread: yielding lets the server see the shutdown and begin to drain.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(!running.serving.is_finished(), "a request is still running");
    release.notify_one();
    let mut response = Vec::new();
    tokio::time::timeout(secs(5), stream.read_to_end(&mut response)).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&response).ends_with("new"));
    wait_until("the server ends", async || running.serving.is_finished()).await;
}

/// Writes a request and returns everything until the connection is closed.
async fn exchange_to_the_end(address: std::net::SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut response = Vec::new();
    let reading = tokio::time::timeout(secs(5), stream.read_to_end(&mut response)).await;
    let _ = reading.expect("the connection is closed");
    String::from_utf8_lossy(&response).into_owned()
}

#[tokio::test]
async fn request_without_one_valid_host_is_refused() {
    let running = start_server(DEFAULT_LIMITS).await;
    for hosts in ["", "host: a\r\nhost: a\r\n", "host: user@silta.test\r\n", "host: a b\r\n"] {
        let request = format!("GET / HTTP/1.1\r\n{hosts}\r\n");
        let answer = exchange_to_the_end(running.address, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("\"invalid\""), "{hosts}: {answer}");
        assert!(answer.contains("application/problem+json") && answer.contains("nosniff"), "{answer}");
    }
    let old = exchange_to_the_end(running.address, b"GET / HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200") && old.ends_with("old"), "{old}");
}

#[tokio::test]
async fn http2_without_tls_is_answered_505() {
    let running = start_server(DEFAULT_LIMITS).await;
    // A client's preface with its empty SETTINGS, and the same in two pieces.
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let answer = exchange_to_the_end(running.address, preface).await;
    assert!(answer.contains(" 505 ") && answer.contains("\"http_version\""), "{answer}");
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(&preface[..5]).await.unwrap();
    tokio::task::yield_now().await;
    let rest = String::from_utf8_lossy(&preface[5..]).into_owned();
    assert!(exchange(&mut stream, &rest).await.contains(" 505 "));
}

/// The client waits for 100 Continue before it sends anything.
#[tokio::test]
async fn announced_body_over_its_limit_is_refused_without_continue() {
    let silta = TestSilta::start().await;
    let running = start_server_of(silta.second_process(&[]).router, DEFAULT_LIMITS).await;
    for (path, length, expected) in [
        ("/sign-in", 8 << 10, "HTTP/1.1 100"),
        ("/sign-in", (8 << 10) + 1, "HTTP/1.1 413"),
        ("/webhooks/ogoship/shop", 1 << 30, "HTTP/1.1 413"),
        ("/admin/v1/replays", 1 << 30, "HTTP/1.1 413"),
        ("/admin/v1/replays", 100, "HTTP/1.1 100"),
    ] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let token = crate::harness::OPERATOR;
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\
             authorization: Bearer {token}\r\ncontent-type: application/x-www-form-urlencoded\r\n\r\n"
        );
        let answer = exchange(&mut stream, &request).await;
        assert!(answer.starts_with(expected), "{path} {length}: {answer}");
    }
}
