//! What we tell a caller that we refuse: RFC 9457 problems from a closed set. Each code is a heading of
//! `docs/problems.md`, to which its `type` points.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// The closed set of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Code {
    /// No token, or none that we know.
    Unauthenticated,
    /// The token's role does not allow it.
    Forbidden,
    /// No such thing, or no such path.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// A parameter or field is malformed.
    Invalid,
    /// The body is not JSON.
    NotJson,
    /// The body is larger than allowed.
    TooLarge,
    /// The webhook's signature is missing.
    SignatureMissing,
    /// The webhook's signature is wrong.
    SignatureWrong,
    /// Too many wrong signatures came from this address of late.
    TooMany,
    /// The thing is not in a state that allows it.
    Conflict,
    /// The same Idempotency-Key was used for another request.
    KeyReused,
    /// A request under the same Idempotency-Key is still running.
    KeyInUse,
    /// The database is away; nothing was changed.
    Unavailable,
    /// More arrives than can be committed now; nothing was changed.
    Busy,
    /// A fault of ours; the log knows more.
    Internal,
}

impl Code {
    /// Every value.
    pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The code that programs match on.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Its HTTP status.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Unauthenticated | Self::SignatureMissing | Self::SignatureWrong => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Invalid | Self::NotJson => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Conflict | Self::KeyInUse => StatusCode::CONFLICT,
            Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Unauthenticated => "A known bearer token is needed",
            Self::Forbidden => "The token's role does not allow this",
            Self::NotFound => "There is no such thing",
            Self::MethodNotAllowed => "This path does not take that method",
            Self::Invalid => "The request is malformed",
            Self::NotJson => "The body is not JSON",
            Self::TooLarge => "The body is too large",
            Self::SignatureMissing => "The signature is missing",
            Self::SignatureWrong => "The signature is wrong",
            Self::TooMany => "Too many wrong signatures: nothing more is read for a minute",
            Self::Conflict => "Its state does not allow this now",
            Self::KeyReused => "The Idempotency-Key belongs to another request",
            Self::KeyInUse => "A request under this Idempotency-Key is still running",
            Self::Unavailable => "The database is away: try again",
            Self::Busy => "More arrives than can be taken now: try again",
            Self::Internal => "A fault of ours",
        }
    }
}

/// Seconds that a caller should wait for the database, or for the rush to end.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// Seconds for which wrong signatures are not read.
const RETRY_AFTER_THROTTLE: HeaderValue = HeaderValue::from_static("60");

/// A refusal, ready to be answered.
#[derive(Debug)]
pub struct Problem {
    /// Which.
    pub code: Code,
    /// Plain words for this case; never secrets or personal data.
    pub detail: String,
}

impl Problem {
    /// A problem with words of its own.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code, "")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { code, detail } = self;
        let body = json!({
            "type": format!("https://silta.example.fi/problems#{}", code.as_str()),
            "title": code.title(),
            "status": code.status().as_u16(),
            "detail": if detail.is_empty() { code.title() } else { &detail },
            "code": code.as_str(),
        });
        let mut response = (code.status(), Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if code.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if code.status() == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER_THROTTLE);
        }
        if code.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
