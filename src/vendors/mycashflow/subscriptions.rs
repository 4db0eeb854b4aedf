//! The shop's webhook subscriptions: create, list and remove them (docs/contract.md §1.4).
//!
//! Only creating one is documented. Listing and removing are inferred (docs/contract.md U5): a shop that has
//! neither answers 404.

use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};

use super::client::{MyCashflow, PRODUCTS};
use crate::vendors::{
    http::{
        Body, Call, Response,
        error::{CallError, Failure},
    },
    lenient_json::{as_text, encode_segment},
};

/// A subscription as the shop returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its id. The vendor says that it validates the webhooks, so it may be their key: never log it.
    pub uuid: String,
    /// The topic of its webhooks.
    pub topic: String,
    /// The URL that is called.
    pub url: String,
}

const PATH: &str = "/api/v1/webhooks";

impl MyCashflow {
    /// Creates a subscription. Once: a second one of the same topic sends every webhook twice, which
    /// deduplication absorbs.
    pub async fn subscribe(&self, topic: &str, url: &str) -> Result<Subscription, CallError> {
        let body = json!({ "topic": topic, "expands": [], "url": url });
        let answer = self.exchange("subscribe", Method::POST, PATH.to_owned(), Body::Json(body)).await?;
        let value: Value = serde_json::from_slice(&answer.body)
            .map_err(|_| self.http.call_error("subscribe", Failure::Unreadable))?;
        read(value.get("data").unwrap_or(&value))
            .ok_or_else(|| self.http.call_error("subscribe", Failure::Unreadable))
    }

    /// Lists the subscriptions of our API user; `None` where the shop has no such list. Reads.
    pub async fn subscriptions(&self) -> Result<Option<Vec<Subscription>>, CallError> {
        let list = self.find_list("list_subscriptions", PATH).await?;
        Ok(list.map(|items| items.iter().filter_map(read).collect()))
    }

    /// Removes a subscription. Idempotent: a 404 counts as removed.
    pub async fn unsubscribe(&self, uuid: &str) -> Result<(), CallError> {
        let path = format!("{PATH}/{}", encode_segment(uuid));
        match self.exchange("unsubscribe", Method::DELETE, path, Body::Empty).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => self.confirm_not_found(PRODUCTS.to_owned()).await,
            Err(error) => Err(error),
        }
    }

    async fn exchange(
        &self,
        name: &'static str,
        method: Method,
        path: String,
        body: Body,
    ) -> Result<Response, CallError> {
        let headers = HeaderMap::clone(&self.headers);
        self.http.send(Call { name, method, path, query: Vec::new(), headers, body }).await
    }

    async fn find_list(&self, name: &'static str, path: &str) -> Result<Option<Vec<Value>>, CallError> {
        match self.list_all(name, path).await {
            Ok(items) => Ok(Some(items)),
            Err(error) if error.is_not_found() => {
                self.confirm_not_found(PRODUCTS.to_owned()).await.map(|()| None)
            }
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
