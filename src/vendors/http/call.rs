//! A call to a vendor and its answer.

use std::time::Duration;

use reqwest::{Method, header::HeaderMap};

use super::answer_memory::AnswerPermit;
use crate::domain::Timestamp;

/// A call to make.
#[derive(Debug)]
pub struct Call {
    /// Its name in the call log and in spans, as `place_order`.
    pub name: &'static str,
    /// GET, POST, PUT or PATCH.
    pub method: Method,
    /// The path behind the base URL, each segment encoded.
    pub path: String,
    /// The query.
    pub query: Vec<(&'static str, String)>,
    /// Headers, credentials included.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// A call's body.
#[derive(Clone, Debug)]
pub enum Body {
    /// No body.
    Empty,
    /// JSON.
    Json(serde_json::Value),
    /// A form. It holds secrets: never print it with `Debug`.
    Form(Vec<(&'static str, String)>),
}

/// A successful answer.
#[derive(Debug)]
pub struct Response {
    /// The whole body.
    pub body: Vec<u8>,
    /// The vendor's clock, from its `Date` header, to the second.
    pub date: Option<Timestamp>,
    /// How long the call took.
    pub elapsed: Duration,
    /// Its memory, reserved until it is parsed.
    pub(super) _permit: AnswerPermit,
}

#[cfg(test)]
impl Response {
    /// An empty answer with this date.
    pub(in crate::vendors) fn dated(date: Option<Timestamp>, elapsed: Duration) -> Self {
        Self { body: Vec::new(), date, elapsed, _permit: AnswerPermit::default() }
    }
}
