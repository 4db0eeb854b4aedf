//! A body that is made to take memory.

use std::convert::Infallible;

use axum::body::{Body, Bytes};

/// A body of 8 MiB, of which only one piece is in memory.
pub(super) fn repeated_body(start: &'static str, repeated: &str) -> Body {
    const LENGTH: usize = 8 << 20;
    let piece = Bytes::from(repeated.repeat((64 << 10) / repeated.len().max(1)));
    let count = LENGTH / piece.len().max(1);
    let pieces =
        std::iter::once(Bytes::from_static(start.as_bytes())).chain(std::iter::repeat_n(piece, count));
    Body::from_stream(futures_util::stream::iter(pieces.map(Ok::<_, Infallible>)))
}
