//! The secret_store: secrets that we must keep ourselves lie sealed, under a key that lies elsewhere.
//!
//! AES-256-GCM (NIST SP 800-38D), by `ring`, with a nonce of chance for each sealing: a few a day per key, where the
//! bound for chance is two to the power of 32. What is sealed is bound to its context (`aad`), so a sealed text that
//! somebody moves to another row does not open there. The first key seals and all of them open, so a key is rotated by
//! putting a new one in front, and taken away once everything was sealed resealed.
//!
//! Without a key nothing is kept: a secret in the clear is worse than one that must be fetched again.

use std::sync::Arc;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::runtime::clock::Entropy;

/// What a sealed text begins with, should there ever be another way.
const VERSION: u8 = 1;

/// Bytes of a key.
pub const KEY_LEN: usize = 32;

/// A key of `[secrets]`.
#[derive(Clone)]
pub struct Key(pub [u8; KEY_LEN]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Seals and opens.
pub struct SecretStore {
    keys: Vec<Arc<LessSafeKey>>,
}

/// It was sealed by a key that we do not have, for another context, or was altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("none of the keys in [secrets] opens it")]
pub struct DecryptError;

impl std::fmt::Debug for SecretStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretStore({} keys)", self.keys.len())
    }
}

impl SecretStore {
    /// A secret_store of these keys; without any it keeps nothing.
    pub fn new(keys: &[Key]) -> Self {
        let key = |Key(bytes): &Key| {
            Arc::new(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).expect("a key has 32 bytes")))
        };
        Self { keys: keys.iter().map(key).collect() }
    }

    /// Can it keep anything?
    pub const fn has_key(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Seals a secret for its context; nothing without a key.
    pub fn seal(&self, context: &str, secret: &[u8], entropy: &Entropy) -> Option<Vec<u8>> {
        let key = self.keys.first()?;
        let nonce = entropy.bytes::<NONCE_LEN>();
        let mut text = secret.to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut text)
            .expect("a secret is shorter than 64 GiB");
        Some([&[VERSION][..], &nonce, &text].concat())
    }

    /// Seals resealed what a key opens that is not the first any more; nothing where there is nothing to do.
    pub fn reseal(&self, context: &str, sealed: &[u8], entropy: &Entropy) -> Option<Vec<u8>> {
        let first = Self { keys: self.keys.get(..1)?.to_vec() };
        if first.open(context, sealed).is_ok() {
            return None;
        }
        self.seal(context, &self.open(context, sealed).ok()?, entropy)
    }

    /// Opens what was sealed for this context.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, DecryptError> {
        let (&version, rest) = sealed.split_first().ok_or(DecryptError)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(DecryptError)?;
        if version != VERSION {
            return Err(DecryptError);
        }
        let opened = self.keys.iter().find_map(|key| {
            let mut text = text.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            key.open_in_place(nonce, Aad::from(context), &mut text).ok().map(|secret| secret.to_vec())
        });
        opened.ok_or(DecryptError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_in_its_context_and_with_a_listed_key() {
        let entropy = Entropy::seeded(1);
        let (old, new) = (Key([1; KEY_LEN]), Key([2; KEY_LEN]));
        let sealed = SecretStore::new(std::slice::from_ref(&old))
            .seal("token/shop", b"secret", &entropy)
            .expect("it has a key");
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        let rotating = SecretStore::new(&[new.clone(), old]);
        assert_eq!(rotating.open("token/shop", &sealed).as_deref(), Ok(&b"secret"[..]));
        assert_eq!(rotating.open("token/another", &sealed), Err(DecryptError));
        let resealed =
            rotating.reseal("token/shop", &sealed, &entropy).expect("the old key is not the first");
        assert_eq!(rotating.reseal("token/shop", &resealed, &entropy), None);
        let without = SecretStore::new(std::slice::from_ref(&new));
        assert_eq!(
            without.open("token/shop", &resealed).as_deref(),
            Ok(&b"secret"[..]),
            "the old one may be taken away"
        );
        assert_eq!(without.open("token/shop", &sealed), Err(DecryptError));
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(rotating.open("token/shop", &altered), Err(DecryptError), "byte {at}");
        }
        assert_eq!(rotating.open("token/shop", &sealed[..5]), Err(DecryptError));
        assert_eq!(SecretStore::new(&[]).seal("token/shop", b"secret", &entropy), None);
    }
}
