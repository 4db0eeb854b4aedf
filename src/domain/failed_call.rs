//! What a failed call to a vendor shows, as far as it decides what to do about it.

use serde::{Deserialize, Serialize};

use super::vendor::Vendor;

/// A call that failed while a connection was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedCall {
    /// Which vendor was called.
    pub vendor: Vendor,
    /// The host that was called.
    pub host: String,
    /// What went wrong.
    pub cause: CallCause,
    /// The same as the program's log has it.
    pub failure: String,
    /// The vendor's own words, without anything personal.
    pub message: Option<String>,
}

/// What went wrong, as far as the remedy depends on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallCause {
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

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreached {
    /// The name is not known.
    UnknownName,
    /// The name leads to private addresses alone, which are refused.
    PrivateAddress,
    /// Nothing listens there.
    Refused,
    /// TLS fails, and why.
    Tls(String),
    /// No answer in time.
    Timeout,
    /// Anything else, in the system's words.
    Other(String),
}
