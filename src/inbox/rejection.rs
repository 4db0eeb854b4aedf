//! Each way to say no to a webhook, and what the sender should make of it.

use axum::response::{IntoResponse, Response};

use crate::{
    domain::event::Source,
    problem::{Code, Problem},
    store::StoreError,
};

/// Why a webhook was not taken. None of these leaves a row.
#[derive(Debug)]
pub(super) enum Rejection {
    /// No such connection, or not its token: one answer for both, so that a guesser learns nothing.
    UnknownDoor { source: Source },
    /// Larger than `[http] body_limit`, or broken off.
    TooLarge { source: Source },
    /// The signature's header is not there.
    SignatureMissing { source: Source },
    /// The signature fits none of the live secrets.
    SignatureWrong { source: Source },
    /// Signed, but not JSON.
    NotJson { source: Source },
    /// The database would not take it: the sender should send it again.
    NotStored { source: Source, error: StoreError },
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let (source, code) = match &self {
            Self::UnknownDoor { source } => (source, Code::NotFound),
            Self::TooLarge { source } => (source, Code::TooLarge),
            Self::SignatureMissing { source } => (source, Code::SignatureMissing),
            Self::SignatureWrong { source } => (source, Code::SignatureWrong),
            Self::NotJson { source } => (source, Code::NotJson),
            Self::NotStored { source, error: StoreError::Away(_) } => (source, Code::Unavailable),
            Self::NotStored { source, .. } => (source, Code::Internal),
        };
        if let Self::NotStored { error, .. } = &self {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::error!(source = source.as_str(), error = %error, cause, "webhook not stored");
        } else {
            tracing::warn!(source = source.as_str(), code = code.as_str(), "webhook refused");
        }
        Problem::from(code).into_response()
    }
}
