//! The only `send`: keeps to the rate limit, caps the body while reading it, and records each call. The body of
//! a failed call is dropped: it may hold personal data.

use std::sync::Arc;

use reqwest::{Method, StatusCode, header::HeaderValue};
use tokio::time::Instant;
use tracing::Instrument;

use super::{
    answer_memory::{AnswerMemory, ClientMemory},
    call::{Body, Call, Response},
    call_log::{CallLog, CallRecord},
    call_span,
    connection_start::ConnectionStart,
    error::{CallError, Failure},
    rate_limiter::{RateLimitError, RateLimiter},
    request::build,
    retry_after::{date, retry_after},
    turn_signal::{TurnSignal, Turns},
    vendor_message::{message_of, private_values},
};
use crate::{
    domain::{
        Timestamp,
        call_figures::CallFigures,
        rate_limit::{CallPriority, MAX_WAIT, MAX_WAIT_UNDER_WAY},
        redact::Redactor,
        task::fault::CallKind,
        vendor::Vendor,
    },
    runtime::clock::Clock,
    vendors::json_repair::clean,
};

/// The longest answer that is read. 250 items of the widest list take a tenth of it.
const MAX_RESPONSE_BYTES: usize = 8 << 20;

/// The longest answer to a failed call that is read: it only explains.
const MAX_EXPLANATION_BYTES: usize = 64 << 10;

/// Calls one vendor on behalf of one connection.
#[derive(Clone, Debug)]
pub struct HttpClient {
    shared: Arc<Shared>,
    base: Arc<str>,
    priority: CallPriority,
    call_log: CallLog,
    turns: Turns,
}

/// What all clones of a client share.
#[derive(Clone, Debug)]
struct Shared {
    client: reqwest::Client,
    vendor: Vendor,
    rate_limiter: Arc<RateLimiter>,
    clock: Arc<dyn Clock>,
    redactor: Redactor,
    connection_start: Option<Arc<ConnectionStart>>,
    memory: ClientMemory,
    figures: Option<(String, CallFigures)>,
}

impl HttpClient {
    /// Creates a client for a vendor at its base URL.
    pub fn new(
        (client, memory): (reqwest::Client, AnswerMemory),
        (vendor, base): (Vendor, &str),
        rate_limiter: Arc<RateLimiter>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let shared = Shared {
            client,
            vendor,
            rate_limiter,
            clock,
            redactor: Redactor::default(),
            connection_start: None,
            memory: ClientMemory::of(memory),
            figures: None,
        };
        Self {
            shared: Arc::new(shared),
            base: base.trim_end_matches('/').into(),
            priority: CallPriority::Live,
            call_log: CallLog::default(),
            turns: Turns::Free,
        }
    }

    fn with_shared(mut self, change: impl FnOnce(&mut Shared)) -> Self {
        change(Arc::make_mut(&mut self.shared));
        self
    }

    /// The same client, whose calls are counted for a connection.
    pub fn counting(self, connection: &str, figures: &CallFigures) -> Self {
        self.with_shared(|shared| shared.figures = Some((connection.to_owned(), figures.clone())))
    }

    /// The same client, whose answers tell when the connection began.
    pub fn dating(self, start: ConnectionStart) -> Self {
        self.with_shared(|shared| shared.connection_start = Some(Arc::new(start)))
    }

    /// When the connection began, by the vendor's clock.
    pub fn connection_start(&self) -> Option<&ConnectionStart> {
        self.shared.connection_start.as_deref()
    }

    /// The same client, with personal data in its call log redacted by `redactor`.
    pub fn redacted(self, redactor: &Redactor) -> Self {
        self.with_shared(|shared| shared.redactor = redactor.clone())
    }

    /// The same client, recording its calls in `call_log`.
    pub fn with_call_log(&self, call_log: &CallLog) -> Self {
        Self { call_log: call_log.clone(), ..self.clone() }
    }

    /// The same client, at background priority: live calls go first.
    pub fn in_background(&self) -> Self {
        Self { priority: CallPriority::Background, ..self.clone() }
    }

    /// The same client, for the first of two reads at the same time.
    pub fn first(&self, signal: &TurnSignal) -> Self {
        Self { turns: Turns::First(signal.clone()), ..self.clone() }
    }

    /// The same client, for the second of two reads at the same time.
    pub fn second(&self, signal: &TurnSignal) -> Self {
        Self { turns: Turns::Second(signal.clone()), ..self.clone() }
    }

    /// The same client for another host of the same vendor.
    pub fn with_base_url(&self, base: &str) -> Self {
        Self { base: base.trim_end_matches('/').into(), ..self.clone() }
    }

    /// The error of a call to this vendor.
    pub fn call_error(&self, call: &'static str, failure: Failure) -> CallError {
        CallError { vendor: self.shared.vendor, call, failure, retry_after: None, message: None }
    }

    /// Makes the call. Any status but 2xx is an error.
    pub async fn send(&self, mut call: Call) -> Result<Response, CallError> {
        let name = call.name;
        let mut record = self.record(&call);
        let kind = if call.method == Method::GET { CallKind::Read } else { CallKind::Write };
        if self.call_log.is_dry_run() && kind == CallKind::Write {
            self.call_log.push(record);
            return Err(self.call_error(name, Failure::DryRun));
        }
        self.wait_for_turn(name, kind).await?;
        if kind == CallKind::Write
            && let Some((reason, left)) = self.call_log.hold_back(self.shared.vendor).await
        {
            let error = self.call_error(name, Failure::CircuitOpen(reason));
            return Err(CallError { retry_after: Some(left), ..error });
        }
        record.at = self.shared.clock.now();
        let turn = self.shared.rate_limiter.now();
        if let Some(id) = &record.request_id {
            let id = HeaderValue::from_str(id).expect("made of a claim's id and a number");
            call.headers.insert("x-request-id", id);
        }
        let started_at = Instant::now();
        let span = call_span::begin(&call, self.shared.vendor, &self.base, record.request_id.as_deref());
        let result = self.exchange(call).instrument(span.clone()).await;
        self.slow_down(result.as_ref().err(), turn).await;
        record.millis = u64::try_from(started_at.elapsed().as_millis()).unwrap_or(u64::MAX);
        record.finish(&result);
        if result.as_ref().map_or_else(|error| error.is_answer(kind), |_| true) {
            self.call_log.record_answer(self.shared.vendor, kind);
        }
        let CallRecord { at, status, millis, .. } = record;
        if let Some((connection, figures)) = &self.shared.figures {
            let has_succeeded =
                result.as_ref().map_or_else(|error| error.is_answer(kind) || status == Some(404), |_| true);
            figures.record((connection, self.shared.vendor), at, has_succeeded, millis);
        }
        call_span::record_end(&span, status, result.as_ref().err());
        tracing::debug!(vendor = %self.shared.vendor, call = name, ?status, millis, "called");
        self.call_log.push(record);
        result
    }

    /// Waits for a token of the rate limit.
    async fn wait_for_turn(&self, call: &'static str, kind: CallKind) -> Result<(), CallError> {
        if !self.turns.may_follow().await {
            return Err(self.call_error(call, Failure::RateLimited));
        }
        // What is written follows its reads, and an action its begin, at once or not at all.
        let is_under_way = kind == CallKind::Read && (self.call_log.has_calls() || self.turns.is_second());
        let max_wait = if is_under_way { MAX_WAIT_UNDER_WAY } else { MAX_WAIT };
        let Err(error) = self.shared.rate_limiter.acquire(self.priority, max_wait).await else {
            self.turns.announce();
            return Ok(());
        };
        let (failure, wait) = match error {
            RateLimitError::Blocked(wait) => (Failure::Blocked, wait),
            RateLimitError::Exhausted(wait) => (Failure::RateLimited, wait),
        };
        Err(CallError { retry_after: Some(wait), ..self.call_error(call, failure) })
    }

    /// Lowers the rate after a 429, and blocks all calls for as long as the vendor asked.
    async fn slow_down(&self, error: Option<&CallError>, started_at: Timestamp) {
        let Some(error) = error else { return };
        if error.failure == Failure::Status(429) {
            self.shared.rate_limiter.lower_rate(started_at).await;
        }
        if let Some(wait) = error.retry_after {
            self.shared.rate_limiter.block_for(wait).await;
        }
    }

    /// The record of a call that is not made yet.
    fn record(&self, call: &Call) -> CallRecord {
        let Call { name, method, path, body, .. } = call;
        CallRecord {
            vendor: self.shared.vendor.as_str(),
            call: name,
            at: self.shared.clock.now(),
            request_id: self.call_log.request_id(),
            method: method.to_string(),
            path: path.clone(),
            request: match body {
                Body::Json(json) => Some(self.shared.redactor.apply(json)),
                Body::Empty | Body::Form(_) => None,
            },
            status: None,
            millis: 0,
            sent: None,
            message: None,
        }
    }

    async fn exchange(&self, call: Call) -> Result<Response, CallError> {
        let started_at = Instant::now();
        let private = private_values(&call);
        let name = call.name;
        let request = build(&self.shared.client, &self.base, call)
            .ok_or_else(|| self.call_error(name, Failure::Unbuildable))?;
        let sent = self.shared.client.execute(request).await; // the only place that sends
        let response = sent.map_err(|error| self.call_error(name, Failure::of(&error)))?;

        let status = response.status();
        let date = date(response.headers());
        if let (Some(start), Some(date)) = (&self.shared.connection_start, date) {
            start.observe(date).await;
        }
        let now = date.unwrap_or_else(|| self.shared.clock.now());
        let retry_after = retry_after(status, response.headers(), now);
        let is_success = status.is_success();
        let limit = if is_success { MAX_RESPONSE_BYTES } else { MAX_EXPLANATION_BYTES };
        let answer = self
            .shared
            .memory
            .read(response, limit)
            .await
            .ok_or_else(|| self.call_error(name, Failure::Unreadable));
        if is_success {
            let (body, permit) = answer?;
            let (body, has_nul) = clean(body);
            if has_nul {
                tracing::warn!(vendor = %self.shared.vendor, call = name, "a text of the answer held U+0000, which was removed");
            }
            if is_web_page(&body) {
                return Err(self.call_error(name, Failure::Maintenance(status.as_u16())));
            }
            return Ok(Response { body, date, elapsed: started_at.elapsed(), _permit: permit });
        }
        let (body, _permit) = answer.unwrap_or_default();
        let duplicate = is_duplicate_reference(status, &body);
        let failure = Failure::Status(if duplicate { 409 } else { status.as_u16() });
        let message = message_of(&body, &private);
        Err(CallError { retry_after, message, ..self.call_error(name, failure) })
    }
}

/// Whether a successful answer is a web page: no JSON begins with `<`. A maintenance page, or a login page.
fn is_web_page(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    body.trim_ascii_start().first() == Some(&b'<')
}

/// Whether a 4xx says that the order's reference exists already. OGOship's answer to that is not public; its
/// legacy API uses these words (docs/contract.md U17). Only a hint: it makes the worker read both sides again,
/// and that decides.
fn is_duplicate_reference(status: StatusCode, body: &[u8]) -> bool {
    status.is_client_error() && String::from_utf8_lossy(body).to_lowercase().contains("same reference")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_in_place_of_json_is_recognised() {
        for page in ["<!doctype html><p>Huoltokatko", " \n<html>", "\u{feff}<html>", "<?xml version='1.0'?>"]
        {
            assert!(is_web_page(page.as_bytes()), "{page}");
        }
        for json in ["", "null", "{}", "[]", " {\"name\": \"<b>\"}", "\"<html>\""] {
            assert!(!is_web_page(json.as_bytes()), "{json}");
        }
    }
}
