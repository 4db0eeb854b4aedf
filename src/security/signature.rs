//! Webhook signatures: HMAC-SHA256 (RFC 2104) over the raw body, with several live secrets during a rotation.

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How a signature is encoded in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Hex, in any case.
    Hex,
    /// Base64, padded or not.
    Base64,
    /// Either of them.
    Either,
}

/// How a vendor signs its webhooks to one connection.
#[derive(Clone)]
pub struct SignatureScheme {
    /// The header that carries the signature.
    pub header: String,
    /// How it is encoded.
    pub encoding: Encoding,
    /// The live secrets. A signature by any of them is accepted.
    pub secrets: Vec<String>,
}

impl SignatureScheme {
    /// The index of the secret with which `given` is the signature of `body`. Every secret is tried, and each
    /// check takes constant time.
    pub fn verify(&self, body: &[u8], given: &str) -> Option<usize> {
        let candidates = decode(given.trim(), self.encoding);
        let mut good = None;
        for (at, secret) in self.secrets.iter().enumerate() {
            for candidate in &candidates {
                if mac(secret, body).verify_slice(candidate).is_ok() {
                    good = Some(at);
                }
            }
        }
        good
    }
}

/// An id of a key that may be shown: eight hex digits of a digest, keyed by a secret of the connection, so that
/// guessed keys cannot be tried out against it.
pub fn key_id(connection_secret: &str, key: &str) -> String {
    hex::encode(&sign(connection_secret, key.as_bytes())[..4])
}

/// The signature of a body, as bytes.
pub fn sign(secret: &str, body: &[u8]) -> Vec<u8> {
    mac(secret, body).finalize().into_bytes().to_vec()
}

/// The signature of a message in base64, with a key of bytes, as Standard Webhooks are signed.
pub fn sign_base64(key: &[u8], message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

fn mac(secret: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(body);
    mac
}

/// What the header may mean in bytes. Some senders prefix it with `sha256=`, in any case.
pub(super) fn decode(given: &str, encoding: Encoding) -> Vec<Vec<u8>> {
    let (prefix, rest) = given.split_at_checked(7).unwrap_or(("", given));
    let given = if prefix.eq_ignore_ascii_case("sha256=") { rest } else { given };
    let given: String = given.split_ascii_whitespace().collect();
    let as_hex = || hex::decode(&given).ok();
    let as_base64 = || {
        let indifferent = base64::engine::DecodePaddingMode::Indifferent;
        let config = base64::engine::GeneralPurposeConfig::new().with_decode_padding_mode(indifferent);
        base64::engine::GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(&given).ok()
    };
    match encoding {
        Encoding::Hex => as_hex().into_iter().collect(),
        Encoding::Base64 => as_base64().into_iter().collect(),
        Encoding::Either => as_hex().into_iter().chain(as_base64()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheme(encoding: Encoding) -> SignatureScheme {
        SignatureScheme { header: "x".into(), encoding, secrets: vec!["old".into(), "new".into()] }
    }

    fn base64(bytes: &[u8]) -> String {
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }

    #[test]
    fn rfc_4231_test_vector_matches() {
        let signature = sign("Jefe", b"what do ya want for nothing?");
        assert_eq!(
            hex::encode(signature),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        );
    }

    #[test]
    fn a_fixed_encoding_accepts_only_itself() {
        let signature = sign("new", b"{}");
        let (as_hex, as_base64) = (hex::encode(&signature), base64(&signature));
        let (prefixed, spaced) = (format!("SHA256= {as_hex}"), format!(" {} {}", &as_hex[..8], &as_hex[8..]));
        let upper = as_hex.to_uppercase();
        for given in [&as_hex, &upper, &format!("sha256={as_hex}"), &prefixed, &spaced, &as_base64] {
            assert_eq!(scheme(Encoding::Either).verify(b"{}", given), Some(1), "{given}");
        }
        assert!(scheme(Encoding::Base64).verify(b"{}", as_base64.trim_end_matches('=')).is_some());
        assert_eq!(scheme(Encoding::Hex).verify(b"{}", &as_base64), None);
        assert_eq!(scheme(Encoding::Base64).verify(b"{}", &as_hex), None);
    }

    proptest::proptest! {
        #[test]
        fn a_signature_verifies_and_a_flipped_bit_does_not(
            body in proptest::collection::vec(proptest::num::u8::ANY, 1..300), at in 0_usize..300, bit in 0_u8..8,
        ) {
            let given = base64(&sign("old", &body));
            proptest::prop_assert_eq!(scheme(Encoding::Base64).verify(&body, &given), Some(0));

            let mut altered = body.clone();
            let at = at % altered.len();
            altered[at] ^= 1 << bit;
            proptest::prop_assert_eq!(scheme(Encoding::Base64).verify(&altered, &given), None);
        }

        #[test]
        fn garbage_in_the_header_never_verifies(given in ".*") {
            proptest::prop_assert_eq!(scheme(Encoding::Either).verify(b"{}", &given), None);
        }
    }
}
