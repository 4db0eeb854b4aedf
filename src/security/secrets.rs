//! The secret store: secrets that Silta must keep are encrypted with a key that is kept elsewhere.
//!
//! AES-256-GCM (NIST SP 800-38D) by `ring`, with a random nonce for each encryption: a few a day per key, where
//! the limit for random nonces is 2³². A ciphertext is bound to its context (`aad`), so one that is moved to
//! another row does not decrypt there. The first key encrypts and every key decrypts: to rotate, put a new key
//! in front and remove the old one once everything is encrypted with the new one.
//!
//! Without a key nothing is stored: a secret in the clear is worse than one that must be fetched again.

use std::sync::Arc;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::runtime::clock::Entropy;

/// The first byte of a ciphertext: its format.
const VERSION: u8 = 1;

/// The length of a key in bytes.
pub const KEY_LEN: usize = 32;

/// A key of `[secrets]`.
#[derive(Clone)]
pub struct Key(pub [u8; KEY_LEN]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Encrypts and decrypts secrets.
pub struct SecretStore {
    keys: Vec<Arc<LessSafeKey>>,
}

/// The ciphertext was made with another key or for another context, or it was altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key of [secrets] decrypts it")]
pub struct DecryptError;

impl std::fmt::Debug for SecretStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretStore({} keys)", self.keys.len())
    }
}

/// The context of a subscription's key.
pub fn subscription_key_context(connection: &str, source: &str) -> String {
    format!("subscription/{connection}/{source}")
}

impl SecretStore {
    /// Creates a store with these keys; without any it stores nothing.
    pub fn new(keys: &[Key]) -> Self {
        let key = |Key(bytes): &Key| {
            Arc::new(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).expect("a key has 32 bytes")))
        };
        Self { keys: keys.iter().map(key).collect() }
    }

    /// Whether it can store anything.
    pub const fn has_key(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Encrypts a secret for its context; `None` without a key.
    pub fn seal(&self, context: &str, secret: &[u8], entropy: &Entropy) -> Option<Vec<u8>> {
        let key = self.keys.first()?;
        let nonce = entropy.bytes::<NONCE_LEN>();
        let mut text = secret.to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut text)
            .expect("a secret is shorter than 64 GiB");
        Some([&[VERSION][..], &nonce, &text].concat())
    }

    /// Encrypts with the first key what was encrypted with another one; `None` where there is nothing to do.
    pub fn reseal(&self, context: &str, sealed: &[u8], entropy: &Entropy) -> Option<Vec<u8>> {
        let first = Self { keys: self.keys.get(..1)?.to_vec() };
        if first.open(context, sealed).is_ok() {
            return None;
        }
        self.seal(context, &self.open(context, sealed).ok()?, entropy)
    }

    /// Decrypts what was encrypted for this context.
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
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
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
            "the old key may be removed"
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
