//! Where webhooks go that are registered at the sandbox's vendors, and how each is signed.

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::{credentials, shop::Shop, warehouse::Warehouse, webhook::Webhook};

/// How the shop signs. What the real one does is not public, so a trial may choose.
#[derive(Clone, Debug)]
pub struct ShopSignature {
    /// The header.
    pub header: String,
    /// Base64 in place of hex.
    pub base64: bool,
}

impl Default for ShopSignature {
    fn default() -> Self {
        Self { header: credentials::SHOP_HEADER.to_owned(), base64: false }
    }
}

/// The subscriptions at both vendors.
#[derive(Clone)]
pub struct Subscribed {
    /// The shop; a subscription's UUID is its key.
    pub shop: Shop,
    /// The warehouse; each subscription has a key of its own.
    pub warehouse: Warehouse,
    /// How the shop signs.
    pub shop_signature: ShopSignature,
}

/// One request of a webhook.
pub(super) struct SignedRequest {
    pub(super) url: String,
    pub(super) header: String,
    pub(super) signature: String,
}

impl Subscribed {
    /// Whether anything is registered at either vendor.
    pub(super) fn has_any(&self) -> bool {
        !self.shop.subscriptions().is_empty() || !self.warehouse.subscriptions().is_empty()
    }

    /// The requests of a webhook: one for each subscription of its topic. `None` where its vendor has no subscription at
    /// all, so that one registered by hand is not missed.
    pub(super) fn requests(&self, webhook: &Webhook) -> Option<Vec<SignedRequest>> {
        let body: Value = serde_json::from_slice(&webhook.body).unwrap_or_default();
        if webhook.is_from_shop() {
            let topic = body["topic"].as_str().unwrap_or_default();
            let subscriptions = self.shop.subscriptions();
            let matching = subscriptions.iter().filter(|[_, its, _]| its == topic);
            let requests = matching.map(|[uuid, _, url]| self.sign_as_shop(webhook, uuid, url)).collect();
            return (!subscriptions.is_empty()).then_some(requests);
        }
        let kind = kind_of(&body["type"]);
        let subscriptions = self.warehouse.subscriptions();
        let matching =
            subscriptions.iter().filter(|[_, its, ..]| kind_of(&Value::String(its.clone())) == kind);
        let requests = matching.map(|[_, _, url, key]| sign_as_warehouse(webhook, url, key)).collect();
        (!subscriptions.is_empty()).then_some(requests)
    }

    fn sign_as_shop(&self, webhook: &Webhook, uuid: &str, url: &str) -> SignedRequest {
        let digest = mac(uuid, &webhook.body);
        let ShopSignature { header, base64 } = &self.shop_signature;
        let signature = if *base64 { to_base64(&digest) } else { hex::encode(digest) };
        SignedRequest { url: url.to_owned(), header: header.clone(), signature }
    }
}

fn sign_as_warehouse(webhook: &Webhook, url: &str, key: &str) -> SignedRequest {
    let signature = to_base64(&mac(key, &webhook.body));
    SignedRequest { url: url.to_owned(), header: credentials::WAREHOUSE_HEADER.to_owned(), signature }
}

/// The warehouse's types are numbers or names (docs/contract.md §2.7).
fn kind_of(value: &Value) -> String {
    let kind = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    match kind.as_str() {
        "1" => "OrderShipped".to_owned(),
        "2" => "ProductStockLevelChanged".to_owned(),
        _ => kind,
    }
}

/// HMAC-SHA256 of a body.
pub(super) fn mac(key: &str, body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key will do");
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

/// Base64 as both vendors write it.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
