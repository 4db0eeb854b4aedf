//! What to do about a vendor that does not answer as it should: one remedy for each kind of failure.

use super::reach::Unreached;
use crate::{
    domain::vendor::Vendor,
    vendors::http::error::{CallError, Failure},
};

/// What went wrong, as far as the remedy depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// 401: the user or the key.
    KeyRefused,
    /// 403: a right.
    RightMissing,
    /// 404: the address or the version.
    NotFound,
    /// 3xx: another address.
    Moved,
    /// 429, or a silence that the vendor asked for.
    Limited,
    /// Our own rate limit.
    OwnLimit,
    /// A web page, in place of data.
    WebPage,
    /// 5xx and the like.
    VendorFault,
    /// No answer.
    Unreached(Unreached),
    /// An answer that cannot be read, or anything else.
    Unreadable,
}

impl Cause {
    /// The cause of a failed call; `unreached` says why there was no answer.
    pub(super) fn of(error: &CallError, unreached: Option<Unreached>) -> Self {
        match error.failure {
            Failure::Status(401) | Failure::TokenRefused(_) => Self::KeyRefused,
            Failure::Status(403) => Self::RightMissing,
            Failure::Status(404 | 410) | Failure::Maintenance(404) => Self::NotFound,
            Failure::Status(300..=399) => Self::Moved,
            Failure::Status(429) | Failure::Blocked => Self::Limited,
            Failure::RateLimited => Self::OwnLimit,
            Failure::Maintenance(_) => Self::WebPage,
            Failure::Connect | Failure::Lost => {
                Self::Unreached(unreached.unwrap_or_else(|| Unreached::Other("it answers now".to_owned())))
            }
            Failure::Status(408 | 421 | 423 | 425 | 500..) => Self::VendorFault,
            Failure::Status(_)
            | Failure::Unreadable
            | Failure::CircuitOpen(_)
            | Failure::Unbuildable
            | Failure::DryRun => Self::Unreadable,
        }
    }

    /// What was found, in words; `host` was called.
    pub(super) fn describe(&self, error: &CallError, host: &str) -> String {
        match self {
            Self::Unreached(Unreached::UnknownName) => format!("{host} is a name that nobody knows"),
            Self::Unreached(Unreached::PrivateAddress) => format!("{host} has no public address"),
            Self::Unreached(Unreached::Refused) => format!("nothing listens at {host}"),
            Self::Unreached(Unreached::Tls(why)) => format!("TLS with {host} fails: {why}"),
            Self::Unreached(Unreached::Timeout) => format!("{host} gives no answer in time"),
            Self::Unreached(Unreached::Other(why)) => format!("{host} cannot be reached: {why}"),
            _ => format!("{host} {}", error.failure),
        }
    }
}

/// What to do about it.
pub(super) fn remedy(vendor: Vendor, cause: &Cause) -> &'static str {
    match (cause, vendor) {
        (Cause::KeyRefused, Vendor::MyCashflow) => {
            "mycashflow.user must be the e-mail of the shop's API user, and mycashflow.api_key the key of that user"
        }
        (Cause::KeyRefused, Vendor::Ogoship) => {
            "ogoship.api_key must be the merchant's key of myOGO; without one, check merchant_id, secret_token, client_id and \
             client_secret"
        }
        (Cause::RightMissing, Vendor::MyCashflow) => {
            "the key is right, and a right is missing: give the shop's API user the rights to orders, products and stock"
        }
        (Cause::RightMissing, Vendor::Ogoship) => {
            "the key is right, and a right is missing: ask OGOship for the rights to orders, products, stock and webhooks"
        }
        (Cause::NotFound, Vendor::MyCashflow) => {
            "mycashflow.url must be the shop's own address, as https://STORENAME.mycashflow.fi"
        }
        (Cause::NotFound, Vendor::Ogoship) => "ogoship.url must be https://api.ogoship.com",
        (Cause::Moved, Vendor::MyCashflow) => "set mycashflow.url to the address to which this one leads",
        (Cause::Moved, Vendor::Ogoship) => "set ogoship.url to the address to which this one leads",
        (Cause::Limited, Vendor::MyCashflow) => {
            "the shop limits calls: wait a minute; if it lasts, lower mycashflow.requests_per_second"
        }
        (Cause::Limited, Vendor::Ogoship) => {
            "the warehouse limits calls: wait a minute; if it lasts, lower ogoship.requests_per_second"
        }
        (Cause::OwnLimit, _) => {
            "our own rate limit is used up by what is going on: run the doctor again later"
        }
        (Cause::WebPage, Vendor::MyCashflow) => "maintenance, or mycashflow.url is not the shop's address",
        (Cause::WebPage, Vendor::Ogoship) => "maintenance, or ogoship.url is not the address of the API",
        (Cause::VendorFault, Vendor::MyCashflow) => {
            "the fault is at MyCashflow: nothing to change here; its status page says more"
        }
        (Cause::VendorFault, Vendor::Ogoship) => {
            "the fault is at OGOship: nothing to change here; its support says more"
        }
        (Cause::Unreadable, _) => {
            "the answer is none of the API that Silta knows: give its time to the vendor's support"
        }
        (Cause::Unreached(why), vendor) => unreached_remedy(vendor, why),
    }
}

fn unreached_remedy(vendor: Vendor, why: &Unreached) -> &'static str {
    match (why, vendor) {
        (Unreached::UnknownName, Vendor::MyCashflow) => {
            "check the spelling of mycashflow.url; if it is right, the name servers of this machine"
        }
        (Unreached::UnknownName, Vendor::Ogoship) => {
            "check the spelling of ogoship.url and auth_url; if they are right, the name servers of this machine"
        }
        (Unreached::PrivateAddress, _) => {
            "the name leads into a private network: check the URL and the name servers; [outbound] dangerously_allow_private is \
             for a sandbox"
        }
        (Unreached::Refused, _) => "check host and port of the URL, and the firewall for outward connections",
        (Unreached::Tls(_), _) => {
            "check the host of the URL, this machine's clock and its certificates (Debian: apt-get install ca-certificates); a \
             proxy that opens TLS has to be trusted here"
        }
        (Unreached::Timeout, _) => {
            "a firewall that drops outward connections, or the vendor is overloaded: try again; [outbound] timeout is how long \
             we wait, [outbound] proxy a way out"
        }
        (Unreached::Other(_), _) => "try again; if it lasts, check the network of this machine",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(failure: Failure, unreached: Option<Unreached>) -> Cause {
        let error =
            CallError { vendor: Vendor::MyCashflow, call: "test", failure, retry_after: None, message: None };
        Cause::of(&error, unreached)
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
            (Failure::Unreadable, None, ["none of the API", "none of the API"]),
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
                let found = remedy(vendor, &cause);
                assert!(found.contains(word), "{failure:?} at {vendor}: {found}");
            }
        }
    }
}
