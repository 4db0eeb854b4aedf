//! Sends the two vendors' webhooks to Silta, signed as the vendors sign them: to a given Silta with the sandbox's own keys, or
//! as the real ones do to the addresses that are registered at the vendor, each with its own key.

use std::{sync::Arc, time::Duration};

use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;

use super::{
    credentials,
    subscriptions::{SignedRequest, Subscribed, mac, to_base64},
    webhook::Webhook,
};
use crate::vendors::http::tls_config;

/// Sends webhooks to one connection, to each of Silta's replicas in turn.
#[derive(Clone)]
pub struct WebhookSender {
    client: reqwest::Client,
    route: Arc<Mutex<Route>>,
    connection: String,
    /// Where the subscriptions are; without them, every webhook takes the route.
    subscribed: Option<Subscribed>,
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
        let (route, connection) = (Arc::default(), connection.to_owned());
        let webhook_sender = Self { client, route, connection, subscribed: None };
        webhook_sender.set_replicas(replicas);
        webhook_sender
    }

    /// The same sender, which sends to what is registered at a vendor as soon as anything is.
    pub fn with_subscriptions(self, subscribed: Subscribed) -> Self {
        Self { subscribed: Some(subscribed), ..self }
    }

    /// Whether any webhook has an address to go to.
    pub fn has_target(&self) -> bool {
        !self.route().replicas.is_empty() || self.subscribed.as_ref().is_some_and(Subscribed::has_any)
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
        if webhook.is_from_shop() {
            format!("{silta}/webhooks/mycashflow/{connection}/{}", credentials::WEBHOOK_TOKEN)
        } else {
            format!("{silta}/webhooks/ogoship/{connection}/{}", credentials::OGOSHIP_WEBHOOK_TOKEN)
        }
    }

    /// The name and value of the header that signs a webhook.
    pub fn signature(webhook: &Webhook) -> (&'static str, String) {
        if webhook.is_from_shop() {
            (credentials::SHOP_HEADER, hex::encode(mac(credentials::SHOP_SECRET, &webhook.body)))
        } else {
            (credentials::WAREHOUSE_HEADER, to_base64(&mac(credentials::WAREHOUSE_KEY, &webhook.body)))
        }
    }

    /// Sends a webhook to each of its addresses; returns the status and the body of the last answer, or of the last that is not
    /// 200; `None` without an answer.
    pub async fn send(&self, webhook: &Webhook) -> Option<(u16, Value)> {
        let registered = self.subscribed.as_ref().and_then(|subscribed| subscribed.requests(webhook));
        let requests = registered.unwrap_or_else(|| {
            if self.route().replicas.is_empty() {
                return Vec::new();
            }
            let (header, signature) = Self::signature(webhook);
            vec![SignedRequest { url: self.url(webhook), header: header.to_owned(), signature }]
        });
        let mut result = None;
        for request in requests {
            let answer = self.post(webhook, request).await;
            if result.as_ref().is_none_or(|(status, _)| *status == 200) {
                result = answer;
            }
        }
        result
    }

    async fn post(&self, webhook: &Webhook, signed: SignedRequest) -> Option<(u16, Value)> {
        let SignedRequest { url, header, signature } = signed;
        let request = self.client.post(url).header(header, signature);
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
