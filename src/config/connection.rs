//! `[[connections]]`: one store tied to one merchant.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use reqwest::Url;
use toml::Value;

use super::section::{Secret, Section};
use crate::{
    domain::{
        difference::Mask,
        order::{OrderPolicy, Transfer, UnitPrices, When},
        product::ProductPolicy,
        shipping::ShippingRule,
        stock::{Basis, StockPolicy},
    },
    inbox::sweep::Intervals,
    sync::{Comparisons, MENDED_BY_ITSELF},
    systems::{resolve, signature::Encoding},
};

/// One store tied to one merchant.
#[derive(Debug)]
pub struct Connection {
    /// `[a-z0-9-]`
    pub name: String,
    /// The shop.
    pub mycashflow: MyCashflow,
    /// The warehouse.
    pub ogoship: Ogoship,
    /// `[connections.orders]`, `[connections.shipping]`
    pub orders: OrderPolicy,
    /// Payment methods that are cash on delivery.
    pub cash_on_delivery: Vec<String>,
    /// `[connections.products]`
    pub products: ProductPolicy,
    /// `[connections.stock]`
    pub stock: StockPolicy,
    /// `[connections.sweeps]`
    pub sweeps: Intervals,
    /// How often both sides are compared as a whole, and what of that waits for a person.
    pub compare: Comparisons,
    /// What the shop is asked to tell of.
    pub topics: Vec<String>,
}

/// `[connections.mycashflow]`
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
    /// Part of the callback path.
    pub webhook_token: Secret,
    /// Rate budget.
    pub requests_per_second: f64,
    /// How it signs; `None` with `dangerously_unsigned`.
    pub signature: Option<(String, Vec<Secret>, Encoding)>,
}

/// `[connections.ogoship]`
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
    /// Keys of the webhook subscriptions.
    pub webhook_keys: Vec<Secret>,
    /// Rate budget.
    pub requests_per_second: f64,
}

/// What the rest of the configuration says, as far as a connection is concerned.
#[derive(Clone, Copy)]
pub(super) struct Around {
    /// `[outbound] dangerously_allow_private`
    pub(super) allow_private: bool,
    /// `[secrets] keys` are there.
    pub(super) keeps_keys: bool,
    /// `[retry] look_again`
    pub(super) look_again: Duration,
}

impl Connection {
    pub(super) fn read(mut section: Section<'_>, around: Around) -> Self {
        let Around { allow_private, keeps_keys, look_again } = around;
        let name = section.required("name", "a name of [a-z0-9-]");
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.len() > 64 || !name.bytes().all(plain) {
            section.fault("name", "must be at most 64 of [a-z0-9-]");
        }
        if !name.is_empty() {
            section.rename(format!("connections.{name}"));
        }
        let products = read_products(section.section("products"));
        let shipping = read_shipping(section.section("shipping"));
        let (mycashflow, topics) = read_mycashflow(section.section("mycashflow"), allow_private, keeps_keys);
        let (mut orders, cash_on_delivery) =
            read_orders(section.section("orders"), shipping, &products, look_again);
        orders.mask = Mask::keyed(mycashflow.webhook_token.expose());
        let (sweeps, compare) = read_sweeps(section.section("sweeps"));
        let connection = Self {
            name,
            mycashflow,
            ogoship: read_ogoship(section.section("ogoship"), allow_private, keeps_keys),
            orders,
            cash_on_delivery,
            products,
            stock: read_stock(section.section("stock")),
            sweeps,
            compare,
            topics,
        };
        section.finish();
        connection
    }
}

fn read_mycashflow(
    mut section: Section<'_>,
    allow_private: bool,
    keeps_keys: bool,
) -> (MyCashflow, Vec<String>) {
    let url = read_url(&mut section, "url", "https://STORENAME.mycashflow.fi", allow_private);
    let user = section.required("user", "the API user's e-mail");
    let api_key = section.required_secret("api_key", "the API user's key");
    let orders_api = section.word("orders_api", &[("v0", "v0"), ("v1", "v1")]).to_owned();
    let webhook_token = section.required_secret("webhook_token", "an unguessable text of letters and digits");
    if !(8..=200).contains(&webhook_token.expose().len()) && !webhook_token.expose().is_empty() {
        section.fault("webhook_token", "must have 8 to 200 characters, or it can be guessed");
    }
    let requests_per_second = section.rate("requests_per_second");
    let topics = section.texts("topics");
    let unsigned = section.truth("dangerously_unsigned");
    let mut signature = section.section("signature");
    let header = signature.text("header");
    let secrets = signature.secrets("secrets");
    let encodings = [("either", Encoding::Either), ("hex", Encoding::Hex), ("base64", Encoding::Base64)];
    let encoding = signature.word("encoding", &encodings);
    signature.finish();
    if !unsigned && (header.is_empty() || secrets.is_empty() && !keeps_keys) {
        section.fault(
            "signature",
            "needs a header, and a secret unless [secrets] keys are there to keep those of subscriptions; or, knowing the \
             danger, dangerously_unsigned = true",
        );
    }
    section.finish();
    let signature = (!unsigned).then_some((header, secrets, encoding));
    (MyCashflow { url, user, api_key, orders_api, webhook_token, requests_per_second, signature }, topics)
}

fn read_ogoship(mut section: Section<'_>, allow_private: bool, keeps_keys: bool) -> Ogoship {
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
        webhook_keys: section.secrets("webhook_keys"),
        requests_per_second: section.rate("requests_per_second"),
    };
    let secrets = [&ogoship.secret_token, &ogoship.client_secret];
    let ids = [&ogoship.merchant_id, &ogoship.client_id];
    let whole =
        secrets.iter().all(|secret| !secret.expose().is_empty()) && ids.iter().all(|id| !id.is_empty());
    if ogoship.api_key.is_none() && !whole {
        section.fault(
            "api_key",
            "is missing: give it, or merchant_id, secret_token, client_id and client_secret",
        );
    }
    if ogoship.webhook_keys.is_empty() && !keeps_keys {
        section.fault(
            "webhook_keys",
            "is empty: give the key of the webhook subscription, or [secrets] keys, and `silta webhooks register` makes one",
        );
    }
    section.finish();
    ogoship
}

/// An https URL of a public host, unless private ones are allowed.
fn read_url(section: &mut Section<'_>, key: &str, shape: &str, allow_private: bool) -> String {
    let text = section.required(key, shape);
    if text.is_empty() {
        return text;
    }
    let Ok(url) = Url::parse(&text) else {
        section.fault(key, &format!("is no URL: give {shape}"));
        return text;
    };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if !(url.scheme() == "https" || allow_private && url.scheme() == "http") || host.is_empty() {
        section.fault(key, "must be an https URL");
    } else if is_private(host) && !allow_private {
        section.fault(
            key,
            "is a loopback or private address; outbound.dangerously_allow_private allows it for tests",
        );
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        section.fault(key, "must have no path behind its host");
    }
    text.trim_end_matches('/').to_owned()
}

fn is_private(host: &str) -> bool {
    if host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    host.parse::<IpAddr>().is_ok_and(resolve::is_private)
}

fn read_orders(
    mut section: Section<'_>,
    shipping: Vec<ShippingRule>,
    products: &ProductPolicy,
    look_again: Duration,
) -> (OrderPolicy, Vec<String>) {
    let prices = [
        ("unsent", UnitPrices::Unsent),
        ("include_vat", UnitPrices::IncludeVat),
        ("exclude_vat", UnitPrices::ExcludeVat),
    ];
    let policy = OrderPolicy {
        transfer: section
            .word("transfer", &[("automatic", Transfer::Automatic), ("manual", Transfer::Manual)]),
        when: section.word("when", &[("paid", When::Paid), ("created", When::Created)]),
        hold: section.duration("hold"),
        not_before: section.day("not_before"),
        reference_prefix: section.text("reference_prefix"),
        shipping,
        products: products.clone(),
        comments: section.truth("comments"),
        receipt: section.truth("receipt"),
        unit_prices: section.word("unit_prices", &prices),
        longest_field: section.whole("longest_field", 0..=1000),
        edit: section.truth("edit"),
        cancel: section.truth("cancel"),
        send_emails: section.truth("send_emails"),
        shipment_tracking: section.truth("shipment_tracking"),
        test: section.truth("test"),
        mask: Mask::default(),
        look_again,
    };
    // Unknown limits of the warehouse, kept on the safe side (contract/unknowns.md U19).
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if policy.reference_prefix.len() > 30 || !policy.reference_prefix.bytes().all(plain) {
        section.fault("reference_prefix", "must be at most 30 letters, digits or -_.");
    }
    let cash_on_delivery = section.texts("cash_on_delivery");
    section.finish();
    (policy, cash_on_delivery)
}

fn read_products(mut section: Section<'_>) -> ProductPolicy {
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let prices = section.truth("prices");
    let policy = ProductPolicy {
        suppliers: section.texts("suppliers"),
        exclude_codes: section.texts("exclude_codes"),
        language: section.text("language"),
        country_of_origin: given(section.text("country_of_origin")),
        currency: given(section.text("currency")).filter(|_| prices),
        descriptions: section.truth("descriptions"),
        info_url: given(section.text("info_url")),
        picture_url: given(section.text("picture_url")),
    };
    let is_short =
        |text: &str, length| text.len() == length && text.bytes().all(|it| it.is_ascii_alphabetic());
    if !is_short(&policy.language, 2) {
        section.fault("language", "must be two letters, as \"fi\"");
    }
    if policy.country_of_origin.as_ref().is_some_and(|it| !is_short(it, 2)) {
        section.fault("country_of_origin", "must be two letters, as \"FI\", or empty");
    }
    if prices && policy.currency.as_ref().is_none_or(|it| !is_short(it, 3)) {
        section.fault("currency", "must be three letters, as \"EUR\"");
    }
    for (key, template, hole) in
        [("info_url", &policy.info_url, "{id}"), ("picture_url", &policy.picture_url, "{file}")]
    {
        if template.as_ref().is_some_and(|url| !url.starts_with("https://") || !url.contains(hole)) {
            section.fault(key, &format!("must be an https URL with {hole} in it, or empty"));
        }
    }
    section.finish();
    policy
}

fn read_stock(mut section: Section<'_>) -> StockPolicy {
    let words =
        [("available", Basis::Available), ("physical", Basis::Physical), ("compensated", Basis::Compensated)];
    let mut policy = StockPolicy {
        basis: section.word("basis", &words),
        buffer: i64::try_from(section.whole("buffer", 0..=1_000_000)).unwrap_or(0),
        buffers: HashMap::new(),
        brake: u32::try_from(section.whole("brake", 0..=100)).unwrap_or(100),
    };
    let mut buffers = section.section("buffers");
    for (code, value) in buffers.entries() {
        match value.as_integer().filter(|pieces| (0..=1_000_000).contains(pieces)) {
            Some(pieces) => drop(policy.buffers.insert(code, pieces)),
            None => buffers.fault(&code, "must be a whole number of pieces, from 0 to 1000000"),
        }
    }
    section.finish();
    policy
}

fn read_shipping(mut section: Section<'_>) -> Vec<ShippingRule> {
    let mut rules = Vec::new();
    for (pattern, value) in section.entries() {
        let (code, pickup) = match &value {
            Value::String(code) => (Some(code.clone()), false),
            Value::Table(rule) if rule.keys().all(|key| key == "code" || key == "pickup") => {
                let pickup = rule.get("pickup").is_some_and(|pickup| pickup.as_bool() == Some(true));
                (rule.get("code").and_then(Value::as_str).map(ToOwned::to_owned), pickup)
            }
            _ => (None, false),
        };
        match code.filter(|code| !code.is_empty()) {
            Some(code) => rules.push(ShippingRule { pattern, code, pickup }),
            None => section.fault(&pattern, "must be a code, or { code = \"…\", pickup = true }"),
        }
    }
    rules
}

fn read_sweeps(mut section: Section<'_>) -> (Intervals, Comparisons) {
    let intervals = Intervals {
        orders: section.duration("orders"),
        statuses: section.duration("statuses"),
        stock: section.duration("stock"),
        products: section.duration("products"),
    };
    let every = section.duration("compare");
    let approve = section.texts("approve");
    for class in &approve {
        if !MENDED_BY_ITSELF.contains(&class.as_str()) {
            section.fault("approve", &format!("{class:?} is none of {}", MENDED_BY_ITSELF.join(", ")));
        }
    }
    section.finish();
    (intervals, Comparisons { every, approve })
}
