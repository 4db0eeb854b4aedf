//! Each way to say no to a webhook, and what the sender should make of it.

use axum::response::{IntoResponse, Response};

use super::admission::CommitError;
use crate::{
    domain::event::source::Source,
    web::problem::{Code, Problem},
};

/// Why a webhook was not taken. None of these leaves a row.
#[derive(Debug)]
pub(in crate::inbox) enum WebhookError {
    /// No such connection, or not its token: one answer for both, so that a guesser learns nothing.
    UnknownEndpoint { source: Source },
    /// Larger than `[http] body_limit`, or broken off.
    TooLarge { source: Source },
    /// The signature's header is not there.
    SignatureMissing { source: Source },
    /// The signature fits none of the live secrets.
    SignatureWrong { source: Source },
    /// Too many wrong signatures came from there of late: not even read.
    Throttled { source: Source },
    /// Signed, but not JSON.
    NotJson { source: Source },
    /// It could not be committed: the sender should send it again.
    NotCommitted { source: Source, error: CommitError },
}

impl WebhookError {
    /// Whose webhook, and the problem that its sender is told.
    pub(in crate::inbox) const fn source_and_code(&self) -> (Source, Code) {
        match self {
            Self::UnknownEndpoint { source } => (*source, Code::NotFound),
            Self::TooLarge { source } => (*source, Code::TooLarge),
            Self::SignatureMissing { source } => (*source, Code::SignatureMissing),
            Self::SignatureWrong { source } => (*source, Code::SignatureWrong),
            Self::Throttled { source } => (*source, Code::TooMany),
            Self::NotJson { source } => (*source, Code::NotJson),
            Self::NotCommitted { source, error: CommitError::Away } => (*source, Code::Unavailable),
            Self::NotCommitted { source, error: CommitError::Busy } => (*source, Code::Busy),
            Self::NotCommitted { source, error: CommitError::Refused } => (*source, Code::Internal),
        }
    }
}

impl IntoResponse for WebhookError {
    fn into_response(self) -> Response {
        let (source, code) = self.source_and_code();
        tracing::warn!(source = source.as_str(), code = code.as_str(), "webhook refused");
        Problem::from(code).into_response()
    }
}
