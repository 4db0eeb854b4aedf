//! Finds out why a signature is wrong, and how a webhook is signed. For operators who connect a store; never to
//! accept a webhook.
//!
//! How the shop signs is not public (docs/contract.md U1), so a wrong configuration must show what is wrong
//! with it. Only names are reported: of a header, a hash, an encoding, a key. Never a value.

use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::{Sha256, Sha384, Sha512};

use super::signature::{Encoding, SignatureScheme, decode};

/// The most headers that are tried: a request with a thousand must not cost a thousand digests.
const MAX_HEADERS: usize = 64;

/// What seems wrong with a rejected webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Hint {
    /// The header is missing.
    HeaderMissing,
    /// Another header holds the right signature.
    OtherHeader,
    /// The header holds no HMAC-SHA256 in any encoding.
    NotASignature,
    /// The signature is right, in another encoding than the configured one.
    OtherEncoding,
    /// The signature is right for the body with other white space or line ends: something altered it on its
    /// way.
    AlteredBody,
    /// The signature was made with another key, or of another body.
    WrongKey,
    /// Nothing was looked for: another webhook was examined within the same second.
    NotExamined,
}

impl Hint {
    /// The code in rows.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Headers of a request: names in lower case, values that are text.
pub type Headers<'a> = [(&'a str, &'a str)];

/// Why `scheme` rejects this webhook.
pub fn diagnose(scheme: &SignatureScheme, body: &[u8], headers: &Headers<'_>) -> Hint {
    let any_encoding = SignatureScheme { encoding: Encoding::Either, ..scheme.clone() };
    let of_name = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(&scheme.header));
    let Some((_, given)) = of_name else {
        let mut others = headers.iter().take(MAX_HEADERS);
        let is_elsewhere = others.any(|(_, value)| any_encoding.verify(body, value).is_some());
        return if is_elsewhere { Hint::OtherHeader } else { Hint::HeaderMissing };
    };
    if any_encoding.verify(body, given).is_some() {
        return Hint::OtherEncoding;
    }
    if !decode(given.trim(), Encoding::Either).iter().any(|bytes| bytes.len() == 32) {
        return Hint::NotASignature;
    }
    if body_variants(body).iter().any(|body| any_encoding.verify(body, given).is_some()) {
        return Hint::AlteredBody;
    }
    Hint::WrongKey
}

/// What the body may have been before a proxy reformatted it.
fn body_variants(body: &[u8]) -> Vec<Vec<u8>> {
    let trimmed = body.trim_ascii().to_vec();
    let with_end = [&trimmed[..], b"\n"].concat();
    let unix: Vec<u8> = body.iter().copied().filter(|byte| *byte != b'\r').collect();
    let compact =
        serde_json::from_slice::<serde_json::Value>(body).map(|value| value.to_string().into_bytes());
    [Some(trimmed), Some(with_end), Some(unix), compact.ok()].into_iter().flatten().collect()
}

/// How a webhook is signed. Names only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignatureDetection {
    /// The header that holds the signature.
    pub header: String,
    /// `HMAC-SHA256`, …
    pub hash: &'static str,
    /// `hex` or `base64`.
    pub encoding: &'static str,
    /// The name of the key: its place in the configuration, or its subscription.
    pub key: String,
}

/// A key with a name that may be shown.
pub struct NamedKey {
    /// The name.
    pub name: String,
    /// The key.
    pub secret: String,
}

/// Finds how a webhook is signed, by trying every header with every key, hash and encoding.
pub fn detect(body: &[u8], headers: &Headers<'_>, keys: &[NamedKey]) -> Vec<SignatureDetection> {
    let mut detections = Vec::new();
    for NamedKey { name: key, secret } in keys {
        for (hash, digest) in digests(secret.as_bytes(), body) {
            for (header, value) in headers.iter().take(MAX_HEADERS) {
                for (encoding, name) in [(Encoding::Hex, "hex"), (Encoding::Base64, "base64")] {
                    if decode(value.trim(), encoding).contains(&digest) {
                        let (header, key) = ((*header).to_owned(), key.clone());
                        detections.push(SignatureDetection { header, hash, encoding: name, key });
                    }
                }
            }
        }
    }
    detections
}

fn digests(key: &[u8], body: &[u8]) -> [(&'static str, Vec<u8>); 3] {
    [
        ("HMAC-SHA256", digest::<Hmac<Sha256>>(key, body)),
        ("HMAC-SHA384", digest::<Hmac<Sha384>>(key, body)),
        ("HMAC-SHA512", digest::<Hmac<Sha512>>(key, body)),
    ]
}

fn digest<M: KeyInit + Mac>(key: &[u8], body: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::signature::sign;

    fn scheme() -> SignatureScheme {
        SignatureScheme { header: "X-Sign".into(), encoding: Encoding::Hex, secrets: vec!["key".into()] }
    }

    #[test]
    fn each_wrong_signature_has_its_hint() {
        let body = br#"{"id": 1}"#;
        let right = hex::encode(sign("key", body));
        let base64 = {
            use base64::Engine;
            base64::engine::general_purpose::STANDARD.encode(sign("key", body))
        };
        let compact = hex::encode(sign("key", br#"{"id":1}"#));
        let another = hex::encode(sign("another", body));
        let table: [(&Headers<'_>, Hint); 6] = [
            (&[("content-type", "application/json")], Hint::HeaderMissing),
            (&[("x-other", &right)], Hint::OtherHeader),
            (&[("x-sign", "hello")], Hint::NotASignature),
            (&[("x-sign", &base64)], Hint::OtherEncoding),
            (&[("x-sign", &compact)], Hint::AlteredBody),
            (&[("x-sign", &another)], Hint::WrongKey),
        ];
        for (headers, expected) in table {
            assert_eq!(diagnose(&scheme(), body, headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_detection_names_the_key_and_no_value() {
        let body = b"{}";
        let key = |name: &str, secret: &str| NamedKey { name: name.into(), secret: secret.into() };
        let keys = [key("one", "first"), key("two", "second")];
        let given = format!("sha256={}", hex::encode(sign("second", body)));
        let detections = detect(body, &[("host", "x"), ("x-signature", &given)], &keys);
        let expected = SignatureDetection {
            header: "x-signature".into(),
            hash: "HMAC-SHA256",
            encoding: "hex",
            key: "two".into(),
        };
        assert_eq!(detections, [expected]);
        assert_eq!(detect(body, &[("x-signature", "nonsense")], &keys), []);
    }
}
