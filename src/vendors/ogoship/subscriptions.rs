//! The warehouse's webhook subscriptions: made, listed and removed (docs/contract.md §2.7).

use reqwest::Method;
use serde_json::{Value, json};

use super::{Body, CallError, Failure, Ogoship};
use crate::vendors::lenient_json::{as_text, encode_segment};

/// A subscription as the warehouse tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its id, a GUID.
    pub id: String,
    /// What it tells of: `OrderShipped`, `ProductStockLevelChanged`, or a number of a type that has no public name.
    pub topic: String,
    /// What it calls.
    pub url: String,
}

const PATH: &str = "/api/v1/webhooks";

impl Ogoship {
    /// Makes a subscription whose webhooks are signed with `key`. Once: see the shop's.
    pub async fn subscribe(&self, topic: &str, url: &str, key: &str) -> Result<Subscription, CallError> {
        let body = json!({ "url": url, "key": key, "type": topic, "customHeaders": {} });
        let made = self.send("subscribe", Method::POST, PATH, Vec::new(), Body::Json(body), None).await?;
        read(&made).ok_or_else(|| self.http.call_error("subscribe", Failure::Unreadable))
    }

    /// Every subscription of the merchant. Reads.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, CallError> {
        let list = self.send("list_subscriptions", Method::GET, PATH, Vec::new(), Body::Empty, None).await?;
        Ok(list.as_array().map(|items| items.iter().filter_map(read).collect()).unwrap_or_default())
    }

    /// Removes a subscription. Idempotent: one that is gone is removed.
    pub async fn unsubscribe(&self, id: &str) -> Result<(), CallError> {
        let path = format!("{PATH}/{}", encode_segment(id));
        match self.send("unsubscribe", Method::DELETE, &path, Vec::new(), Body::Empty, None).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}

/// Keys come in lower case here: whatever the warehouse's own case was.
fn read(item: &Value) -> Option<Subscription> {
    let text = |key| item.get(key).and_then(as_text);
    let topic = match text("type").unwrap_or_default().as_str() {
        "1" => "OrderShipped".to_owned(),
        "2" => "ProductStockLevelChanged".to_owned(),
        other => other.to_owned(),
    };
    Some(Subscription { id: text("id")?, topic, url: text("url").unwrap_or_default() })
}
