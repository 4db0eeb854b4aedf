//! Verifies webhooks. A [`Verified`] is made here only, so code that takes one needs no check of its own.

use std::{future::poll_fn, pin::Pin};

use axum::{
    body::{Body, HttpBody},
    http::HeaderMap,
};
use serde_json::Value;

use super::{error::WebhookError, keyring::Keyring};
use crate::{
    domain::event::source::Source,
    runtime::memory_limit::MemoryPermit,
    store::key_usage::KeyIdentity,
    vendors::json_outline::outline,
    web::request_body::{BodyError, BodyReservation},
};

/// A webhook's raw body before verification.
pub(super) struct Unverified {
    source: Source,
    body: Vec<u8>,
    permit: Option<MemoryPermit>,
}

/// A webhook's raw body, signed with one of its sender's live keys.
pub(super) struct Verified {
    source: Source,
    body: Vec<u8>,
    permit: Option<MemoryPermit>,
}

impl Unverified {
    /// Reads the whole body, as far as it is allowed.
    pub(super) async fn read(
        source: Source,
        mut stream: Body,
        reservation: &BodyReservation,
    ) -> Result<Self, WebhookError> {
        let mut body = Vec::new();
        while let Some(frame) = poll_fn(|task| Pin::new(&mut stream).poll_frame(task)).await {
            let frame = frame.map_err(|_| {
                let error = reservation.error().unwrap_or(BodyError::Incomplete);
                WebhookError::Body { source, error }
            })?;
            let Ok(data) = frame.into_data() else { continue };
            body.extend_from_slice(&data);
        }
        body.shrink_to_fit(); // the permit counts the bytes received, and growing allocates up to twice as many
        Ok(Self { source, body, permit: reservation.take_permit() })
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

    /// The raw bytes, to find out why the signature is wrong, and the memory permit to hold meanwhile.
    pub(super) fn into_parts(self) -> (Vec<u8>, Option<MemoryPermit>) {
        (self.body, self.permit)
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
    pub(super) fn into_parts(self) -> (Vec<u8>, Option<MemoryPermit>) {
        (self.body, self.permit)
    }
}
