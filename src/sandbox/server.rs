//! A listener that can do what axum's own cannot: drop a connection without an answer, and go off the net.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, Response, StatusCode},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tower::ServiceExt;

use super::faults::{Fault, Faults};

/// How long a hanging request hangs: longer than any caller waits.
const HANG: Duration = Duration::from_secs(120);

/// A system over HTTP; stops when dropped.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What goes wrong.
    pub faults: Faults,
    online: watch::Sender<bool>,
    _task: AbortOnDropHandle<()>,
}

impl Server {
    /// Serves a router on an address; port 0 picks a free one.
    pub async fn start(address: SocketAddr, router: Router) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let faults = Faults::default();
        let (online, switch) = watch::channel(true);
        let task = TaskTracker::new().spawn(accept(listener, address, router, faults.clone(), switch));
        Ok(Self { address, faults, online, _task: AbortOnDropHandle::new(task) })
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Off the net (connections are refused), or on it again at the same address.
    pub fn set_online(&self, online: bool) {
        self.online.send_replace(online);
    }
}

async fn accept(
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    faults: Faults,
    mut switch: watch::Receiver<bool>,
) {
    let mut listener = Some(listener);
    let shared = Arc::new((router, faults));
    let mut connections = TaskTracker::new();
    let mut cut = tokio_util::sync::CancellationToken::new();
    loop {
        if !*switch.borrow_and_update() {
            listener = None; // from now on connections are refused
            cut.cancel();
            connections.close();
            connections.wait().await;
            if switch.wait_for(|online| *online).await.is_err() {
                return;
            }
            (connections, cut) = (TaskTracker::new(), tokio_util::sync::CancellationToken::new());
        }
        let Some(open) = bound(&mut listener, address).await else { continue };
        tokio::select! {
            accepted = open.accept() => {
                if let Ok((stream, _)) = accepted {
                    let (shared, cut) = (shared.clone(), cut.clone());
                    connections.spawn(async move {
                        tokio::select! {
                            () = serve(stream, shared) => {}
                            () = cut.cancelled() => {}
                        }
                    });
                }
            }
            changed = switch.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
    }
}

async fn bound(listener: &mut Option<TcpListener>, address: SocketAddr) -> Option<&TcpListener> {
    if listener.is_none() {
        *listener = TcpListener::bind(address).await.ok();
    }
    listener.as_ref()
}

async fn serve(stream: TcpStream, shared: Arc<(Router, Faults)>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let shared = shared.clone();
        async move { answer(request.map(Body::new), &shared.0, &shared.1).await }
    });
    // A dropped connection is an error here, and exactly what was asked for.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The answer to a request, or an error to drop its connection.
async fn answer(request: Request<Body>, router: &Router, faults: &Faults) -> io::Result<Response<Body>> {
    let fault = faults.next(request.method().as_str(), request.uri().path());
    let dropped = || io::Error::from(io::ErrorKind::ConnectionAborted);
    let apply = async |request| match router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => {
            let never: Infallible = never;
            match never {}
        }
    };
    match fault {
        None => Ok(apply(request).await),
        Some(Fault::DropBefore) => Err(dropped()),
        Some(Fault::DropAfter) => {
            apply(request).await;
            Err(dropped())
        }
        Some(Fault::Status(status)) => Ok(plain(status)),
        Some(Fault::StatusAfter(status)) => {
            apply(request).await;
            Ok(plain(status))
        }
        Some(Fault::TooMany(seconds)) => {
            let mut response = plain(429);
            response.headers_mut().insert("retry-after", seconds.into());
            Ok(response)
        }
        Some(Fault::Garbage) => {
            apply(request).await;
            Ok(Response::new(Body::from("<html><h1>It works!</h1>")))
        }
        Some(Fault::HalfAnswer) => {
            apply(request).await;
            Ok(Response::new(Body::new(HalfBody { sent: false })))
        }
        Some(Fault::Slow(wait)) => {
            pause(wait).await;
            Ok(apply(request).await)
        }
        Some(Fault::Hang) => {
            pause(HANG).await;
            Err(dropped())
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a slow system is slow in real time")]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}

fn plain(status: u16) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{{\"message\":\"sandbox fault {status}\"}}")));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// A body that breaks off: half a JSON, then an error.
struct HalfBody {
    sent: bool,
}

impl hyper::body::Body for HalfBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, io::Error>>> {
        let frame = if self.sent {
            Err(io::Error::from(io::ErrorKind::ConnectionAborted))
        } else {
            Ok(hyper::body::Frame::data(Bytes::from_static(b"{\"data\": {")))
        };
        self.sent = true;
        std::task::Poll::Ready(Some(frame))
    }
}
