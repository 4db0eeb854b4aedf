//! What we tell a caller that we refuse: RFC 9457 problems from a closed set. Each code is a heading of
//! `docs/problems.md`, to which its `type` points.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

macro_rules! problem_codes {
    ($($(#[$doc:meta])* $name:ident = ($code:literal, $status:ident, $title:literal)),+ $(,)?) => {
        /// The closed set of problems.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name),+ }

        impl Code {
            /// Every code, for documents and tests.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code that programs match on.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// Its HTTP status.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),+ }
            }

            const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }
        }
    };
}

problem_codes! {
    /// No token, or none that we know.
    Unauthenticated = ("unauthenticated", UNAUTHORIZED, "A known bearer token is needed"),
    /// The token's role does not allow it.
    Forbidden = ("forbidden", FORBIDDEN, "The token's role does not allow this"),
    /// No such thing, or no such path.
    NotFound = ("not_found", NOT_FOUND, "There is no such thing"),
    /// The path exists, the method does not.
    MethodNotAllowed = ("method_not_allowed", METHOD_NOT_ALLOWED, "This path does not take that method"),
    /// A parameter or field is malformed.
    Invalid = ("invalid", BAD_REQUEST, "The request is malformed"),
    /// The body is not JSON.
    NotJson = ("not_json", BAD_REQUEST, "The body is not JSON"),
    /// The body is larger than allowed.
    TooLarge = ("too_large", PAYLOAD_TOO_LARGE, "The body is too large"),
    /// The webhook's signature is missing.
    SignatureMissing = ("signature_missing", UNAUTHORIZED, "The signature is missing"),
    /// The webhook's signature is wrong.
    SignatureWrong = ("signature_wrong", UNAUTHORIZED, "The signature is wrong"),
    /// Too many wrong signatures came from this address of late.
    TooMany = ("too_many", TOO_MANY_REQUESTS, "Too many wrong signatures: nothing more is read for a minute"),
    /// The thing is not in a state that allows it.
    Conflict = ("conflict", CONFLICT, "Its state does not allow this now"),
    /// The same Idempotency-Key was used for another request.
    KeyReused = ("key_reused", UNPROCESSABLE_ENTITY, "The Idempotency-Key belongs to another request"),
    /// A request under the same Idempotency-Key is still running.
    KeyInUse = ("key_in_use", CONFLICT, "A request under this Idempotency-Key is still running"),
    /// The database is away; nothing was changed.
    Unavailable = ("unavailable", SERVICE_UNAVAILABLE, "The database is away: try again"),
    /// More arrives than can be committed now; nothing was changed.
    Busy = ("busy", SERVICE_UNAVAILABLE, "More arrives than can be taken now: try again"),
    /// A fault of ours; the log knows more.
    Internal = ("internal", INTERNAL_SERVER_ERROR, "A fault of ours"),
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
