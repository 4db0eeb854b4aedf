//! The endpoints: one per connection, with the keys that open it.

use super::keyring::Keyring;
use crate::{
    domain::event::source::Source, security::signature::SignatureScheme, store::key_usage::KeyIdentity,
};

/// How one connection's webhooks are let in.
pub struct Endpoint {
    /// The connection's name, a part of both paths.
    pub connection: String,
    /// The unguessable part of the shop's path.
    pub webhook_token: String,
    /// How the shop signs; `None` only where the configuration says `dangerously_unsigned`.
    pub mycashflow: Option<SignatureScheme>,
    /// How the warehouse signs.
    pub ogoship: SignatureScheme,
    /// Tells our orders from others at the warehouse.
    pub reference_prefix: String,
}

/// A endpoint as it stands: with its keys.
pub(in crate::inbox) struct KeyedEndpoint {
    pub(in crate::inbox) endpoint: Endpoint,
    pub(in crate::inbox) mycashflow: Option<Keyring>,
    pub(in crate::inbox) ogoship: Keyring,
}

impl KeyedEndpoint {
    pub(in crate::inbox) fn new(endpoint: Endpoint) -> Self {
        let mycashflow = keyring(&endpoint, Source::MyCashflow);
        let ogoship =
            keyring(&endpoint, Source::Ogoship).expect("the warehouse's webhooks are always signed");
        Self { endpoint, mycashflow, ogoship }
    }
}

/// The names of every configured key of these endpoints.
pub fn key_names(endpoints: &[Endpoint]) -> Vec<KeyIdentity> {
    let names = endpoints.iter().flat_map(|endpoint| {
        let shop =
            keyring(endpoint, Source::MyCashflow).map(|keys| keys.configured_key_names()).unwrap_or_default();
        let warehouse =
            keyring(endpoint, Source::Ogoship).map(|keys| keys.configured_key_names()).unwrap_or_default();
        shop.into_iter().chain(warehouse)
    });
    names.collect()
}

/// A endpoint's keys for a vendor; none where it believes that one unsigned.
fn keyring(endpoint: &Endpoint, source: Source) -> Option<Keyring> {
    let scheme =
        if source == Source::Ogoship { Some(&endpoint.ogoship) } else { endpoint.mycashflow.as_ref() };
    scheme.map(|scheme| Keyring::new(&endpoint.connection, source, scheme.clone(), &endpoint.webhook_token))
}
