//! What went wrong with a call, as far as the remedy depends on it.

use crate::{
    domain::failed_call::{CallCause, Unreached},
    vendors::http::error::{CallError, Failure},
};

/// The cause of a failed call; `unreached` says why there was no answer.
pub(super) fn cause_of(error: &CallError, unreached: Option<Unreached>) -> CallCause {
    match error.failure {
        Failure::Status(401) | Failure::TokenRefused(_) => CallCause::KeyRefused,
        Failure::Status(403) => CallCause::RightMissing,
        Failure::Status(404 | 410) | Failure::Maintenance(404) => CallCause::NotFound,
        Failure::Status(300..=399) => CallCause::Moved,
        Failure::Status(429) | Failure::Blocked => CallCause::Limited,
        Failure::RateLimited => CallCause::OwnLimit,
        Failure::Maintenance(_) => CallCause::WebPage,
        Failure::Connect | Failure::Lost => {
            CallCause::Unreached(unreached.unwrap_or_else(|| Unreached::Other("it answers now".to_owned())))
        }
        Failure::Status(408 | 421 | 423 | 425 | 500..) => CallCause::VendorFault,
        Failure::Status(_)
        | Failure::Unreadable
        | Failure::CircuitOpen(_)
        | Failure::Unbuildable
        | Failure::DryRun => CallCause::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{language::Language, vendor::Vendor},
        explain::call_remedy,
    };

    fn cause(failure: Failure, unreached: Option<Unreached>) -> CallCause {
        let error =
            CallError { vendor: Vendor::MyCashflow, call: "test", failure, retry_after: None, message: None };
        cause_of(&error, unreached)
    }

    /// What was seen, and a word of the right remedy for each vendor.
    #[test]
    fn each_failure_has_its_own_remedy() {
        let tls = || Some(Unreached::Tls("invalid peer certificate: Expired".to_owned()));
        let table = [
            (Failure::Status(401), None, ["mycashflow.api_key the key", "ogoship.api_key must be"]),
            (Failure::TokenRefused(400), None, ["mycashflow.api_key the key", "client_secret"]),
            (Failure::Status(403), None, ["a right is missing", "a right is missing"]),
            (Failure::Status(404), None, ["mycashflow.url must be", "ogoship.url must be"]),
            (Failure::Maintenance(404), None, ["mycashflow.url must be", "ogoship.url must be"]),
            (Failure::Status(302), None, ["set mycashflow.url", "set ogoship.url"]),
            (Failure::Status(429), None, ["mycashflow.requests_per_second", "ogoship.requests_per_second"]),
            (Failure::Blocked, None, ["mycashflow.requests_per_second", "ogoship.requests_per_second"]),
            (Failure::RateLimited, None, ["our own rate limit", "our own rate limit"]),
            (
                Failure::Maintenance(200),
                None,
                ["maintenance, or mycashflow.url", "maintenance, or ogoship.url"],
            ),
            (Failure::Status(500), None, ["the fault is at MyCashflow", "the fault is at OGOship"]),
            (Failure::Status(503), None, ["the fault is at MyCashflow", "the fault is at OGOship"]),
            (Failure::Unreadable, None, ["not one that Silta knows", "not one that Silta knows"]),
            (Failure::Connect, Some(Unreached::UnknownName), ["spelling of mycashflow.url", "auth_url"]),
            (Failure::Connect, Some(Unreached::PrivateAddress), ["private network", "private network"]),
            (Failure::Connect, Some(Unreached::Refused), ["host and port", "host and port"]),
            (Failure::Connect, tls(), ["ca-certificates", "ca-certificates"]),
            (Failure::Lost, Some(Unreached::Timeout), ["firewall that drops", "firewall that drops"]),
            (Failure::Lost, None, ["try again", "try again"]),
        ];
        for (failure, unreached, words) in table {
            let cause = cause(failure, unreached);
            for (vendor, word) in [Vendor::MyCashflow, Vendor::Ogoship].into_iter().zip(words) {
                let found = call_remedy(vendor, &cause, Language::English);
                assert!(found.contains(word), "{failure:?} at {vendor}: {found}");
            }
        }
    }
}
