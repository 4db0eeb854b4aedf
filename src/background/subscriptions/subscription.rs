//! A subscription as it is shown.

/// A subscription at a vendor, ours or another's.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ListedSubscription {
    /// mycashflow or ogoship.
    pub source: &'static str,
    /// Its topic.
    pub topic: String,
    /// Its id at the vendor; left out for the shop, where it may be the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The address that it calls, without the token.
    pub url: String,
    /// True where it calls this connection's address.
    pub is_ours: bool,
    /// True where it calls an address that this connection had with another webhook token.
    pub is_outdated: bool,
    /// True where its key is stored here.
    pub is_kept: bool,
    #[serde(skip)]
    pub(super) remote_id: String,
}

/// A subscription that was created.
#[derive(Clone, Debug)]
pub struct CreatedSubscription {
    /// mycashflow or ogoship.
    pub source: &'static str,
    /// Its topic.
    pub topic: String,
    /// The name of its key.
    pub key_id: String,
    /// The key, where none of `[secrets] keys` seals it: shown once.
    pub key: Option<String>,
}
