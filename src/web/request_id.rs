//! The id of a request: in its log lines, in the answer's `X-Request-Id`, and on the page that says that something failed.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::http::{HeaderName, HeaderValue, Request};

/// The header of every answer.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// An extension of every request.
#[derive(Clone, Debug)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id of a request; `None` outside the layer that gives them.
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// As the header's value.
    pub const fn value(&self) -> &HeaderValue {
        &self.0
    }
}

/// Gives ids: random for a process, and counted within it, so that a request costs no randomness.
#[derive(Clone, Debug)]
pub struct RequestIds {
    process: Arc<str>,
    given: Arc<AtomicU64>,
}

impl RequestIds {
    /// Ids that begin with this: letters and digits.
    pub fn new(process: &str) -> Self {
        Self { process: process.into(), given: Arc::default() }
    }

    /// The next one.
    pub fn next(&self) -> RequestId {
        let number = self.given.fetch_add(1, Ordering::Relaxed) + 1;
        let value = HeaderValue::try_from(format!("{}-{number}", self.process));
        RequestId(value.unwrap_or(HeaderValue::from_static("")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_process_differ() {
        let ids = RequestIds::new("7f3a9c1e");
        let [one, other] = [ids.next(), ids.clone().next()];
        assert_eq!([one.as_str(), other.as_str()], ["7f3a9c1e-1", "7f3a9c1e-2"]);
    }
}
