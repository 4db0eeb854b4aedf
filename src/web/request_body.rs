//! Bounds request bodies on every route, also before anyone has authenticated.
//!
//! - **Each body.** A route takes [`DEFAULT_LIMIT`] until its handler allows more, which it does only once it knows who asks.
//!   A body that announces more is answered 413 before any of it is read.
//! - **Slow and broken ones.** A body that has not arrived within `[http] timeout` is answered 408, one that ends early or whose
//!   chunks are malformed 400.
//! - **All bodies together.** The bodies of all routes share one memory limit, `[http] waiting`. Bytes are reserved as they
//!   arrive, not as `Content-Length` announces them, and released once the handler is done. Without space the request is
//!   answered 503 with `Retry-After`.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    http::{Extensions, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::{Instant, Sleep, sleep_until};

use super::problem::{Code, Problem};
use crate::runtime::memory_limit::{MemoryLimit, MemoryPermit};

/// The largest body of a route that does not allow more: a sign-in.
pub const DEFAULT_LIMIT: usize = 8 << 10;

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is larger than its route allows.
    #[error("the body is larger than its route allows")]
    TooLarge,
    /// Too many bytes of other bodies are in work.
    #[error("too many bytes are in work")]
    Busy,
    /// The connection ended before it did, or its chunks are malformed.
    #[error("the body is incomplete")]
    Incomplete,
    /// It has not arrived in time.
    #[error("the body has not arrived in time")]
    TooSlow,
}

impl BodyError {
    /// Its problem code.
    pub const fn code(self) -> Code {
        match self {
            Self::TooLarge => Code::TooLarge,
            Self::Busy => Code::Busy,
            Self::Incomplete => Code::BodyIncomplete,
            Self::TooSlow => Code::BodyTimeout,
        }
    }
}

impl IntoResponse for BodyError {
    fn into_response(self) -> Response {
        let mut response = Problem::from(self.code()).into_response();
        // The rest of the body is not read, so no other request can follow on this connection.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

/// What the body of one request may take of the memory limit, and has taken: an extension of the request.
#[derive(Clone)]
pub struct BodyReservation(Arc<Mutex<Reserved>>);

struct Reserved {
    memory: MemoryLimit,
    limit: usize,
    read: usize,
    permit: Option<MemoryPermit>,
    error: Option<BodyError>,
}

impl BodyReservation {
    fn new(memory: MemoryLimit) -> Self {
        let reserved = Reserved { memory, limit: DEFAULT_LIMIT, read: 0, permit: None, error: None };
        Self(Arc::new(Mutex::new(reserved)))
    }

    /// Allows a body of this size from now on.
    pub fn allow(&self, limit: usize) {
        self.0.lock().limit = limit;
    }

    /// Why the body was not read to its end; `None` where it was, or where nobody has read it.
    pub fn error(&self) -> Option<BodyError> {
        self.0.lock().error
    }

    /// Takes over what was reserved, for bytes that are kept for longer than the handler runs.
    pub fn take_permit(&self) -> Option<MemoryPermit> {
        self.0.lock().permit.take()
    }

    /// Checks that `bytes` more are allowed.
    fn check(&self, bytes: u64) -> Result<(), BodyError> {
        let reserved = self.0.lock();
        let size = u64::try_from(reserved.read).unwrap_or(u64::MAX).saturating_add(bytes);
        if size > u64::try_from(reserved.limit).unwrap_or(u64::MAX) {
            return Err(BodyError::TooLarge);
        }
        Ok(())
    }

    /// Keeps why the body is not read to its end.
    fn fail(&self, error: BodyError) -> axum::Error {
        self.0.lock().error = Some(error);
        axum::Error::new(error)
    }

    /// Reserves bytes that have arrived.
    fn reserve(&self, bytes: usize) -> Result<(), BodyError> {
        self.check(u64::try_from(bytes).unwrap_or(u64::MAX))?;
        let mut reserved = self.0.lock();
        let more = reserved.memory.try_reserve(bytes).ok_or(BodyError::Busy)?;
        reserved.read += bytes;
        match &mut reserved.permit {
            Some(permit) => permit.merge(more),
            permit => *permit = Some(more),
        }
        Ok(())
    }
}

/// Allows the request with these extensions a body of this size.
pub fn allow(extensions: &Extensions, limit: usize) {
    if let Some(reservation) = extensions.get::<BodyReservation>() {
        reservation.allow(limit);
    }
}

/// The limits of all bodies: their memory, and the time of each.
#[derive(Clone)]
pub struct BodyLimits {
    /// What the bodies of all routes may take together.
    pub memory: MemoryLimit,
    /// When a body must have arrived, from the head of its request on.
    pub timeout: Duration,
}

/// The layer of all routes.
pub async fn bound_body(
    State(BodyLimits { memory, timeout }): State<BodyLimits>,
    request: Request,
    next: Next,
) -> Response {
    let deadline = Instant::now() + timeout;
    let reservation = BodyReservation::new(memory);
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(reservation.clone());
    let body = BoundedBody { body, reservation: reservation.clone(), deadline, waiting: None };
    let response = next.run(Request::from_parts(parts, Body::new(body))).await;
    // The handler may have taken it for a body that was cut off.
    reservation.error().map_or(response, BodyError::into_response)
}

/// A body that is read as far as its reservation goes.
struct BoundedBody {
    body: Body,
    reservation: BodyReservation,
    deadline: Instant,
    /// Ends the wait for bytes that do not come.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl BoundedBody {
    /// The next frame, or why there is none.
    fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        // Before the first read: a client that expects 100 Continue is not asked for what is refused.
        if let Err(error) = self.reservation.check(self.body.size_hint().lower()) {
            return Poll::Ready(Some(Err(error)));
        }
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(task) else {
            let deadline = self.deadline;
            let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            return waiting.as_mut().poll(task).map(|()| Some(Err(BodyError::TooSlow)));
        };
        Poll::Ready(frame.map(|frame| {
            let frame = frame.map_err(|_| BodyError::Incomplete)?;
            if let Some(data) = frame.data_ref() {
                self.reservation.reserve(data.len())?;
            }
            Ok(frame)
        }))
    }
}

impl HttpBody for BoundedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let next = this.poll_next(task);
        next.map(|frame| frame.map(|frame| frame.map_err(|error| this.reservation.fail(error))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
