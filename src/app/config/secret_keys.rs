//! The section `[secrets]`.

use super::section::Section;
use crate::security::secrets::Key;

/// Reads the keys: the first encrypts, all of them decrypt.
pub(super) fn read_secret_keys(mut section: Section<'_>) -> Vec<Key> {
    let mut keys = Vec::new();
    for key in section.secrets("keys") {
        match hex::decode(key.expose()).ok().and_then(|bytes| bytes.try_into().ok()) {
            Some(key) => keys.push(Key(key)),
            None => section.add_error("keys", "must each be 64 hex digits: `silta config key` makes one"),
        }
    }
    section.finish();
    keys
}
