//! The one reqwest builder and the one `send`.
//!
//! Timeouts for connect and for the whole call; no redirects followed (a vendor that moves must be configured, not
//! guessed); the body capped while it is read; one budget; each call's call_log kept. The body of a failed call is
//! handed to nobody: it may hold personal data.

use std::{sync::Arc, time::Duration};

use reqwest::{
    Method, StatusCode,
    header::{HeaderMap, HeaderValue},
};
use tokio::time::Instant;
use tracing::{Instrument, field::Empty};

use super::{
    call_log::{CallLog, CallRecord},
    dns::PublicResolver,
    error::{CallError, Failure, Sent},
    rate_limiter::{RateLimitError, RateLimiter},
};
use crate::domain::{Timestamp, difference::Redactor, rate_limit::CallPriority, vendor::Vendor};

/// The longest answer we read: 250 items of the widest list are a tenth of it.
const MAX_RESPONSE_BYTES: usize = 8 << 20;

/// How outward calls are made, from `[outbound]`.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// For one whole call, connecting included.
    pub timeout: Duration,
    /// May a name lead to a loopback or private address? For the sandbox and tests only.
    pub allow_private: bool,
}

/// The client shared by all connections: it pools connections per host.
pub fn client(options: Options) -> reqwest::Client {
    // One crypto provider for all of Silta; installing it twice (two services in one test process) is no error.
    let _ = rustls::crypto::ring::default_provider().install_default();
    #[expect(clippy::disallowed_methods, reason = "this is the one builder")]
    let builder = reqwest::Client::builder();
    let builder =
        if options.allow_private { builder } else { builder.dns_resolver(Arc::new(PublicResolver)) };
    builder
        .user_agent(concat!("silta/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(options.timeout.min(Duration::from_secs(5)))
        .timeout(options.timeout)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client without files or proxies to read can always be built")
}

/// One vendor of one connection, ready to be called.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: reqwest::Client,
    vendor: Vendor,
    base: String,
    budget: Arc<RateLimiter>,
    priority: CallPriority,
    call_log: CallLog,
    redactor: Redactor,
}

/// A call to make.
#[derive(Debug)]
pub struct Call {
    /// Its name in call_log and metrics, as `place_order`.
    pub name: &'static str,
    /// GET, POST, PUT or PATCH.
    pub method: Method,
    /// Path behind the base, each segment encoded.
    pub path: String,
    /// Query.
    pub query: Vec<(&'static str, String)>,
    /// Headers, credentials among them.
    pub headers: HeaderMap,
    /// Body.
    pub body: Body,
}

/// A call's body.
#[derive(Clone, Debug)]
pub enum Body {
    /// None.
    Empty,
    /// JSON.
    Json(serde_json::Value),
    /// A form: secrets, so that its `Debug` is never printed with values anywhere.
    Form(Vec<(&'static str, String)>),
}

/// A successful answer.
#[derive(Debug)]
pub struct Response {
    /// The whole body.
    pub body: Vec<u8>,
    /// The vendor's own time, to the second, where it tells it.
    pub date: Option<Timestamp>,
}

impl HttpClient {
    /// A way to one vendor: `base` without a trailing slash.
    pub fn new(client: reqwest::Client, vendor: Vendor, base: &str, budget: Arc<RateLimiter>) -> Self {
        Self {
            client,
            vendor,
            base: base.trim_end_matches('/').to_owned(),
            budget,
            priority: CallPriority::Live,
            call_log: CallLog::default(),
            redactor: Redactor::default(),
        }
    }

    /// The same way, hiding what is personal in its call_log by this redactor.
    pub fn redacted(self, redactor: &Redactor) -> Self {
        Self { redactor: redactor.clone(), ..self }
    }

    /// The same way, keeping its calls in `call_log`.
    pub fn with_call_log(&self, call_log: &CallLog) -> Self {
        Self { call_log: call_log.clone(), ..self.clone() }
    }

    /// The same way, letting live calls go first.
    pub fn in_background(&self) -> Self {
        Self { priority: CallPriority::Background, ..self.clone() }
    }

    /// The same way to another host of the same vendor.
    pub fn with_base_url(&self, base: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), ..self.clone() }
    }

    /// A failure of a call of ours.
    pub fn call_error(&self, call: &'static str, failure: Failure) -> CallError {
        CallError { vendor: self.vendor, call, failure, retry_after: None }
    }

    /// Makes the call. Any status but 2xx is an error.
    pub async fn send(&self, mut call: Call) -> Result<Response, CallError> {
        let name = call.name;
        let mut record = self.record(&call);
        if self.call_log.is_dry_run() && call.method != Method::GET {
            self.call_log.push(record);
            return Err(self.call_error(name, Failure::DryRun));
        }
        if let Err(error) = self.budget.acquire(self.priority).await {
            let (failure, wait) = match error {
                RateLimitError::Blocked(wait) => (Failure::Blocked, wait),
                RateLimitError::Exhausted(wait) => (Failure::RateLimited, wait),
            };
            return Err(CallError { retry_after: Some(wait), ..self.call_error(name, failure) });
        }
        record.at = self.budget.now();
        if let Some(id) = &record.request_id {
            let id = HeaderValue::from_str(id).expect("made of a claim's id and a number");
            call.headers.insert("x-request-id", id);
        }
        let started_at = Instant::now();
        let span = tracing::debug_span!(
            "call", otel.name = name, otel.kind = "client", vendor = %self.vendor, request_id = record.request_id, status = Empty
        );
        let result = self.exchange(call).instrument(span.clone()).await;
        let failed = result.as_ref().err();
        if failed.is_some_and(|error| error.failure == Failure::Status(429)) {
            self.budget.lower_rate(record.at).await;
        }
        if let Some(CallError { retry_after: Some(wait), .. }) = failed {
            self.budget.block_for(*wait).await;
        }
        record.status = match failed.map(|error| error.failure) {
            None => Some(200),
            Some(Failure::Status(status)) => Some(status),
            Some(_) => None,
        };
        record.sent = failed.map(|error| match error.sent() {
            Sent::No => "no",
            Sent::Maybe => "maybe",
            Sent::Yes => "yes",
        });
        record.millis = u64::try_from(started_at.elapsed().as_millis()).unwrap_or(u64::MAX);
        let CallRecord { status, millis, .. } = record;
        span.record("status", status);
        tracing::debug!(vendor = %self.vendor, call = name, ?status, millis, "called");
        self.call_log.push(record);
        result
    }

    /// A call before it is made.
    fn record(&self, call: &Call) -> CallRecord {
        let Call { name, method, path, body, .. } = call;
        CallRecord {
            vendor: self.vendor.as_str(),
            call: name,
            at: self.budget.now(),
            request_id: self.call_log.request_id(),
            method: method.to_string(),
            path: path.clone(),
            request: match body {
                Body::Json(json) => Some(self.redactor.apply(json)),
                Body::Empty | Body::Form(_) => None,
            },
            status: None,
            millis: 0,
            sent: None,
        }
    }

    async fn exchange(&self, call: Call) -> Result<Response, CallError> {
        let Call { name, method, path, query, headers, body } = call;
        let mut request = self.client.request(method, format!("{}{path}", self.base)).headers(headers);
        if !query.is_empty() {
            request = request.query(&query);
        }
        request = match body {
            Body::Empty => request,
            Body::Json(json) => request.json(&json),
            Body::Form(form) => request.form(&form),
        };
        #[expect(clippy::disallowed_methods, reason = "this is the one send")]
        let response = request.send().await.map_err(|error| self.call_error(name, failure_of(&error)))?;

        let status = response.status();
        let retry_after = retry_after(status, response.headers(), self.budget.now());
        let date = response.headers().get(reqwest::header::DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| chrono::DateTime::parse_from_rfc2822(date).ok()).map(Into::into);
        let body = self.read(name, response).await;
        if status.is_success() {
            return body.map(|body| Response { body, date });
        }
        let duplicate = body.is_ok_and(|body| is_duplicate_reference(status, &body));
        let failure = Failure::Status(if duplicate { 409 } else { status.as_u16() });
        Err(CallError { retry_after, ..self.call_error(name, failure) })
    }

    async fn read(&self, name: &'static str, mut response: reqwest::Response) -> Result<Vec<u8>, CallError> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_RESPONSE_BYTES => {
                    body.extend_from_slice(&chunk);
                }
                Ok(None) => return Ok(body),
                Ok(Some(_)) | Err(_) => return Err(self.call_error(name, Failure::Unreadable)),
            }
        }
    }
}

fn failure_of(error: &reqwest::Error) -> Failure {
    if error.is_builder() {
        Failure::Unbuildable
    } else if error.is_connect() {
        Failure::Connect
    } else {
        Failure::Lost
    }
}

/// Retry-After in seconds or as a date (RFC 9110 §10.2.3), believed on the two statuses that mean is_backpressure.
fn retry_after(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let is_backpressure = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status);
    let text = headers.get(reqwest::header::RETRY_AFTER).filter(|_| is_backpressure)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    Some((Timestamp::from(date) - now).to_std().unwrap_or_default())
}

/// OGOship's answer to a repeated reference is not public; its legacy API says it in these words, with a 4xx
/// (docs/contract.md U17). A hint only: it makes us look, and the look decides.
fn is_duplicate_reference(status: StatusCode, body: &[u8]) -> bool {
    status.is_client_error() && String::from_utf8_lossy(body).to_lowercase().contains("same reference")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_parsed_as_seconds_or_date_on_429_and_503() {
        let now = Timestamp::from_timestamp(784_111_700, 0).expect("a time");
        let read = |status, value: &str| {
            let value = HeaderValue::from_str(value).expect("a header");
            retry_after(status, &HeaderMap::from_iter([(reqwest::header::RETRY_AFTER, value)]), now)
        };
        let busy = StatusCode::TOO_MANY_REQUESTS;
        assert_eq!(read(busy, " 7 "), Some(Duration::from_secs(7)));
        assert_eq!(read(busy, "Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(77)));
        assert_eq!(
            read(StatusCode::SERVICE_UNAVAILABLE, "Sun, 06 Nov 1994 08:00:00 GMT"),
            Some(Duration::ZERO)
        );
        assert_eq!(read(busy, "soon"), None);
        assert_eq!(read(StatusCode::OK, "7"), None);
    }
}
