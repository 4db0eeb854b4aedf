//! Sends the two vendors' webhooks to Silta, signed as the vendors sign them.

use std::{sync::Arc, time::Duration};

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;
use sha2::Sha256;

use super::credentials;
use crate::vendors::http::tls_config;

/// A webhook that can be sent again byte by byte.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The exact bytes of its body.
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

    /// A webhook of the shop with any body.
    pub fn raw_from_shop(body: &[u8]) -> Self {
        Self { body: body.to_vec(), from_shop: true }
    }

    /// A webhook of the warehouse with any body.
    pub fn raw_from_warehouse(body: &[u8]) -> Self {
        Self { body: body.to_vec(), from_shop: false }
    }
}

/// Sends webhooks to one connection, to each of Silta's replicas in turn.
#[derive(Clone)]
pub struct WebhookSender {
    client: reqwest::Client,
    route: Arc<Mutex<Route>>,
    connection: String,
}

#[derive(Default)]
struct Route {
    replicas: Vec<String>,
    next: usize,
    acknowledged_ids: Vec<String>,
}

/// How long to wait for an answer; neither vendor's timeout is public.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

impl WebhookSender {
    /// A sender to one connection of the Silta at this base URL.
    pub fn to(silta: &str, connection: &str) -> Self {
        Self::with_timeout(&[silta.to_owned()], connection, SEND_TIMEOUT)
    }

    /// A sender to one connection of these replicas, with a timeout for each answer.
    pub fn with_timeout(replicas: &[String], connection: &str, timeout: Duration) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the sandbox shares no client with Silta")]
        let builder = reqwest::Client::builder().tls_backend_preconfigured(tls_config());
        let client = builder.timeout(timeout).build().expect("nothing to read, nothing to fail");
        let webhook_sender = Self { client, route: Arc::default(), connection: connection.to_owned() };
        webhook_sender.set_replicas(replicas);
        webhook_sender
    }

    /// Replaces the replicas.
    pub fn set_replicas(&self, replicas: &[String]) {
        self.route().replicas = replicas.iter().map(|url| url.trim_end_matches('/').to_owned()).collect();
    }

    /// The ids of all events that were answered 200: the vendors assume that Silta has them.
    pub fn acknowledged_ids(&self) -> Vec<String> {
        self.route().acknowledged_ids.clone()
    }

    fn route(&self) -> MutexGuard<'_, Route> {
        self.route.lock()
    }

    /// The URL of a webhook; each call takes the next replica.
    pub fn url(&self, webhook: &Webhook) -> String {
        let connection = &self.connection;
        let mut route = self.route();
        route.next += 1;
        let silta = route.replicas.get(route.next % route.replicas.len().max(1)).map_or("", String::as_str);
        if webhook.from_shop {
            format!("{silta}/webhooks/mycashflow/{connection}/{}", credentials::WEBHOOK_TOKEN)
        } else {
            format!("{silta}/webhooks/ogoship/{connection}/{}", credentials::OGOSHIP_WEBHOOK_TOKEN)
        }
    }

    /// The name and value of the header that signs a webhook.
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

    /// Sends a webhook; returns the status and the body, or `None` without an answer.
    pub async fn send(&self, webhook: &Webhook) -> Option<(u16, Value)> {
        let (header, signature) = Self::signature(webhook);
        let request = self.client.post(self.url(webhook)).header(header, signature);
        let request = request.header("content-type", "application/json").body(webhook.body.clone());
        #[expect(clippy::disallowed_methods, reason = "the sandbox shares no client with Silta")]
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let answer: Value = response.json().await.unwrap_or(Value::Null);
        if let Some(id) = answer["event_id"].as_str().filter(|_| status == 200) {
            self.route().acknowledged_ids.push(id.to_owned());
        }
        Some((status, answer))
    }
}
