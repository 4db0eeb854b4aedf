//! What happened on the wire, and what that means for which effect: the first of the house's two failure tables.
//!
//! The root question is hyper's: was the request surely not sent, maybe sent, or surely received? Only then does it
//! matter what the call would have done. [`CallError::verdict`] is the whole table; the second one, from outcome to
//! next state, is [`crate::domain::task::transition::settle`].

use std::time::Duration;

use crate::domain::{
    task::outcome::{Outcome, Reason},
    vendor::Vendor,
};

/// Did the vendor hear us?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Surely not: no connection, or our own budget held it back.
    No,
    /// We cannot know.
    Maybe,
    /// It answered.
    Yes,
}

/// What a call does to the far side, named where the call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Doing it twice is doing it once: an absolute PUT or PATCH.
    Idempotent,
    /// Doing it twice does it twice: a plain POST. Neither vendor documents an idempotency header.
    Once,
}

/// How a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// DNS, connection refused, TLS, or the connect timeout.
    Connect,
    /// The connection or our grace_period ended after we had begun to send.
    Lost,
    /// An answer that is no success.
    Status(u16),
    /// A success whose body we cannot read.
    Unreadable,
    /// Our own rate budget for the vendor is spent.
    RateLimited,
    /// The vendor asked us to leave it alone, and that time is not over.
    Blocked,
    /// We could not build the request.
    Unbuildable,
    /// It would have been made; this was a dry_run.
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
    /// How long the vendor asked us to wait.
    pub retry_after: Option<Duration>,
}

impl CallError {
    /// Did the vendor hear us?
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

    /// True for the one answer that a read may take as "there is none".
    pub const fn is_not_found(&self) -> bool {
        matches!(self.failure, Failure::Status(404))
    }

    /// The vendor understood us and will not do it, whoever asks: a state, a setting, or the request itself. A 403
    /// counts here, since it is asked of edits only, whose reads were allowed with the same credentials.
    pub const fn is_refused(&self) -> bool {
        matches!(self.failure, Failure::Status(400 | 403 | 404 | 405 | 409 | 410 | 422))
    }

    /// Why the vendor, or our way into it, is not there for us; nothing where it has answered, whatever it said.
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

    /// What the failure means for a call with this effect.
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
            // "Look, then done or permanent": the next attempt looks first, as every attempt does, and a
            // conflict that stands spends the attempts.
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

    /// The first table of the house's error taxonomy, row by row: what was seen × read, idempotent, once.
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
