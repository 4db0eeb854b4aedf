//! The warehouse's webhook subscriptions: create, list and remove them (docs/contract.md §2.7).

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Ogoship, Request};
use crate::vendors::{
    http::error::{CallError, Failure},
    lenient_json::{as_text, encode_segment},
};

/// A subscription as the warehouse returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its id, a GUID.
    pub id: String,
    /// The topic: `OrderShipped`, `ProductStockLevelChanged`, or a number that has no public name.
    pub topic: String,
    /// The URL that is called.
    pub url: String,
}

const PATH: &str = "/api/v1/webhooks";

impl Ogoship {
    /// Creates a subscription whose webhooks are signed with `key`. Once: a second one sends every webhook
    /// twice.
    pub async fn subscribe(&self, topic: &str, url: &str, key: &str) -> Result<Subscription, CallError> {
        let body = json!({ "url": url, "key": key, "type": topic, "customHeaders": {} });
        let made = self.send(Request::new("subscribe", Method::POST, PATH).body(body)).await?;
        read(&made).ok_or_else(|| self.http.call_error("subscribe", Failure::Unreadable))
    }

    /// Lists the merchant's subscriptions. Reads.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, CallError> {
        let list = self.send(Request::get("list_subscriptions", PATH)).await?;
        Ok(list.as_array().map(|items| items.iter().filter_map(read).collect()).unwrap_or_default())
    }

    /// Removes a subscription. Idempotent: a 404 counts as removed.
    pub async fn unsubscribe(&self, id: &str) -> Result<(), CallError> {
        let path = format!("{PATH}/{}", encode_segment(id));
        match self.send(Request::new("unsubscribe", Method::DELETE, &path)).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}

/// Reads a subscription whose keys are in lower case already.
fn read(item: &Value) -> Option<Subscription> {
    let text = |key| item.get(key).and_then(as_text);
    let topic = match text("type").unwrap_or_default().as_str() {
        "1" => "OrderShipped".to_owned(),
        "2" => "ProductStockLevelChanged".to_owned(),
        other => other.to_owned(),
    };
    Some(Subscription { id: text("id")?, topic, url: text("url").unwrap_or_default() })
}
