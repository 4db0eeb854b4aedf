//! How a call failed, as seen on the wire.

use std::fmt;

use crate::domain::task::reason::Reason;

/// How a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// DNS, connection refused, TLS, or the connect timeout.
    Connect,
    /// The connection broke or the call timed out after sending had begun.
    Lost,
    /// An answer other than 2xx.
    Status(u16),
    /// An answer that does not come from the vendor's API: a web page where JSON is due, or a 404 while the
    /// vendor's own list is not found either.
    Maintenance(u16),
    /// A 2xx answer whose body cannot be read.
    Unreadable,
    /// The token endpoint refuses our credentials.
    TokenRefused(u16),
    /// No token of our own rate limit was left.
    RateLimited,
    /// The vendor asked for silence, and that time is not over.
    Blocked,
    /// Withheld: the circuit for this kind of call is open.
    CircuitOpen(Reason),
    /// The request could not be built.
    Unbuildable,
    /// Withheld: this is a dry run.
    DryRun,
}

impl Failure {
    /// The failure of a call that has no answer.
    pub(super) fn of(error: &reqwest::Error) -> Self {
        if error.is_builder() {
            Self::Unbuildable
        } else if error.is_connect() {
            Self::Connect
        } else {
            Self::Lost
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "cannot be reached",
            Self::Lost => "gave no answer",
            Self::Status(status @ 300..=399) => {
                return write!(f, "answered {status}: it wants to be called at another address");
            }
            Self::Status(status) => return write!(f, "answered {status}"),
            Self::Maintenance(404) => {
                "answered 404, as it does for its own lists: maintenance, or a wrong address"
            }
            Self::Maintenance(status) => {
                return write!(
                    f,
                    "answered {status} with a web page in place of data: maintenance, or a wrong address"
                );
            }
            Self::Unreadable => "answered with data that cannot be read",
            Self::TokenRefused(status) => return write!(f, "refuses our credentials ({status})"),
            Self::RateLimited => "was not called: our rate limit for it is used up",
            Self::Blocked => "was not called: it asked for silence",
            Self::CircuitOpen(reason) => return write!(f, "was not called: {}", reason.code()),
            Self::Unbuildable => "was not called: the request cannot be built",
            Self::DryRun => "was not called: this is a dry run",
        })
    }
}
