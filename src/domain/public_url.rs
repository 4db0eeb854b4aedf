//! Where the public URL leads, which both vendors call.

use serde::{Deserialize, Serialize};

use super::failed_call::Unreached;

/// Where the public URL leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublicUrlFinding {
    /// It is not set.
    NotSet,
    /// It is no URL.
    NoUrl,
    /// It is an address of this machine or of a private network.
    Private,
    /// To nothing that answers.
    Unreached {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// Why.
        why: Unreached,
    },
    /// To this Silta.
    Here,
    /// To this Silta by a private address: the vendors go another way.
    HereWithinNetwork,
    /// To this Silta, without TLS.
    HereWithoutTls,
    /// To another Silta, which works on another database.
    OtherSilta,
    /// To another address.
    Redirects {
        /// Where.
        to: String,
        /// The status.
        status: String,
    },
    /// To a proxy that does not find Silta behind it.
    ProxyFails {
        /// The status.
        status: String,
    },
    /// To another server.
    OtherServer {
        /// The status.
        status: String,
    },
}
