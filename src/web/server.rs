//! The HTTP server: accepts connections within limits and drains them at shutdown.
//!
//! - **Connections.** At most `[http] connections` are open; the next one waits in the kernel's backlog.
//! - **Slow clients.** A connection is closed if it has not sent a whole request head within `header_timeout`, or if it
//!   stays idle for as long. A slow body meets `[http] timeout`, as every request does.
//! - **Large heads.** A request head that does not fit into a buffer of 64 KiB, which may grow to twice that, is rejected.
//!
//! The router is looked up for each request, so a configuration is reloaded without losing a connection.
//! HTTP/1.1 only: TLS and HTTP/2 belong to the proxy in front.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request};
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

use super::client_ip::Peer;

/// The largest request head in bytes. A soft limit: hyper checks it between two reads.
const MAX_HEAD: usize = 64 << 10;

/// The pause after a failed accept: without free file descriptors, one may be closed meanwhile.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Limits of the server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections at most.
    pub connections: usize,
    /// Time for a whole request head, and for an idle connection.
    pub header_timeout: Duration,
}

/// Serves until `soft` is cancelled, then lets running requests finish until `hard` is cancelled.
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
                    tracing::warn!(error = %error, "accept failed, retrying");
                    let _ = tokio::time::timeout(ACCEPT_RETRY_DELAY, soft.cancelled()).await;
                    continue;
                }
            },
            () = soft.cancelled() => break,
        };
        let _ = stream.set_nodelay(true); // a response is one small write: waiting for more only adds delay
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
            let _ = connection.await; // a broken connection concerns its client only
            drop(permit);
        });
    }
    tasks.close();
    tokio::select! {
        () = graceful.shutdown() => {}
        () = hard.cancelled() => {} // a connection that never ends must not block the shutdown
    }
}
