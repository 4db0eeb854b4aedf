//! From unverified to verified: the only endpoint. A [`Verified`] cannot be made in any other way, so nothing behind it
//! has to ask.

use std::{future::poll_fn, pin::Pin};

use axum::{
    body::{Body, HttpBody},
    http::HeaderMap,
};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use super::{admission::Admission, keyring::Keyring, rejection::WebhookError};
use crate::{domain::event::source::Source, store::key_usage::KeyIdentity, vendors::json_outline::outline};

/// A webhook's raw body, before we believe it.
pub(in crate::inbox) struct Unverified {
    source: Source,
    body: Vec<u8>,
    permit: OwnedSemaphorePermit,
}

/// A webhook's raw body, signed by one of its sender's live secrets.
pub(in crate::inbox) struct Verified {
    source: Source,
    body: Vec<u8>,
    permit: OwnedSemaphorePermit,
}

impl Unverified {
    /// Reads the whole body, up to the limit. Room is taken as the bytes come, and not as they are announced: a sender
    /// who promises much and sends nothing takes nothing from the others.
    pub(in crate::inbox) async fn read(
        source: Source,
        mut stream: Body,
        limit: usize,
        admission: &Admission,
    ) -> Result<Self, WebhookError> {
        let busy = |error| WebhookError::NotCommitted { source, error };
        let mut body = Vec::new();
        let mut permit = admission.reserve(1).map_err(busy)?;
        while let Some(frame) = poll_fn(|task| Pin::new(&mut stream).poll_frame(task)).await {
            let frame = frame.map_err(|_| WebhookError::TooLarge { source })?;
            let Ok(data) = frame.into_data() else { continue };
            if body.len() + data.len() > limit {
                return Err(WebhookError::TooLarge { source });
            }
            permit.merge(admission.reserve(data.len()).map_err(busy)?);
            body.extend_from_slice(&data);
        }
        body.shrink_to_fit(); // permit is counted by the bytes that came, and growing took twice as many
        Ok(Self { source, body, permit })
    }

    /// Believes the body if its signature is right, and says by which key; gives it back where it is not.
    pub(in crate::inbox) fn verify(
        self,
        keys: &Keyring,
        headers: &HeaderMap,
    ) -> Result<(Verified, KeyIdentity), Self> {
        let given = headers.get(keys.header()).and_then(|given| given.to_str().ok());
        match given.and_then(|given| keys.find_key(&self.body, given)) {
            Some(key) => Ok((self.into_verified(), key)),
            None => Err(self),
        }
    }

    pub(in crate::inbox) const fn source(&self) -> Source {
        self.source
    }

    /// The bytes that are not believed, for whoever asks why.
    pub(in crate::inbox) fn body(&self) -> &[u8] {
        &self.body
    }

    fn into_verified(self) -> Verified {
        let Self { source, body, permit } = self;
        Verified { source, body, permit }
    }

    /// Believes the body on the strength of the path's token alone, where the configuration says so in those words.
    pub(in crate::inbox) fn trust_unsigned(self) -> Verified {
        self.into_verified()
    }
}

impl Verified {
    pub(in crate::inbox) const fn source(&self) -> Source {
        self.source
    }

    /// What it says, in outline.
    pub(in crate::inbox) fn outline(&self) -> Result<Value, WebhookError> {
        outline(&self.body).ok_or(WebhookError::NotJson { source: self.source })
    }

    /// The raw bytes, and the permit that they take until they are committed.
    pub(in crate::inbox) fn into_parts(self) -> (Vec<u8>, OwnedSemaphorePermit) {
        (self.body, self.permit)
    }
}
