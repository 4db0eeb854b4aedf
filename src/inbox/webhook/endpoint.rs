//! The webhook endpoint of a connection, and the keys that its webhooks are verified with.

use std::time::Duration;

use parking_lot::Mutex;

use super::keyring::Keyring;
use crate::{
    domain::{
        digest::sha256_hex,
        event::{reference::ReferencePrefixes, source::Source},
    },
    runtime::clock::Clock,
    security::signature::SignatureScheme,
    store::key_usage::KeyIdentity,
};

/// The webhook endpoint of one connection, as configured.
pub struct Endpoint {
    /// The connection's name, a part of its paths.
    pub connection: String,
    /// The unguessable part of the shop's path.
    pub webhook_token: String,
    /// The unguessable part of the warehouse's path; empty where it has none.
    pub ogoship_token: String,
    /// Whether the warehouse's path is accepted without its token.
    pub accepts_path_without_token: bool,
    /// How the shop signs; `None` only where the configuration says `dangerously_unsigned`.
    pub mycashflow: Option<SignatureScheme>,
    /// How the warehouse signs.
    pub ogoship: SignatureScheme,
    /// Distinguishes our orders from others at the warehouse.
    pub references: ReferencePrefixes,
}

impl Endpoint {
    /// Whether a vendor's path has the right token.
    pub(super) fn accepts_path(&self, source: Source, token: Option<&str>) -> bool {
        let expected = if source == Source::Ogoship { &self.ogoship_token } else { &self.webhook_token };
        match token {
            // Digests are compared, so that the time taken reveals nothing about the token.
            Some(token) => {
                !expected.is_empty() && sha256_hex(token.as_bytes()) == sha256_hex(expected.as_bytes())
            }
            None => expected.is_empty() || self.accepts_path_without_token,
        }
    }

    /// The keys of a vendor's webhooks; `None` where they are not signed.
    fn keyring(&self, source: Source) -> Option<Keyring> {
        let scheme = if source == Source::Ogoship { Some(&self.ogoship) } else { self.mycashflow.as_ref() };
        scheme.map(|scheme| Keyring::new(&self.connection, source, scheme.clone(), &self.webhook_token))
    }
}

/// An endpoint with its keys.
pub(super) struct KeyedEndpoint {
    pub(super) endpoint: Endpoint,
    pub(super) mycashflow: Option<Keyring>,
    pub(super) ogoship: Keyring,
    pub(super) wrong_tokens: WrongTokens,
}

/// When a wrong token was last noted.
#[derive(Default)]
pub(super) struct WrongTokens(Mutex<Option<Duration>>);

impl WrongTokens {
    /// Whether one may be noted now; if so, the next one a second later.
    pub(super) fn may_note(&self, clock: &dyn Clock) -> bool {
        let (now, mut noted_at) = (clock.monotonic(), self.0.lock());
        let is_due = noted_at.is_none_or(|at| now >= at + Duration::from_secs(1));
        if is_due {
            *noted_at = Some(now);
        }
        is_due
    }
}

impl KeyedEndpoint {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        let mycashflow = endpoint.keyring(Source::MyCashflow);
        let ogoship = endpoint.keyring(Source::Ogoship).expect("the warehouse's webhooks are always signed");
        Self { endpoint, mycashflow, ogoship, wrong_tokens: WrongTokens::default() }
    }
}

/// The names of every configured key of these endpoints.
pub fn key_names(endpoints: &[Endpoint]) -> Vec<KeyIdentity> {
    let keyrings = endpoints
        .iter()
        .flat_map(|endpoint| [Source::MyCashflow, Source::Ogoship].map(|source| endpoint.keyring(source)));
    keyrings.flatten().flat_map(|keys| keys.configured_key_names()).collect()
}
