//! Bounds request bodies on every route, also before anyone has authenticated.
//!
//! - **Each body.** A route takes [`DEFAULT_LIMIT`] until its handler allows more, which it does only once it knows who asks.
//!   A body that announces more is answered 413 before any of it is read.
//! - **All bodies together.** The bodies of all routes share one memory limit, `[http] waiting`. Bytes are reserved as they
//!   arrive, not as `Content-Length` announces them, and released once the handler is done. Without space the request is
//!   answered 503 with `Retry-After`.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    http::Extensions,
    middleware::Next,
    response::{IntoResponse, Response},
};
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;

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
}

impl IntoResponse for BodyError {
    fn into_response(self) -> Response {
        Problem::from(match self {
            Self::TooLarge => Code::TooLarge,
            Self::Busy => Code::Busy,
        })
        .into_response()
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

    /// Why the body was not read to its end, where its size is the reason.
    pub fn error(&self) -> Option<BodyError> {
        self.0.lock().error
    }

    /// Takes over what was reserved, for bytes that are kept for longer than the handler runs.
    pub fn take_permit(&self) -> Option<MemoryPermit> {
        self.0.lock().permit.take()
    }

    /// Checks that `bytes` more are allowed.
    fn check(&self, bytes: u64) -> Result<(), BodyError> {
        let mut reserved = self.0.lock();
        let size = u64::try_from(reserved.read).unwrap_or(u64::MAX).saturating_add(bytes);
        if size > u64::try_from(reserved.limit).unwrap_or(u64::MAX) {
            reserved.error = Some(BodyError::TooLarge);
            return Err(BodyError::TooLarge);
        }
        Ok(())
    }

    /// Reserves bytes that have arrived.
    fn reserve(&self, bytes: usize) -> Result<(), BodyError> {
        self.check(u64::try_from(bytes).unwrap_or(u64::MAX))?;
        let mut reserved = self.0.lock();
        let Some(more) = reserved.memory.try_reserve(bytes) else {
            reserved.error = Some(BodyError::Busy);
            return Err(BodyError::Busy);
        };
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

/// The layer of all routes.
pub async fn bound_body(State(memory): State<MemoryLimit>, request: Request, next: Next) -> Response {
    let reservation = BodyReservation::new(memory);
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(reservation.clone());
    let body = BoundedBody { body, reservation: reservation.clone() };
    let response = next.run(Request::from_parts(parts, Body::new(body))).await;
    // The handler may have taken it for a body that was cut off.
    reservation.error().map_or(response, BodyError::into_response)
}

/// A body that is read as far as its reservation goes.
struct BoundedBody {
    body: Body,
    reservation: BodyReservation,
}

impl HttpBody for BoundedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { body, reservation } = self.get_mut();
        let mut checked = reservation.check(body.size_hint().lower());
        let mut frame = None;
        if checked.is_ok() {
            frame = ready!(Pin::new(body).poll_frame(task));
            if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
                checked = reservation.reserve(data.len());
            }
        }
        Poll::Ready(match checked {
            Ok(()) => frame,
            Err(error) => Some(Err(axum::Error::new(error))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
