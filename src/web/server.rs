//! The HTTP server: accepts connections within limits and drains them at shutdown.
//!
//! - **Connections.** At most `[http] connections` are open; the next one waits in the kernel's backlog. One address has at
//!   most `connections_per_address` of them, and never more than half; the next one of that address is closed at once.
//! - **Slow clients.** A connection is closed if it has not sent a whole request head within `header_timeout`, if it stays
//!   idle for as long, or if it accepts nothing of its answer for `write_timeout`. A slow body meets `[http] timeout`, as every
//!   request does. A client that does everything just in time is disconnected after `connection_lifetime`.
//! - **Proxies.** Behind a proxy every connection has the proxy's address. So nothing is counted by connection there, and
//!   `connections_per_address` bounds the requests in work for one client address instead; further ones are answered 503.
//! - **Large heads.** A request head that does not fit into a buffer of 32 KiB, which may grow to twice that, is rejected.
//!
//! The router is looked up for each request, so a configuration is reloaded without losing a connection.
//! HTTP/1.1 only: TLS and HTTP/2 belong to the proxy in front, and a client that begins with HTTP/2 is answered 505.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::{
    address_slots::AddressSlots,
    client_ip::{Peer, client_ip},
    connection::{SlotBody, WriteTimeout, run},
    problem::{Code, Problem},
    request_head,
    response_headers::set_missing,
};

/// The largest request head in bytes. A soft limit: hyper checks it between two reads.
const MAX_HEAD: usize = 32 << 10;

/// The pause after a failed accept: without free file descriptors, one may be closed meanwhile.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Limits of the server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections at most.
    pub connections: usize,
    /// Of them, those of one address; behind proxies its requests in work.
    pub connections_per_address: usize,
    /// Time for a whole request head, and for an idle connection.
    pub header_timeout: Duration,
    /// Time in which a client must accept something of its answer.
    pub write_timeout: Duration,
    /// How long a connection takes requests.
    pub lifetime: Duration,
    /// The number of trusted proxies in front.
    pub proxies: usize,
}

impl Limits {
    /// The share of one address: never more than half, whatever is configured.
    fn per_address(&self) -> usize {
        self.connections_per_address.min(self.connections / 2).max(1)
    }
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
    let (slots, tasks) = (AddressSlots::default(), TaskTracker::new());
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout).max_buf_size(MAX_HEAD);
    loop {
        let permit = tokio::select! {
            permit = permits.clone().acquire_owned() => permit.expect("never closed"),
            () = soft.cancelled() => break,
        };
        let (stream, peer) = tokio::select! {
            taken = accept(&listener, &soft) => taken,
            () = soft.cancelled() => break,
        };
        let slot = if limits.proxies == 0 {
            let Some(slot) = slots.take(peer.ip(), limits.per_address()) else { continue };
            Some(slot)
        } else {
            None
        };
        let _ = stream.set_nodelay(true); // a response is one small write: waiting for more only adds delay
        let client = Client { peer, limits, slots: slots.clone(), router: router.clone() };
        let answer = service_fn(move |request| client.clone().answer(request));
        let stream = TokioIo::new(WriteTimeout::new(stream, limits.write_timeout));
        let times = (limits.lifetime, limits.write_timeout);
        let connection = run(http.serve_connection(stream, answer), times, soft.clone());
        tasks.spawn(async move {
            connection.await;
            drop((permit, slot));
        });
    }
    tasks.close();
    tokio::select! {
        () = tasks.wait() => {}
        () = hard.cancelled() => {} // a connection that never ends must not block the shutdown
    }
}

/// The next connection.
async fn accept(listener: &TcpListener, soft: &CancellationToken) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(taken) => return taken,
            Err(error) => {
                tracing::warn!(error = %error, "accept failed, retrying");
                let _ = tokio::time::timeout(ACCEPT_RETRY_DELAY, soft.cancelled()).await;
            }
        }
    }
}

/// The client at the other end of a connection, and what answers it.
#[derive(Clone)]
struct Client {
    peer: SocketAddr,
    limits: Limits,
    slots: AddressSlots,
    router: watch::Receiver<Router>,
}

impl Client {
    async fn answer(self, request: Request<Incoming>) -> Result<Response, Infallible> {
        if let Err(problem) = request_head::check(&request) {
            return Ok(refuse(problem));
        }
        let mut request = request.map(Body::new);
        let peer = Peer(self.peer);
        request.extensions_mut().insert(peer);
        let router = self.router.borrow().clone();
        if self.limits.proxies == 0 {
            return router.oneshot(request).await;
        }
        let address = client_ip(Some(peer), request.headers(), self.limits.proxies);
        let address = address.unwrap_or_else(|| self.peer.ip());
        let Some(slot) = self.slots.take(address, self.limits.per_address()) else {
            let mut response = Problem::from(Code::Busy).into_response();
            set_missing(response.headers_mut());
            return Ok(response);
        };
        let response = router.oneshot(request).await?;
        Ok(response.map(|body| Body::new(SlotBody { body, _slot: slot })))
    }
}

/// The answer to a head that is no request: nothing that follows on its connection is one.
fn refuse(problem: Problem) -> Response {
    let mut response = problem.into_response();
    set_missing(response.headers_mut());
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
