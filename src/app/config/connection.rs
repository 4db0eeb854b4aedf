//! The sections `[[connections]]`.

use std::time::Duration;

use reqwest::Url;

use super::{
    pages::{read_pages, read_undo},
    policy::{read_orders, read_polls, read_products, read_shipping, read_stock},
    secret::Secret,
    section::Section,
};
use crate::{
    domain::{
        digest::sha256_hex,
        order::OrderPolicy,
        product::ProductPolicy,
        redact::Redactor,
        stock::StockPolicy,
        switch::{Switch, Switches},
        sync_schedule::SyncSchedule,
        vendor_pages::VendorPages,
    },
    inbox::poll::poller::Intervals,
    security::signature::Encoding,
    vendors::http::dns::names_private_host,
};

/// One store tied to one merchant account.
#[derive(Debug)]
pub struct Connection {
    /// The name, of `[a-z0-9-]`.
    pub name: String,
    /// The connection whose place this one has taken, with its orders' references; empty for none.
    pub replaces: String,
    /// The shop.
    pub mycashflow: MyCashflow,
    /// The warehouse.
    pub ogoship: Ogoship,
    /// `[connections.orders]`, `[connections.shipping]`
    pub orders: OrderPolicy,
    /// `[connections.products]`
    pub products: ProductPolicy,
    /// `[connections.stock]`
    pub stock: StockPolicy,
    /// `[connections.polls]`
    pub polls: Intervals,
    /// How often both sides are synced, and which differences need approval.
    pub sync: SyncSchedule,
    /// The topics that the shop sends webhooks about.
    pub topics: Vec<String>,
    /// How long what is sent by hand from a page can be taken back; zero is not at all.
    pub undo: Duration,
    /// The vendors' own pages.
    pub addresses: VendorPages,
}

/// The section `[connections.mycashflow]`.
#[derive(Debug)]
pub struct MyCashflow {
    /// Base URL.
    pub url: String,
    /// The API user.
    pub user: String,
    /// Its key.
    pub api_key: Secret,
    /// `v0` or `v1`.
    pub orders_api: String,
    /// The unguessable part of the callback path.
    pub webhook_token: Secret,
    /// The rate limit.
    pub requests_per_second: f64,
    /// How the shop signs; `None` with `dangerously_unsigned`.
    pub signature: Option<Signature>,
}

/// The section `[connections.mycashflow.signature]`.
#[derive(Debug)]
pub struct Signature {
    /// The header that holds the signature.
    pub header: String,
    /// The secrets; several while rotating.
    pub secrets: Vec<Secret>,
    /// The encoding of the signature.
    pub encoding: Encoding,
}

/// The section `[connections.ogoship]`.
#[derive(Debug)]
pub struct Ogoship {
    /// API host.
    pub url: String,
    /// Token host.
    pub auth_url: String,
    /// `X-OgoKey`, preferred where it is given.
    pub api_key: Option<Secret>,
    /// OAuth.
    pub merchant_id: String,
    /// OAuth.
    pub secret_token: Secret,
    /// OAuth.
    pub client_id: String,
    /// OAuth.
    pub client_secret: Secret,
    /// The unguessable part of the callback path; empty for none.
    pub webhook_token: Secret,
    /// Whether the callback path without the token is accepted too.
    pub accepts_path_without_token: bool,
    /// Keys of the webhook subscriptions.
    pub webhook_keys: Vec<Secret>,
    /// The rate limit.
    pub requests_per_second: f64,
}

impl Ogoship {
    /// Names the merchant, as digests: by its id, and by its key. Two connections that share one of them share the
    /// merchant's orders.
    pub fn merchants(&self) -> Vec<String> {
        let key = self.api_key.as_ref().map(|key| format!("key {}", key.expose()));
        let id = (!self.merchant_id.is_empty()).then(|| format!("id {}", self.merchant_id));
        let name = |account: String| sha256_hex(format!("{} {account}", self.url.to_lowercase()).as_bytes());
        key.into_iter().chain(id).map(name).collect()
    }
}

/// What a connection needs of the rest of the configuration.
#[derive(Clone, Copy)]
pub(super) struct GlobalOptions {
    /// `[outbound] dangerously_allow_private`
    pub(super) allow_private: bool,
    /// True where `[secrets] keys` has any.
    pub(super) has_secret_keys: bool,
    /// `[retry] recheck_delay`
    pub(super) recheck_delay: Duration,
}

impl Connection {
    /// What it writes by itself, when a person asks, or never.
    pub const fn switches(&self) -> Switches {
        Switches { orders: self.orders.transfer, products: self.products.upload, stock: self.stock.update }
    }

    pub(super) fn read(mut section: Section<'_>, global: GlobalOptions) -> Self {
        let GlobalOptions { allow_private, has_secret_keys, recheck_delay } = global;
        let name = section.required("name", "a name of [a-z0-9-]");
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.len() > 64 || !name.bytes().all(plain) {
            section.add_error("name", "must be at most 64 of [a-z0-9-]");
        }
        if !name.is_empty() {
            section.rename(format!("connections.{name}"));
        }
        let products = read_products(section.section("products"));
        let shipping = read_shipping(section.section("shipping"));
        let (mycashflow, topics) =
            read_mycashflow(section.section("mycashflow"), allow_private, has_secret_keys);
        let mut of_orders = section.section("orders");
        let undo = read_undo(&mut of_orders);
        let mut orders = read_orders(of_orders, shipping, &products, recheck_delay);
        orders.redactor = Redactor::with_key(mycashflow.webhook_token.expose());
        let stock = read_stock(section.section("stock"), &products.extra);
        let (mut polls, sync) = read_polls(section.section("polls"));
        if stock.update == Switch::Off {
            polls.stock = Duration::ZERO; // nobody would use what it finds
        }
        let connection = Self {
            name,
            replaces: section.text("replaces"),
            mycashflow,
            ogoship: read_ogoship(section.section("ogoship"), allow_private, has_secret_keys),
            orders,
            products,
            stock,
            polls,
            sync,
            topics,
            undo,
            addresses: read_pages(section.section("pages")),
        };
        section.finish();
        connection
    }
}

fn read_mycashflow(
    mut section: Section<'_>,
    allow_private: bool,
    has_secret_keys: bool,
) -> (MyCashflow, Vec<String>) {
    let url = read_url(&mut section, "url", "https://STORENAME.mycashflow.fi", allow_private);
    let user = section.required("user", "the API user's e-mail");
    let api_key = section.required_secret("api_key", "the API user's key");
    let orders_api = section.choice("orders_api", &[("v0", "v0"), ("v1", "v1")]).to_owned();
    let webhook_token = section.required_secret("webhook_token", "an unguessable text of letters and digits");
    check_path_token(&mut section, &webhook_token);
    let requests_per_second = section.rate("requests_per_second");
    let topics = section.texts("topics");
    let unsigned = section.boolean("dangerously_unsigned");
    let mut signature = section.section("signature");
    let header = signature.text("header");
    let secrets = signature.secrets("secrets");
    let encodings = [("either", Encoding::Either), ("hex", Encoding::Hex), ("base64", Encoding::Base64)];
    let encoding = signature.choice("encoding", &encodings);
    let has_secret = has_secret_keys || !secrets.is_empty() || signature.is_unreadable("secrets");
    signature.finish();
    if !unsigned && (header.is_empty() || !has_secret) {
        section.add_error(
            "signature",
            "needs a header, and a secret unless [secrets] keys are there to keep those of subscriptions; or, knowing the \
             danger, dangerously_unsigned = true",
        );
    }
    section.finish();
    let signature = (!unsigned).then_some(Signature { header, secrets, encoding });
    (MyCashflow { url, user, api_key, orders_api, webhook_token, requests_per_second, signature }, topics)
}

fn read_ogoship(mut section: Section<'_>, allow_private: bool, has_secret_keys: bool) -> Ogoship {
    let url = read_url(&mut section, "url", "https://api.ogoship.com", allow_private);
    let auth_url = read_url(&mut section, "auth_url", "https://my.ogoship.com", allow_private);
    let api_key = Some(section.secret("api_key")).filter(|key| !key.expose().is_empty());
    let ogoship = Ogoship {
        url,
        auth_url,
        merchant_id: section.text("merchant_id"),
        secret_token: section.secret("secret_token"),
        client_id: section.text("client_id"),
        client_secret: section.secret("client_secret"),
        api_key,
        webhook_token: section.secret("webhook_token"),
        accepts_path_without_token: section.boolean("webhook_path_without_token"),
        webhook_keys: section.secrets("webhook_keys"),
        requests_per_second: section.rate("requests_per_second"),
    };
    check_path_token(&mut section, &ogoship.webhook_token);
    let secrets = [&ogoship.secret_token, &ogoship.client_secret];
    let ids = [&ogoship.merchant_id, &ogoship.client_id];
    let whole =
        secrets.iter().all(|secret| !secret.expose().is_empty()) && ids.iter().all(|id| !id.is_empty());
    let is_unreadable =
        ["api_key", "secret_token", "client_secret"].iter().any(|key| section.is_unreadable(key));
    if ogoship.api_key.is_none() && !whole && !is_unreadable {
        section.add_error(
            "api_key",
            "is missing: give it, or merchant_id, secret_token, client_id and client_secret",
        );
    }
    if ogoship.webhook_keys.is_empty() && !has_secret_keys && !section.is_unreadable("webhook_keys") {
        section.add_error(
            "webhook_keys",
            "is empty: give the key of the webhook subscription, or [secrets] keys, and `silta webhooks register` makes one",
        );
    }
    section.finish();
    ogoship
}

/// Refuses a path's token that can be guessed.
fn check_path_token(section: &mut Section<'_>, token: &Secret) {
    if !(8..=200).contains(&token.expose().len()) && !token.expose().is_empty() {
        section.add_error("webhook_token", "must have 8 to 200 characters, or it can be guessed");
    }
}

/// An https URL of a public host, unless private ones are allowed.
fn read_url(section: &mut Section<'_>, key: &str, example: &str, allow_private: bool) -> String {
    let text = section.required(key, example);
    if text.is_empty() {
        return text;
    }
    let Ok(url) = Url::parse(&text) else {
        section.add_error(key, &format!("is no URL: give {example}"));
        return text;
    };
    if !(url.scheme() == "https" || allow_private && url.scheme() == "http") || !url.has_host() {
        section.add_error(key, "must be an https URL");
    } else if names_private_host(&url) && !allow_private {
        section.add_error(
            key,
            "is a loopback or private address; outbound.dangerously_allow_private allows it for tests",
        );
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        section.add_error(key, "must have no path behind its host");
    }
    text.trim_end_matches('/').to_owned()
}
