//! From unverified to verified: the only door. A [`Verified`] cannot be made in any other way, so nothing behind it
//! has to ask.

use axum::{body::Body, http::HeaderMap};
use serde_json::Value;

use super::rejection::Rejection;
use crate::{domain::event::Source, systems::signature::Scheme};

/// A webhook's raw body, before we believe it.
pub(super) struct Unverified {
    source: Source,
    body: Vec<u8>,
}

/// A webhook's raw body, signed by one of its sender's live secrets.
pub(super) struct Verified {
    source: Source,
    body: Vec<u8>,
}

impl Unverified {
    /// Reads the whole body, up to the limit.
    pub(super) async fn read(source: Source, body: Body, limit: usize) -> Result<Self, Rejection> {
        match axum::body::to_bytes(body, limit).await {
            Ok(body) => Ok(Self { source, body: body.to_vec() }),
            Err(_) => Err(Rejection::TooLarge { source }),
        }
    }

    /// Believes the body if its signature is right.
    pub(super) fn verify(self, scheme: &Scheme, headers: &HeaderMap) -> Result<Verified, Rejection> {
        let Self { source, body } = self;
        let given = headers.get(&scheme.header).ok_or(Rejection::SignatureMissing { source })?;
        let good = given.to_str().is_ok_and(|given| scheme.verify(&body, given));
        if good { Ok(Verified { source, body }) } else { Err(Rejection::SignatureWrong { source }) }
    }

    /// Believes the body on the strength of the path's token alone, where the configuration says so in those words.
    pub(super) fn trust_unsigned(self) -> Verified {
        let Self { source, body } = self;
        Verified { source, body }
    }
}

impl Verified {
    pub(super) const fn source(&self) -> Source {
        self.source
    }

    pub(super) fn json(&self) -> Result<Value, Rejection> {
        serde_json::from_slice(&self.body).map_err(|_| Rejection::NotJson { source: self.source })
    }

    pub(super) fn into_body(self) -> Vec<u8> {
        self.body
    }
}
