//! Why a signature does not fit, and under what it would: for people who connect a store, never for letting a webhook in.
//!
//! How the shop signs is not public (docs/contract.md U1), so a wrong guess of ours must show what is wrong about it.
//! What is told are names: of a header, a hash, an encoding, a key. Never a value.

use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::{Sha256, Sha384, Sha512};

use super::signature::{Encoding, SignatureScheme, decode};

/// The most headers that are looked at: a request of a thousand must not cost a thousand digests.
const MAX_HEADERS: usize = 64;

/// What is wrong with a refused webhook, as far as can be told from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hint {
    /// The header is not there.
    HeaderMissing,
    /// Another header holds the right signature.
    OtherHeader,
    /// What the header holds is no HMAC-SHA256 in the configured encoding, nor in any other.
    NotASignature,
    /// It is right, in another encoding than the configured one.
    OtherEncoding,
    /// It is right for the body without the white space or line ends that came with it: something altered it on the way.
    AlteredBody,
    /// It fits none of the keys: it was made with another key, or of another body.
    WrongKey,
}

impl Hint {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::HeaderMissing,
        Self::OtherHeader,
        Self::NotASignature,
        Self::OtherEncoding,
        Self::AlteredBody,
        Self::WrongKey,
    ];

    /// The word in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HeaderMissing => "header_missing",
            Self::OtherHeader => "other_header",
            Self::NotASignature => "not_a_signature",
            Self::OtherEncoding => "other_encoding",
            Self::AlteredBody => "altered_body",
            Self::WrongKey => "wrong_key",
        }
    }
}

/// Headers as they came: name in lower case, value where it is text.
pub type Headers<'a> = [(&'a str, &'a str)];

/// Why `scheme` did not take this webhook.
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

/// What the body may have been before somebody on the way made it prettier.
fn body_variants(body: &[u8]) -> Vec<Vec<u8>> {
    let trimmed = body.trim_ascii().to_vec();
    let with_end = [&trimmed[..], b"\n"].concat();
    let unix: Vec<u8> = body.iter().copied().filter(|byte| *byte != b'\r').collect();
    let compact =
        serde_json::from_slice::<serde_json::Value>(body).map(|value| value.to_string().into_bytes());
    [Some(trimmed), Some(with_end), Some(unix), compact.ok()].into_iter().flatten().collect()
}

/// How a webhook turned out to be signed. Names only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignatureDetection {
    /// The header that holds the signature.
    pub header: String,
    /// `HMAC-SHA256`, …
    pub hash: &'static str,
    /// hex or base64.
    pub encoding: &'static str,
    /// What the key is called: the place in the configuration, or the subscription, that it is from.
    pub key: String,
}

/// Finds how a webhook is signed, by trying every header against every key that we have in any of the usual ways.
pub fn learn(body: &[u8], headers: &Headers<'_>, keys: &[(String, String)]) -> Vec<SignatureDetection> {
    let mut detections = Vec::new();
    for (key, secret) in keys {
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
    macro_rules! of {
        ($hash:ty) => {{
            let mut mac = Hmac::<$hash>::new_from_slice(key).expect("HMAC takes a key of any length");
            mac.update(body);
            mac.finalize().into_bytes().to_vec()
        }};
    }
    [("HMAC-SHA256", of!(Sha256)), ("HMAC-SHA384", of!(Sha384)), ("HMAC-SHA512", of!(Sha512))]
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
        let keys = [("one".to_owned(), "first".to_owned()), ("two".to_owned(), "second".to_owned())];
        let given = format!("sha256={}", hex::encode(sign("second", body)));
        let detections = learn(body, &[("host", "x"), ("x-signature", &given)], &keys);
        let told = SignatureDetection {
            header: "x-signature".into(),
            hash: "HMAC-SHA256",
            encoding: "hex",
            key: "two".into(),
        };
        assert_eq!(detections, [told]);
        assert_eq!(learn(body, &[("x-signature", "nonsense")], &keys), []);
    }
}
