//! Verifies webhooks. A [`Verified`] is made here only, so code that takes one needs no check of its own.

use std::{future::poll_fn, pin::Pin};

use axum::{
    body::{Body, HttpBody},
    http::HeaderMap,
};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use super::{admission::Admission, error::WebhookError, keyring::Keyring};
use crate::{domain::event::source::Source, store::key_usage::KeyIdentity, vendors::json_outline::outline};

/// A webhook's raw body before verification.
pub(super) struct Unverified {
    source: Source,
    body: Vec<u8>,
    permit: OwnedSemaphorePermit,
}

/// A webhook's raw body, signed with one of its sender's live keys.
pub(super) struct Verified {
    source: Source,
    body: Vec<u8>,
    permit: OwnedSemaphorePermit,
}

impl Unverified {
    /// Reads the whole body, up to the limit. Memory is reserved as bytes arrive, not as `Content-Length`
    /// announces them: a sender that announces much and sends nothing takes nothing from the others.
    pub(super) async fn read(
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
        body.shrink_to_fit(); // the permit counts the bytes received, and growing allocates up to twice as many
        Ok(Self { source, body, permit })
    }

    /// Verifies the signature and returns the key that it was made with; returns the body where it is wrong.
    pub(super) fn verify(self, keys: &Keyring, headers: &HeaderMap) -> Result<(Verified, KeyIdentity), Self> {
        let given = headers.get(keys.header()).and_then(|given| given.to_str().ok());
        match given.and_then(|given| keys.find_key(&self.body, given)) {
            Some(key) => Ok((self.into_verified(), key)),
            None => Err(self),
        }
    }

    pub(super) const fn source(&self) -> Source {
        self.source
    }

    /// The raw bytes, to find out why the signature is wrong.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    fn into_verified(self) -> Verified {
        let Self { source, body, permit } = self;
        Verified { source, body, permit }
    }

    /// Accepts the body by the path's token alone, where the configuration says `dangerously_unsigned`.
    pub(super) fn trust_unsigned(self) -> Verified {
        self.into_verified()
    }
}

impl Verified {
    pub(super) const fn source(&self) -> Source {
        self.source
    }

    /// Parses the outline of the body.
    pub(super) fn outline(&self) -> Result<Value, WebhookError> {
        outline(&self.body).ok_or(WebhookError::NotJson { source: self.source })
    }

    /// The raw bytes, and the memory permit to hold until they are committed.
    pub(super) fn into_parts(self) -> (Vec<u8>, OwnedSemaphorePermit) {
        (self.body, self.permit)
    }
}
