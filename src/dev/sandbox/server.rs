//! An HTTP server with faults. axum's own cannot drop a connection without an answer or refuse connections for a while.

use std::{collections::HashMap, convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderValue, Request, Response, StatusCode},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tower::ServiceExt;

use super::{
    faults::{Fault, Faults},
    repeated_body::repeated_body,
};

/// How long a request hangs: longer than any caller waits.
const HANG_DURATION: Duration = Duration::from_secs(120);

/// Counts requests by method and path, so that tests can measure what a rule costs.
#[derive(Clone, Debug, Default)]
pub struct RequestCounts(Arc<Mutex<HashMap<(String, String), usize>>>);

impl RequestCounts {
    fn record(&self, method: &str, path: &str) {
        let mut calls = self.0.lock();
        *calls.entry((method.to_owned(), path.to_owned())).or_default() += 1;
    }

    /// The number of requests so far with this method and a path that contains this part.
    pub fn count(&self, method: &str, path_part: &str) -> usize {
        let calls = self.0.lock();
        let matching = calls.iter().filter(|((its, path), _)| its == method && path.contains(path_part));
        matching.map(|(_, count)| count).sum()
    }
}

/// Called with the number of answers so far, from 1.
type Hook = Box<dyn FnMut(usize) + Send>;

/// What happens at the vendor between two answers, so that tests can move rows while a list is read.
#[derive(Clone, Default)]
struct Hooks(Arc<Mutex<Vec<(String, usize, Hook)>>>);

impl Hooks {
    fn run(&self, path: &str) {
        for (_, count, hook) in self.0.lock().iter_mut().filter(|(part, ..)| path.contains(part.as_str())) {
            *count += 1;
            hook(*count);
        }
    }
}

/// What every connection shares.
struct Responder {
    router: Router,
    faults: Faults,
    calls: RequestCounts,
    hooks: Hooks,
}

/// A fake vendor over HTTP; stops when dropped.
pub struct Server {
    /// The address it listens on.
    pub address: SocketAddr,
    /// The faults it plays.
    pub faults: Faults,
    /// The requests it got.
    pub calls: RequestCounts,
    hooks: Hooks,
    online: watch::Sender<bool>,
    _task: AbortOnDropHandle<()>,
}

impl Server {
    /// Serves a router on an address; port 0 picks a free one.
    pub async fn start(address: SocketAddr, router: Router) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (faults, calls, hooks) = (Faults::default(), RequestCounts::default(), Hooks::default());
        let (online, switch) = watch::channel(true);
        let responder = Arc::new(Responder {
            router,
            faults: faults.clone(),
            calls: calls.clone(),
            hooks: hooks.clone(),
        });
        let task = TaskTracker::new().spawn(accept(listener, address, responder, switch));
        Ok(Self { address, faults, calls, hooks, online, _task: AbortOnDropHandle::new(task) })
    }

    /// The base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on, calls the hook after each answer to a path that contains this part, before it is sent.
    pub fn after_each(&self, path_part: &str, hook: impl FnMut(usize) + Send + 'static) {
        self.hooks.0.lock().push((path_part.to_owned(), 0, Box::new(hook)));
    }

    /// Calls no hook any more.
    pub fn remove_hooks(&self) {
        self.hooks.0.lock().clear();
    }

    /// Takes the server offline (connections are refused), or online again at the same address.
    pub fn set_online(&self, online: bool) {
        self.online.send_replace(online);
    }
}

async fn accept(
    listener: TcpListener,
    address: SocketAddr,
    responder: Arc<Responder>,
    mut switch: watch::Receiver<bool>,
) {
    let mut listener = Some(listener);
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
        let Some(open) = rebind(&mut listener, address).await else { continue };
        tokio::select! {
            accepted = open.accept() => {
                if let Ok((stream, _)) = accepted {
                    let (responder, cut) = (responder.clone(), cut.clone());
                    connections.spawn(async move {
                        tokio::select! {
                            () = serve(stream, responder) => {}
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

async fn rebind(listener: &mut Option<TcpListener>, address: SocketAddr) -> Option<&TcpListener> {
    if listener.is_none() {
        *listener = TcpListener::bind(address).await.ok();
    }
    listener.as_ref()
}

async fn serve(stream: TcpStream, responder: Arc<Responder>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let responder = responder.clone();
        async move { answer(request.map(Body::new), &responder).await }
    });
    // The vendor dates its answers by its own clock. A dropped connection is an error here, and what the fault asks for.
    let _ =
        http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(stream), service).await;
}

/// Answers a request, or fails to drop its connection.
async fn answer(request: Request<Body>, responder: &Responder) -> io::Result<Response<Body>> {
    let Responder { router, faults, calls, hooks } = responder;
    let path = request.uri().path().to_owned();
    calls.record(request.method().as_str(), &path);
    let fault = faults.next(request.method().as_str(), request.uri().path());
    let dropped = || io::Error::from(io::ErrorKind::ConnectionAborted);
    let apply = async |request| match router.clone().oneshot(request).await {
        Ok(response) => {
            hooks.run(&path);
            response
        }
        Err(never) => {
            let never: Infallible = never;
            match never {}
        }
    };
    match fault {
        None if faults.has_firewall() => match pass_firewall(request, faults).await {
            Some(request) => Ok(apply(request).await),
            None => Ok(page_response(403)),
        },
        None => Ok(apply(request).await),
        Some(Fault::DropBefore) => Err(dropped()),
        Some(Fault::DropAfter) => {
            apply(request).await;
            Err(dropped())
        }
        Some(Fault::Status(status)) => Ok(status_response(status)),
        Some(Fault::Refuse(status, body)) => Ok(refusal(status, body.to_owned())),
        Some(Fault::StatusAfter(status)) => {
            apply(request).await;
            Ok(status_response(status))
        }
        Some(Fault::TooMany(seconds)) => {
            let mut response = status_response(429);
            response.headers_mut().insert("retry-after", seconds.into());
            Ok(response)
        }
        Some(Fault::RetryAfter(status, wait)) => {
            let mut response = status_response(status);
            response.headers_mut().insert("retry-after", HeaderValue::from_static(wait));
            Ok(response)
        }
        Some(Fault::Page(status)) => Ok(page_response(status)),
        Some(Fault::Garbage) => {
            apply(request).await;
            Ok(Response::new(Body::from("<html><h1>It works!</h1>")))
        }
        Some(Fault::Repeated(start, repeated)) => Ok(Response::new(repeated_body(start, repeated))),
        Some(Fault::HalfAnswer) => {
            apply(request).await;
            Ok(Response::new(Body::new(HalfBody { sent: false })))
        }
        Some(Fault::Slow(wait)) => {
            pause(wait).await;
            Ok(apply(request).await)
        }
        Some(Fault::Hang) => {
            pause(HANG_DURATION).await;
            Err(dropped())
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a slow vendor is slow in real time")]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}

/// The request, unless the web firewall refuses its body.
async fn pass_firewall(request: Request<Body>, faults: &Faults) -> Option<Request<Body>> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.ok()?;
    (!faults.is_forbidden(&body)).then(|| Request::from_parts(parts, Body::from(body)))
}

/// A web page, as a firewall or a maintenance window sends it.
fn page_response(status: u16) -> Response<Body> {
    let page = format!("<!doctype html><title>{status}</title><h1>Huoltokatko</h1>");
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", HeaderValue::from_static("text/html"));
    response
}

fn status_response(status: u16) -> Response<Body> {
    refusal(status, format!("{{\"message\":\"sandbox fault {status}\"}}"))
}

fn refusal(status: u16, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// A body that breaks off: half of a JSON object, then an error.
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
