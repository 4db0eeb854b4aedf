//! What a failed call means: the first of the two failure tables.
//!
//! The first question is hyper's: was the request surely not sent, maybe sent, or surely received? Only then
//! does it matter what the call would have done. [`CallError::verdict`] is the whole table; the second one,
//! from outcome to next state, is [`transition`](crate::domain::task::transition::transition()).

use std::time::Duration;

use crate::domain::{
    task::{outcome::Outcome, reason::Reason},
    vendor::Vendor,
};

/// Whether the request reached the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Surely not: no connection, or the rate limit kept it here.
    No,
    /// Unknown.
    Maybe,
    /// The vendor answered.
    Yes,
}

/// What a call does at the vendor. Named where the call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Repeating it changes nothing more: an absolute PUT or PATCH.
    Idempotent,
    /// Repeating it does it twice: a plain POST. Neither vendor documents an idempotency header.
    Once,
}

/// How a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// DNS, connection refused, TLS, or the connect timeout.
    Connect,
    /// The connection broke or the call timed out after sending had begun.
    Lost,
    /// An answer other than 2xx.
    Status(u16),
    /// A 2xx answer whose body cannot be read.
    Unreadable,
    /// No token of our own rate limit was left.
    RateLimited,
    /// The vendor asked for silence, and that time is not over.
    Blocked,
    /// The request could not be built.
    Unbuildable,
    /// Withheld: this is a dry run.
    DryRun,
}

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{vendor} {call}: {failure:?}")]
pub struct CallError {
    /// Which vendor.
    pub vendor: Vendor,
    /// Which call, as `place_order`.
    pub call: &'static str,
    /// How it failed.
    pub failure: Failure,
    /// How long to wait before the next call, where the vendor or the rate limiter says so.
    pub retry_after: Option<Duration>,
}

impl CallError {
    /// Whether the request reached the vendor.
    pub const fn sent(&self) -> Sent {
        match self.failure {
            Failure::Connect
            | Failure::RateLimited
            | Failure::Blocked
            | Failure::Unbuildable
            | Failure::DryRun => Sent::No,
            Failure::Lost | Failure::Status(502 | 504) => Sent::Maybe,
            Failure::Status(_) | Failure::Unreadable => Sent::Yes,
        }
    }

    /// True for the only answer that a read may take as "there is none".
    pub const fn is_not_found(&self) -> bool {
        matches!(self.failure, Failure::Status(404))
    }

    /// Whether the vendor understood the request and will not do it, because of a state, a setting or the
    /// request itself. A 403 counts: this is asked of edits only, after a read with the same credentials was
    /// allowed.
    pub const fn is_refused(&self) -> bool {
        matches!(self.failure, Failure::Status(400 | 403 | 404 | 405 | 409 | 410 | 422))
    }

    /// Why the vendor or our access to it is down; `None` where it has answered, whatever it said.
    pub fn unavailable_reason(&self) -> Option<Reason> {
        match self.verdict(Effect::Read) {
            Outcome::Retryable {
                reason: Reason::Unreachable | Reason::AnswerLost | Reason::VendorFailed,
            } => Some(Reason::VendorDown),
            Outcome::ConnectionFault { reason } => Some(reason),
            _ => None,
        }
    }

    /// Why a list could not be read.
    pub fn read_failure_reason(&self) -> Reason {
        self.verdict(Effect::Read).reason().unwrap_or(Reason::Refused)
    }

    /// What the failure means for a call with this effect: the whole table.
    pub const fn verdict(&self, effect: Effect) -> Outcome {
        let after = self.retry_after;
        match (self.failure, effect) {
            (Failure::RateLimited | Failure::Blocked | Failure::Status(429), _) => {
                Outcome::Snoozed { after, reason: Reason::RateLimited }
            }
            (Failure::Status(503), _) if after.is_some() => {
                Outcome::Snoozed { after, reason: Reason::VendorFailed }
            }
            (Failure::Status(401 | 403), _) => {
                Outcome::ConnectionFault { reason: Reason::CredentialsRefused }
            }
            (Failure::DryRun, _) => Outcome::Acted,
            (Failure::Connect, _) => Outcome::Retryable { reason: Reason::Unreachable },
            (Failure::Lost, Effect::Once) => Outcome::Unknown { reason: Reason::AnswerLost },
            (Failure::Lost, Effect::Read | Effect::Idempotent) => {
                Outcome::Retryable { reason: Reason::AnswerLost }
            }
            (Failure::Status(500..), Effect::Once) => Outcome::Unknown { reason: Reason::VendorFailed },
            (Failure::Status(500..), Effect::Read | Effect::Idempotent) => {
                Outcome::Retryable { reason: Reason::VendorFailed }
            }
            (Failure::Unreadable, Effect::Once) => Outcome::Unknown { reason: Reason::AnswerUnreadable },
            (Failure::Unreadable, Effect::Read | Effect::Idempotent) => {
                Outcome::Retryable { reason: Reason::AnswerUnreadable }
            }
            // The next attempt reads first, as every attempt does. A conflict that stays uses the attempts up.
            (Failure::Status(409), Effect::Idempotent | Effect::Once) => {
                Outcome::Unknown { reason: Reason::Conflict }
            }
            (Failure::Status(409), Effect::Read) => Outcome::Permanent { reason: Reason::Conflict },
            (Failure::Status(_) | Failure::Unbuildable, _) => Outcome::Permanent { reason: Reason::Refused },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(failure: Failure, retry_after: Option<u64>) -> [&'static str; 3] {
        let error = CallError {
            vendor: Vendor::Ogoship,
            call: "test",
            failure,
            retry_after: retry_after.map(Duration::from_secs),
        };
        [Effect::Read, Effect::Idempotent, Effect::Once].map(|effect| error.verdict(effect).as_str())
    }

    /// The table row by row: what was seen × read, idempotent, once.
    #[test]
    fn each_failure_has_the_verdict_of_its_table_row() {
        assert_eq!(verdicts(Failure::Connect, None), ["retryable", "retryable", "retryable"]);
        assert_eq!(verdicts(Failure::Lost, None), ["retryable", "retryable", "unknown"]);
        for status in [500, 502, 503, 504] {
            assert_eq!(verdicts(Failure::Status(status), None), ["retryable", "retryable", "unknown"]);
        }
        assert_eq!(verdicts(Failure::Status(429), None), ["snoozed"; 3]);
        assert_eq!(verdicts(Failure::Status(503), Some(9)), ["snoozed"; 3]);
        for local in [Failure::RateLimited, Failure::Blocked] {
            assert_eq!(verdicts(local, Some(9)), ["snoozed"; 3]);
        }
        assert_eq!(verdicts(Failure::Unreadable, None), ["retryable", "retryable", "unknown"]);
        for status in [301, 400, 404, 405, 410, 413, 422] {
            assert_eq!(verdicts(Failure::Status(status), None), ["permanent"; 3]);
        }
        assert_eq!(verdicts(Failure::Status(409), None), ["permanent", "unknown", "unknown"]);
        for status in [401, 403] {
            assert_eq!(verdicts(Failure::Status(status), None), ["connection_fault"; 3]);
        }
        assert_eq!(verdicts(Failure::Unbuildable, None), ["permanent"; 3]);
    }

    #[test]
    fn only_a_failed_connect_is_surely_not_sent() {
        let sent =
            |failure| CallError { vendor: Vendor::Ogoship, call: "t", failure, retry_after: None }.sent();
        assert_eq!(sent(Failure::Connect), Sent::No);
        assert_eq!(sent(Failure::Lost), Sent::Maybe);
        assert_eq!(sent(Failure::Status(504)), Sent::Maybe);
        assert_eq!(sent(Failure::Status(400)), Sent::Yes);
    }
}
