//! Error responses: RFC 9457 problems with a code from a closed set. Each code is a heading of `docs/problems.md`, to which
//! its `type` points.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// The closed set of problem codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Code {
    /// No token, or an unknown one.
    Unauthenticated,
    /// The token's role does not allow the request.
    Forbidden,
    /// Unknown path or id.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// A parameter or field is malformed.
    Invalid,
    /// The body is not JSON.
    NotJson,
    /// The body is too large.
    TooLarge,
    /// The body ends early, or its chunks are malformed.
    BodyIncomplete,
    /// The body did not arrive in time.
    BodyTimeout,
    /// The request is in another version of HTTP.
    HttpVersion,
    /// The webhook has no signature.
    SignatureMissing,
    /// The webhook's signature is wrong.
    SignatureWrong,
    /// Wrong credentials, after too many others from this address.
    TooMany,
    /// The state of the resource does not allow the request.
    Conflict,
    /// The Idempotency-Key was used for another request.
    KeyReused,
    /// A request under the same Idempotency-Key is running.
    KeyInUse,
    /// The database is unavailable; nothing was changed.
    Unavailable,
    /// More webhooks arrive than can be committed, or more bodies than fit into memory; nothing was changed.
    Busy,
    /// A bug; the log has the details.
    Internal,
}

impl Code {
    /// Every code.
    pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The code that programs match on.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The HTTP status.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Unauthenticated | Self::SignatureMissing | Self::SignatureWrong => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Invalid | Self::NotJson | Self::BodyIncomplete => StatusCode::BAD_REQUEST,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::HttpVersion => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Conflict | Self::KeyInUse => StatusCode::CONFLICT,
            Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What RFC 9110 wants a 401 to say: how to authenticate. A webhook is signed and has no token.
    const fn challenge(self) -> Option<&'static str> {
        match self {
            Self::Unauthenticated => Some("Bearer"),
            Self::SignatureMissing | Self::SignatureWrong => Some("Signature"),
            _ => None,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Unauthenticated => "A known bearer token is required",
            Self::Forbidden => "The token's role does not allow this",
            Self::NotFound => "No such resource",
            Self::MethodNotAllowed => "This path does not support the method",
            Self::Invalid => "The request is malformed",
            Self::NotJson => "The body is not JSON",
            Self::TooLarge => "The body is too large",
            Self::BodyIncomplete => "The body ends early or is malformed",
            Self::BodyTimeout => "The body did not arrive in time",
            Self::HttpVersion => "Only HTTP/1.1 is spoken here; a proxy in front may speak HTTP/2",
            Self::SignatureMissing => "The signature is missing",
            Self::SignatureWrong => "The signature is wrong",
            Self::TooMany => "Too many wrong credentials: try again in a minute",
            Self::Conflict => "The state does not allow this now",
            Self::KeyReused => "The Idempotency-Key belongs to another request",
            Self::KeyInUse => "A request under this Idempotency-Key is still running",
            Self::Unavailable => "The database is unavailable: try again",
            Self::Busy => "Too much at once: try again",
            Self::Internal => "Internal error",
        }
    }
}

/// Seconds to wait while the database is unavailable or overloaded.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// Seconds for which an address stays blocked.
const RETRY_AFTER_THROTTLE: HeaderValue = HeaderValue::from_static("60");

/// The page of the dashboard that explains every code: `type` is relative, so it leads there wherever Silta is reached.
pub const PROBLEMS_PATH: &str = "/problems";

/// A problem, ready to be answered.
#[derive(Debug)]
pub struct Problem {
    /// The code.
    pub code: Code,
    /// What is wrong in this case, without secrets and personal data.
    pub detail: String,
}

impl Problem {
    /// A problem with a detail.
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
            "type": format!("{PROBLEMS_PATH}#{}", code.as_str()),
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
        if let Some(challenge) = code.challenge() {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}
