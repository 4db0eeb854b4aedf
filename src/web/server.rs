//! The front endpoint's porter: takes connections, and lets nobody stand in the way for long.
//!
//! - **No more connections than `[http] connections`.** The next one waits in the operating system's line until one ends.
//! - **No slow hello.** A connection that has not sent a whole request head within `header_timeout` is closed; so is one that
//!   is kept open and says nothing for as long. A body that dawdles meets `[http] timeout`, as every request does.
//! - **No large head.** What does not fit into a buffer of 64 KiB, which may grow to twice that, is refused unread.
//!
//! Which router answers is looked up anew for each request, so a configuration is reloaded with no connection lost.
//! HTTP/1.1 only: TLS and HTTP/2 are the business of the proxy in front.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Body, extract::Request, http::HeaderMap};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// The largest request head, in bytes: a soft bound, since hyper asks it between two readings.
const MAX_HEAD: usize = 64 << 10;

/// Pause after a connection could not be taken: there are no files left to open, and one may be closed meanwhile.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// From whom a request came, as the connection says.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// From whom a request came: the connection's peer, or whom the outermost of so many proxies of ours saw.
pub fn client_ip(peer: Option<Peer>, headers: &HeaderMap, proxies: usize) -> Option<IpAddr> {
    let peer = peer.map(|Peer(address)| address.ip());
    if proxies == 0 {
        return peer;
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<_> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    // Each proxy adds its own peer at the end; what stands before our proxies' words, anybody may have written.
    hops.len().checked_sub(proxies).and_then(|at| hops[at].parse().ok()).or(peer)
}

/// How much is let in at once, and how long a hello may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// For a whole request head, and for a pause between two requests.
    pub header_timeout: Duration,
}

/// Serves until `soft` is cancelled, then lets running requests end, until `hard` is cancelled.
pub async fn serve(
    listener: TcpListener,
    router: watch::Receiver<Router>,
    limits: Limits,
    soft: CancellationToken,
    hard: CancellationToken,
) {
    let permits = Arc::new(Semaphore::new(limits.connections));
    let (graceful, tasks) = (GracefulShutdown::new(), TaskTracker::new());
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout).max_buf_size(MAX_HEAD);
    loop {
        let permit = tokio::select! {
            permit = permits.clone().acquire_owned() => permit.expect("never closed"),
            () = soft.cancelled() => break,
        };
        let (stream, peer) = tokio::select! {
            taken = listener.accept() => match taken {
                Ok(taken) => taken,
                Err(error) => {
                    tracing::warn!(error = %error, "a connection could not be taken");
                    let _ = tokio::time::timeout(ACCEPT_RETRY_DELAY, soft.cancelled()).await;
                    continue;
                }
            },
            () = soft.cancelled() => break,
        };
        let _ = stream.set_nodelay(true); // an answer is one small write: waiting for more to send helps nobody
        let router = router.clone();
        let answer = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            let router = router.borrow().clone();
            router.oneshot(request)
        });
        let connection = http.serve_connection(TokioIo::new(stream), answer);
        let connection = graceful.watch(connection);
        tasks.spawn(async move {
            // A connection that ends badly is its peer's business: what was begun on it has been answered or was not.
            let _ = connection.await;
            drop(permit);
        });
    }
    tasks.close();
    tokio::select! {
        () = graceful.shutdown() => {}
        () = hard.cancelled() => {} // a connection that never ends must not keep us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_for_is_trusted_only_from_own_proxies() {
        let peer = Some(Peer("192.0.2.9:1".parse().expect("an address")));
        let headers = |value: &str| {
            HeaderMap::from_iter([(
                "x-forwarded-for".parse().expect("a name"),
                value.parse().expect("a value"),
            )])
        };
        let seen = |value, proxies| client_ip(peer, &headers(value), proxies).map(|it| it.to_string());
        assert_eq!(seen("203.0.113.1", 0).as_deref(), Some("192.0.2.9"));
        assert_eq!(
            seen("10.0.0.1, 203.0.113.1", 1).as_deref(),
            Some("203.0.113.1"),
            "the first was written by whoever came"
        );
        assert_eq!(seen("198.51.100.1, 203.0.113.1", 2).as_deref(), Some("198.51.100.1"));
        assert_eq!(seen("203.0.113.1", 2).as_deref(), Some("192.0.2.9"), "fewer than there are proxies");
        assert_eq!(seen("nonsense", 1).as_deref(), Some("192.0.2.9"));
    }
}
