//! A webhook whose signature fits no key: counted by what seems to be wrong with it, and learnt from where somebody has
//! asked for that. Neither lets it in.

use axum::http::HeaderMap;
use serde_json::json;

use super::{keyring::Keyring, receive::Receiver, rejection::Rejection, verify::Unverified};
use crate::inbox::{Door, Inbox};
use crate::{
    security::detection,
    store::{
        self,
        webhook_checks::{self, RefusalName},
    },
};

impl Inbox {
    /// Counts a wrong signature by what seems to be wrong with it, and learns from it where somebody wants to.
    pub(in crate::inbox) async fn refused(
        &self,
        door: &Door,
        keys: &Keyring,
        unverified: &Unverified,
        headers: &HeaderMap,
    ) -> Rejection {
        let source = unverified.source();
        let at_hand = keys.scheme();
        let pairs: Vec<_> =
            headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let hint = detection::hint(&at_hand.0, unverified.bytes(), &pairs);
        let name =
            RefusalName { connection: door.connection.clone(), source: source.as_str(), hint: hint.as_str() };
        let now = self.receiver.clock.now();
        self.tally.refused(name, now);
        tracing::warn!(
            connection = door.connection,
            source = source.as_str(),
            hint = hint.as_str(),
            "signature refused"
        );
        if let Err(error) = self.learn(door, keys, unverified, &pairs).await {
            tracing::warn!(error = %error, "nothing was learnt from a refused webhook");
        }
        if headers.contains_key(keys.header()) {
            Rejection::SignatureWrong { source }
        } else {
            Rejection::SignatureMissing { source }
        }
    }

    async fn learn(
        &self,
        door: &Door,
        keys: &Keyring,
        unverified: &Unverified,
        headers: &detection::Headers<'_>,
    ) -> store::Result<()> {
        let Receiver { pool, clock, .. } = &self.receiver;
        let (connection, source) = (&door.connection, unverified.source().as_str());
        if !keys.may_ask(clock.now()) {
            return Ok(());
        }
        let mut db = pool.acquire().await?;
        if !webhook_checks::wants_lesson(&mut db, connection, source, clock.now()).await? {
            return Ok(());
        }
        drop(db); // the digests take a while
        let at_hand = keys.scheme();
        let (scheme, ids) = &*at_hand;
        let named = ids.iter().map(|id| format!("key {id}"));
        let mut tried: Vec<_> = named.zip(scheme.secrets.iter().cloned()).collect();
        tried.push(("webhook_token".to_owned(), door.webhook_token.clone()));
        let found = detection::learn(unverified.bytes(), headers, &tried);
        let seen: Vec<_> = headers.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut db = pool.acquire().await?;
        webhook_checks::keep_lesson(&mut db, connection, source, &seen, &json!(found), clock.now()).await
    }
}
