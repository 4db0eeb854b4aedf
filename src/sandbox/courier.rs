//! Carries the two systems' webhooks to Silta, signed as they sign.

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::credentials;

/// A webhook ready to be sent, and sent again byte by byte the same.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The exact bytes.
    pub body: Vec<u8>,
    from_shop: bool,
}

impl Webhook {
    pub(super) fn from_shop(body: &Value) -> Self {
        Self { body: body.to_string().into_bytes(), from_shop: true }
    }

    pub(super) fn from_warehouse(body: &Value) -> Self {
        Self { body: body.to_string().into_bytes(), from_shop: false }
    }

    /// Any body, as the shop would send it.
    pub fn raw_from_shop(body: &[u8]) -> Self {
        Self { body: body.to_vec(), from_shop: true }
    }

    /// Any body, as the warehouse would send it.
    pub fn raw_from_warehouse(body: &[u8]) -> Self {
        Self { body: body.to_vec(), from_shop: false }
    }
}

/// Carries webhooks to one connection of a Silta.
#[derive(Clone)]
pub struct Courier {
    client: reqwest::Client,
    silta: String,
    connection: String,
}

impl Courier {
    /// A courier to a connection of the Silta at this base URL.
    pub fn to(silta: &str, connection: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        #[expect(
            clippy::disallowed_methods,
            reason = "the sandbox stands outside: it shares no client with Silta"
        )]
        let client = reqwest::Client::new();
        Self { client, silta: silta.trim_end_matches('/').to_owned(), connection: connection.to_owned() }
    }

    /// Where a webhook goes.
    pub fn url(&self, webhook: &Webhook) -> String {
        let Self { silta, connection, .. } = self;
        if webhook.from_shop {
            format!("{silta}/webhooks/mycashflow/{connection}/{}", credentials::WEBHOOK_TOKEN)
        } else {
            format!("{silta}/webhooks/ogoship/{connection}")
        }
    }

    /// The header that signs a webhook, and its value.
    pub fn signature(webhook: &Webhook) -> (&'static str, String) {
        let mac = |key: &str| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key will do");
            mac.update(&webhook.body);
            mac.finalize().into_bytes()
        };
        if webhook.from_shop {
            (credentials::SHOP_HEADER, hex::encode(mac(credentials::SHOP_SECRET)))
        } else {
            let encoded = base64::engine::general_purpose::STANDARD.encode(mac(credentials::WAREHOUSE_KEY));
            ("X-OGOship-Hmac-SHA256", encoded)
        }
    }

    /// Sends a webhook; answers the status and the body, or `None` where nobody answered.
    pub async fn carries(&self, webhook: &Webhook) -> Option<(u16, Value)> {
        let (header, signature) = Self::signature(webhook);
        let request = self.client.post(self.url(webhook)).header(header, signature);
        let request = request.header("content-type", "application/json").body(webhook.body.clone());
        #[expect(
            clippy::disallowed_methods,
            reason = "the sandbox stands outside: it shares no client with Silta"
        )]
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.json().await.unwrap_or(Value::Null)))
    }
}
