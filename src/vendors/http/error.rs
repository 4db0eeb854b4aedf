//! What a failed call means: the first of the two failure tables.
//!
//! The first question is hyper's: was the request surely not sent, maybe sent, or surely received? Only then
//! does it matter what the call would have done. [`CallError::verdict`] is the whole table; the second one,
//! from outcome to next state, is [`transition`](crate::domain::task::transition::transition()).
//! [`CallError::fault`] says what the failure tells about the vendor: a suspicion, never a verdict.

use std::time::Duration;

pub use super::failure::Failure;
use crate::domain::{
    task::{
        fault::{CallKind, Fault, FaultKind},
        outcome::Outcome,
        reason::Reason,
    },
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

impl Effect {
    /// The kind of call, by which faults are counted.
    pub const fn call_kind(self) -> CallKind {
        match self {
            Self::Read => CallKind::Read,
            Self::Idempotent | Self::Once => CallKind::Write,
        }
    }
}

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{vendor} {call}: {failure}")]
pub struct CallError {
    /// Which vendor.
    pub vendor: Vendor,
    /// Which call, as `place_order`.
    pub call: &'static str,
    /// How it failed.
    pub failure: Failure,
    /// How long to wait before the next call, where the vendor or the rate limiter says so.
    pub retry_after: Option<Duration>,
    /// What the vendor said, without anything personal. Never logged.
    pub message: Option<String>,
}

impl CallError {
    /// The failure, with the vendor's own words.
    pub fn explained(&self) -> String {
        match &self.message {
            Some(message) => format!("{self}: {message}"),
            None => self.to_string(),
        }
    }

    /// Whether the request reached the vendor.
    pub const fn sent(&self) -> Sent {
        match self.failure {
            Failure::Connect
            | Failure::RateLimited
            | Failure::Blocked
            | Failure::CircuitOpen(_)
            | Failure::TokenRefused(_)
            | Failure::Unbuildable
            | Failure::DryRun => Sent::No,
            // What stands before the vendor answered; it may have passed the request on.
            Failure::Lost | Failure::Status(502 | 504) | Failure::Maintenance(_) => Sent::Maybe,
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

    /// What the failure of a call with this effect tells about the vendor. `None` where the vendor works, asks
    /// for a wait, or was not asked.
    pub const fn fault(&self, effect: Effect) -> Option<Fault> {
        let call = effect.call_kind();
        let kind = match self.failure {
            Failure::Status(401 | 403) | Failure::TokenRefused(_) => FaultKind::Denied,
            Failure::Status(503) if self.retry_after.is_some() => return None,
            Failure::Connect
            | Failure::Lost
            | Failure::Maintenance(_)
            | Failure::Status(300..=399 | 408 | 421 | 423 | 425 | 500..) => FaultKind::Down,
            // Where 404 can mean "there is none", the client has asked and answered so. A list is always there.
            Failure::Status(404) if matches!(effect, Effect::Read) => FaultKind::Down,
            Failure::Status(_)
            | Failure::Unreadable
            | Failure::RateLimited
            | Failure::Blocked
            | Failure::CircuitOpen(_)
            | Failure::Unbuildable
            | Failure::DryRun => return None,
        };
        Some(Fault { vendor: self.vendor, call, kind })
    }

    /// Whether the vendor answered a call of this kind as it does when it works, even if by a refusal.
    pub const fn is_answer(&self, kind: CallKind) -> bool {
        match self.failure {
            Failure::Status(404) => matches!(kind, CallKind::Write),
            Failure::Status(status) => matches!(status, 400 | 405..=407 | 409..=420 | 422),
            Failure::Connect
            | Failure::Lost
            | Failure::Maintenance(_)
            | Failure::Unreadable
            | Failure::TokenRefused(_)
            | Failure::RateLimited
            | Failure::Blocked
            | Failure::CircuitOpen(_)
            | Failure::Unbuildable
            | Failure::DryRun => false,
        }
    }

    /// Why a list could not be read. A list belongs to no subject: refused access is refused credentials.
    pub fn read_failure_reason(&self) -> Reason {
        match self.verdict(Effect::Read).reason() {
            Some(Reason::AccessDenied) => Reason::CredentialsRefused,
            reason => reason.unwrap_or(Reason::Refused),
        }
    }

    /// What the failure means for a call with this effect: the whole table.
    pub const fn verdict(&self, effect: Effect) -> Outcome {
        let after = self.retry_after;
        match (self.failure, effect) {
            (Failure::RateLimited | Failure::Blocked | Failure::Status(429), _) => {
                Outcome::Snoozed { after, reason: Reason::RateLimited }
            }
            (Failure::CircuitOpen(reason), _) => Outcome::Snoozed { after, reason },
            (Failure::Status(503), _) if after.is_some() => {
                Outcome::Snoozed { after, reason: Reason::VendorFailed }
            }
            (Failure::TokenRefused(_), _) => Outcome::ConnectionFault { reason: Reason::CredentialsRefused },
            // Whose fault? The subject's own, until others fail alike. It was not applied.
            (Failure::Status(401 | 403), _) => Outcome::Retryable { reason: Reason::AccessDenied },
            (Failure::DryRun, _) => Outcome::Acted,
            (Failure::Connect, _) => Outcome::Retryable { reason: Reason::Unreachable },
            (Failure::Lost, _) => retryable_unless_once(effect, Reason::AnswerLost),
            // Not applied: the answer says that the request is to be made elsewhere, or later.
            // So does a list that is not found: a list is always there.
            (Failure::Status(300..=399 | 425), _) | (Failure::Status(404), Effect::Read) => {
                Outcome::Retryable { reason: Reason::VendorFailed }
            }
            (Failure::Status(408 | 421 | 423 | 500..), _) => {
                retryable_unless_once(effect, Reason::VendorFailed)
            }
            (Failure::Unreadable | Failure::Maintenance(200..=299), _) => {
                retryable_unless_once(effect, Reason::AnswerUnreadable)
            }
            (Failure::Maintenance(_), _) => retryable_unless_once(effect, Reason::VendorFailed),
            (Failure::Status(409), Effect::Read) => Outcome::Permanent { reason: Reason::Conflict },
            // A no, and not an unknown. The next attempt reads first, as every attempt does: an earlier call may
            // have been applied. A conflict that stays uses the attempts up.
            (Failure::Status(409), Effect::Idempotent | Effect::Once) => {
                Outcome::Retryable { reason: Reason::Conflict }
            }
            (Failure::Status(_) | Failure::Unbuildable, _) => Outcome::Permanent { reason: Reason::Refused },
        }
    }
}

/// The request may have been applied: only a call that must happen once cannot be repeated blindly.
const fn retryable_unless_once(effect: Effect, reason: Reason) -> Outcome {
    match effect {
        Effect::Read | Effect::Idempotent => Outcome::Retryable { reason },
        Effect::Once => Outcome::Unknown { reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(failure: Failure, retry_after: Option<u64>) -> CallError {
        let retry_after = retry_after.map(Duration::from_secs);
        CallError { vendor: Vendor::Ogoship, call: "test", failure, retry_after, message: None }
    }

    fn verdicts(failure: Failure, retry_after: Option<u64>) -> [&'static str; 3] {
        let error = error(failure, retry_after);
        [Effect::Read, Effect::Idempotent, Effect::Once].map(|effect| error.verdict(effect).as_str())
    }

    /// The table row by row: what was seen × read, idempotent, once.
    #[test]
    fn each_failure_has_the_verdict_of_its_table_row() {
        let unless_once = ["retryable", "retryable", "unknown"];
        assert_eq!(verdicts(Failure::Connect, None), ["retryable"; 3]);
        assert_eq!(verdicts(Failure::Lost, None), unless_once);
        for status in [408, 421, 423, 500, 502, 503, 504] {
            assert_eq!(verdicts(Failure::Status(status), None), unless_once, "{status}");
        }
        for status in [301, 302, 307, 308, 425] {
            assert_eq!(verdicts(Failure::Status(status), None), ["retryable"; 3], "{status}");
        }
        for status in [200, 404] {
            assert_eq!(verdicts(Failure::Maintenance(status), None), unless_once, "{status}");
        }
        assert_eq!(verdicts(Failure::Status(429), None), ["snoozed"; 3]);
        assert_eq!(verdicts(Failure::Status(503), Some(9)), ["snoozed"; 3]);
        for local in [Failure::RateLimited, Failure::Blocked, Failure::CircuitOpen(Reason::VendorDown)] {
            assert_eq!(verdicts(local, Some(9)), ["snoozed"; 3]);
        }
        assert_eq!(verdicts(Failure::Unreadable, None), unless_once);
        for status in [400, 405, 410, 413, 422] {
            assert_eq!(verdicts(Failure::Status(status), None), ["permanent"; 3], "{status}");
        }
        assert_eq!(verdicts(Failure::Status(404), None), ["retryable", "permanent", "permanent"]);
        assert_eq!(verdicts(Failure::Status(409), None), ["permanent", "retryable", "retryable"]);
        for status in [401, 403] {
            assert_eq!(verdicts(Failure::Status(status), None), ["retryable"; 3]);
        }
        assert_eq!(verdicts(Failure::TokenRefused(400), None), ["connection_fault"; 3]);
        assert_eq!(verdicts(Failure::Unbuildable, None), ["permanent"; 3]);
    }

    #[test]
    fn only_failures_that_others_may_meet_too_are_faults() {
        let kind = |failure, retry_after, effect| error(failure, retry_after).fault(effect).map(|it| it.kind);
        for failure in [Failure::Connect, Failure::Lost, Failure::Maintenance(200), Failure::Maintenance(404)]
        {
            assert_eq!(kind(failure, None, Effect::Once), Some(FaultKind::Down), "{failure:?}");
        }
        for status in [302, 408, 421, 423, 425, 500, 502, 503, 504] {
            assert_eq!(kind(Failure::Status(status), None, Effect::Read), Some(FaultKind::Down), "{status}");
        }
        for status in [401, 403] {
            assert_eq!(
                kind(Failure::Status(status), None, Effect::Once),
                Some(FaultKind::Denied),
                "{status}"
            );
        }
        for status in [400, 404, 409, 422, 429] {
            assert_eq!(kind(Failure::Status(status), None, Effect::Once), None, "{status}");
        }
        assert_eq!(
            kind(Failure::Status(404), None, Effect::Read),
            Some(FaultKind::Down),
            "a list is always there"
        );
        assert_eq!(kind(Failure::Status(503), Some(9), Effect::Read), None, "it asks for a wait");
        assert_eq!(kind(Failure::RateLimited, Some(9), Effect::Read), None, "it was not asked");
        assert_eq!(
            error(Failure::Lost, None).fault(Effect::Idempotent).map(|it| it.call),
            Some(CallKind::Write)
        );
    }

    #[test]
    fn only_a_failed_connect_is_surely_not_sent() {
        let sent = |failure| error(failure, None).sent();
        assert_eq!(sent(Failure::Connect), Sent::No);
        assert_eq!(sent(Failure::Lost), Sent::Maybe);
        assert_eq!(sent(Failure::Status(504)), Sent::Maybe);
        assert_eq!(sent(Failure::Maintenance(200)), Sent::Maybe);
        assert_eq!(sent(Failure::Status(400)), Sent::Yes);
    }
}
