//! The shop's webhook subscriptions: made, listed and removed (docs/contract.md §1.4).
//!
//! Making one is documented; that there is a list, and a way to remove, is inferred (docs/contract.md U5): where the shop
//! has neither, its 404 is told as that.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Body, Call, CallError, Failure, MyCashflow, Response, as_text};
use crate::vendors::lenient_json::encode_segment;

/// A subscription as the shop tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its id; the vendor says that it validates the webhooks, and it is our guess at their key: never logged.
    pub uuid: String,
    /// What it tells of.
    pub topic: String,
    /// What it calls.
    pub url: String,
}

const PATH: &str = "/api/v1/webhooks";

impl MyCashflow {
    /// Makes a subscription. Once: a second one of the same kind would tell everything twice, and events are told apart
    /// from their doubles anyway.
    pub async fn subscribe(&self, topic: &str, url: &str) -> Result<Subscription, CallError> {
        let body = json!({ "topic": topic, "expands": [], "url": url });
        let answer = self.exchange("subscribe", Method::POST, PATH.to_owned(), Body::Json(body)).await?;
        let value: Value = serde_json::from_slice(&answer.body)
            .map_err(|_| self.http.call_error("subscribe", Failure::Unreadable))?;
        read(value.get("data").unwrap_or(&value))
            .ok_or_else(|| self.http.call_error("subscribe", Failure::Unreadable))
    }

    /// Every subscription of our API user; `None` where the shop has no such list. Reads.
    pub async fn subscriptions(&self) -> Result<Option<Vec<Subscription>>, CallError> {
        let list = self.find_list("list_subscriptions", PATH).await?;
        Ok(list.map(|items| items.iter().filter_map(read).collect()))
    }

    /// Removes a subscription. Idempotent: one that is gone is removed.
    pub async fn unsubscribe(&self, uuid: &str) -> Result<(), CallError> {
        let path = format!("{PATH}/{}", encode_segment(uuid));
        match self.exchange("unsubscribe", Method::DELETE, path, Body::Empty).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    async fn exchange(
        &self,
        name: &'static str,
        method: Method,
        path: String,
        body: Body,
    ) -> Result<Response, CallError> {
        let headers = self.headers.clone();
        self.http.send(Call { name, method, path, query: Vec::new(), headers, body }).await
    }

    async fn find_list(&self, name: &'static str, path: &str) -> Result<Option<Vec<Value>>, CallError> {
        match self.list_all(name, path).await {
            Ok(items) => Ok(Some(items)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn read(item: &Value) -> Option<Subscription> {
    let text = |key| item.get(key).and_then(as_text);
    Some(Subscription {
        uuid: text("uuid")?,
        topic: text("topic").unwrap_or_default(),
        url: text("url").unwrap_or_default(),
    })
}
