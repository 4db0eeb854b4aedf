//! A connection's addresses and topics.

use std::sync::Arc;

use crate::{domain::event::source::Source, flows::ConnectionClients, security::signature::key_id};

/// A connection that subscribes to webhooks.
#[derive(Clone)]
pub struct Subscriber {
    /// The vendors' clients.
    pub clients: Arc<ConnectionClients>,
    /// The topics at the shop; only `order.created` is documented.
    pub shop_topics: Vec<String>,
    /// The address that the vendors call.
    pub public_url: String,
    /// The unguessable part of the shop's path.
    pub webhook_token: String,
    /// The unguessable part of the warehouse's path; empty where it has none.
    pub ogoship_token: String,
}

impl Subscriber {
    /// The address that this vendor calls.
    pub(super) fn url(&self, source: Source) -> String {
        let (base, name) = (self.public_url.trim_end_matches('/'), &self.clients.name);
        if source == Source::Ogoship {
            let path = format!("{base}/webhooks/ogoship/{name}");
            if self.ogoship_token.is_empty() { path } else { format!("{path}/{}", self.ogoship_token) }
        } else {
            format!("{base}/webhooks/mycashflow/{name}/{}", self.webhook_token)
        }
    }

    /// The address that this vendor calls, without its token.
    pub fn shown_url(&self, source: Source) -> String {
        self.without_token(source, &self.url(source))
    }

    /// True for an address that this connection had with another webhook token: the vendor that calls it is refused.
    pub(super) fn is_outdated(&self, source: Source, url: &str) -> bool {
        let present = if source == Source::Ogoship { &self.ogoship_token } else { &self.webhook_token };
        self.token_of(source, url).is_some_and(|token| token != present)
    }

    /// The token in an address of this connection; empty where it has none, `None` for any other address.
    fn token_of<'a>(&self, source: Source, url: &'a str) -> Option<&'a str> {
        let (base, name) = (self.public_url.trim_end_matches('/'), &self.clients.name);
        let rest = url.strip_prefix(&format!("{base}/webhooks/{}/{name}", source.as_str()))?;
        let token = rest.trim_matches('/');
        // A connection whose name begins alike is another one.
        let is_own = !base.is_empty() && (rest.is_empty() || rest.starts_with('/'));
        (is_own && !token.contains(['/', '?', '#'])).then_some(token)
    }

    /// An address as it may be shown and stored: without its token, also a former one.
    pub(super) fn without_token(&self, source: Source, url: &str) -> String {
        let own = self.token_of(source, url).unwrap_or_default();
        let tokens = [own, &self.webhook_token, &self.ogoship_token].into_iter();
        tokens.filter(|token| !token.is_empty()).fold(url.to_owned(), |url, token| url.replace(token, "…"))
    }

    /// The id under which a shop's subscription is stored. Its UUID may be its key, so it is not stored itself.
    pub(super) fn shop_remote_id(&self, uuid: &str) -> String {
        key_id(&self.webhook_token, uuid)
    }
}
