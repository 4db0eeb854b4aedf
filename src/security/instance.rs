//! Shows that a process works on this database, to somebody who works on it too.

use std::sync::OnceLock;

use sqlx::PgConnection;

use super::signature::sign_base64;
use crate::{
    domain::Timestamp,
    store::{self, instance},
};

/// Separates this use of the key from every other one.
const PURPOSE: &str = "silta /livez ";

/// The lengths of a nonce. Only such a one is answered: nobody gets anything else signed.
const NONCE_LENGTHS: std::ops::RangeInclusive<usize> = 32..=64;

/// The key of this database, once it was read.
#[derive(Debug, Default)]
pub struct Instance(OnceLock<Vec<u8>>);

impl Instance {
    /// Reads the key.
    pub async fn load(&self, db: &mut PgConnection, now: Timestamp) -> store::Result<()> {
        if self.0.get().is_none() {
            let _ = self.0.set(instance::find_or_create_key(db, now).await?);
        }
        Ok(())
    }

    /// The signature of a nonce: it shows that this process has the key. `None` for what is no nonce, and before the key was read.
    pub fn sign(&self, nonce: &str) -> Option<String> {
        let is_nonce =
            NONCE_LENGTHS.contains(&nonce.len()) && nonce.bytes().all(|byte| byte.is_ascii_hexdigit());
        let key = self.0.get().filter(|_| is_nonce)?;
        Some(sign_base64(key, format!("{PURPOSE}{nonce}").as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_nonce_is_signed_and_only_with_the_key() {
        let (instance, other) = (Instance::default(), Instance::default());
        let nonce = "5e".repeat(16);
        assert_eq!(instance.sign(&nonce), None, "before the key was read");
        instance.0.set(vec![1; 32]).expect("it is not set");
        other.0.set(vec![2; 32]).expect("it is not set");
        let signed = instance.sign(&nonce).expect("a nonce");
        assert_ne!(Some(&signed), other.sign(&nonce).as_ref());
        assert_ne!(Some(signed), instance.sign(&"5f".repeat(16)));
        for none in ["", "5e", &"5".repeat(65), &"x".repeat(32), &"5 ".repeat(16)] {
            assert_eq!(instance.sign(none), None, "{none}");
        }
    }
}
