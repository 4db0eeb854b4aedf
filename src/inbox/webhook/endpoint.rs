//! The doors: one per connection, with the keys that open it.

use super::keyring::Keyring;
use crate::{domain::event::source::Source, security::signature::Scheme, store::webhook_checks::KeyName};

/// How one connection's webhooks are let in.
pub struct Door {
    /// The connection's name, a part of both paths.
    pub connection: String,
    /// The unguessable part of the shop's path.
    pub webhook_token: String,
    /// How the shop signs; `None` only where the configuration says `dangerously_unsigned`.
    pub mycashflow: Option<Scheme>,
    /// How the warehouse signs.
    pub ogoship: Scheme,
    /// Tells our orders from others at the warehouse.
    pub reference_prefix: String,
}

/// A door as it stands: with its keys.
pub(in crate::inbox) struct Hung {
    pub(in crate::inbox) door: Door,
    pub(in crate::inbox) mycashflow: Option<Keyring>,
    pub(in crate::inbox) ogoship: Keyring,
}

impl Hung {
    pub(in crate::inbox) fn of(door: Door) -> Self {
        let mycashflow = keyring(&door, Source::MyCashflow);
        let ogoship = keyring(&door, Source::Ogoship).expect("the warehouse's webhooks are always signed");
        Self { door, mycashflow, ogoship }
    }
}

/// The names of every configured key of these doors.
pub fn key_names(doors: &[Door]) -> Vec<KeyName> {
    let names = doors.iter().flat_map(|door| {
        let shop = keyring(door, Source::MyCashflow).map(|keys| keys.names()).unwrap_or_default();
        let warehouse = keyring(door, Source::Ogoship).map(|keys| keys.names()).unwrap_or_default();
        shop.into_iter().chain(warehouse)
    });
    names.collect()
}

/// A door's keys for a system; none where it believes that one unsigned.
fn keyring(door: &Door, source: Source) -> Option<Keyring> {
    let scheme = if source == Source::Ogoship { Some(&door.ogoship) } else { door.mycashflow.as_ref() };
    scheme.map(|scheme| Keyring::new(&door.connection, source, scheme.clone(), &door.webhook_token))
}
