//! Why a webhook is rejected, and what its sender is answered.

use axum::response::{IntoResponse, Response};

use super::admission::CommitError;
use crate::{
    domain::event::source::Source,
    web::{
        problem::{Code, Problem},
        request_body::BodyError,
    },
};

/// Why a webhook was rejected. None of these leaves a row.
#[derive(Debug)]
pub(super) enum WebhookError {
    /// Unknown connection or wrong token: one answer for both, so that guessing reveals nothing.
    UnknownEndpoint { source: Source },
    /// Its body was not read to its end: larger than `[http] body_limit`, cut off, too slow, or one too many.
    Body { source: Source, error: BodyError },
    /// The signature header is missing.
    SignatureMissing { source: Source },
    /// The signature matches none of the live keys.
    SignatureWrong { source: Source },
    /// Wrong, and not looked into after too many failures from this address.
    Throttled { source: Source },
    /// Signed, but not JSON.
    NotJson { source: Source },
    /// It could not be committed; the sender should repeat it.
    NotCommitted { source: Source, error: CommitError },
}

impl WebhookError {
    /// The vendor, and the problem code of the answer.
    pub(super) const fn source_and_code(&self) -> (Source, Code) {
        match self {
            Self::UnknownEndpoint { source } => (*source, Code::NotFound),
            Self::Body { source, error } => (*source, error.code()),
            Self::SignatureMissing { source } => (*source, Code::SignatureMissing),
            Self::SignatureWrong { source } => (*source, Code::SignatureWrong),
            Self::Throttled { source } => (*source, Code::TooMany),
            Self::NotJson { source } => (*source, Code::NotJson),
            Self::NotCommitted { source, error: CommitError::Unavailable } => (*source, Code::Unavailable),
            Self::NotCommitted { source, error: CommitError::Busy } => (*source, Code::Busy),
            Self::NotCommitted { source, error: CommitError::Rejected } => (*source, Code::Internal),
        }
    }
}

impl IntoResponse for WebhookError {
    fn into_response(self) -> Response {
        let (source, code) = self.source_and_code();
        tracing::warn!(source = source.as_str(), code = code.as_str(), "webhook rejected");
        Problem::from(code).into_response()
    }
}
