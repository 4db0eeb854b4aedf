//! `[connections.orders]`, `[connections.shipping]`, `[connections.products]`, `[connections.stock]`,
//! `[connections.sweeps]`: what is done with a store, and how often.

use std::{collections::HashMap, time::Duration};

use toml::Value;

use super::section::Section;
use crate::{
    domain::{
        difference::Mask,
        order::{OrderPolicy, Transfer, UnitPrices, When},
        product::ProductPolicy,
        shipping::ShippingRule,
        stock::{Basis, StockPolicy},
    },
    inbox::poll::poller::Intervals,
    sync::{Comparisons, MENDED_BY_ITSELF},
};

pub(super) fn read_orders(
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
    // Unknown limits of the warehouse, kept on the safe side (docs/contract.md U19).
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if policy.reference_prefix.len() > 30 || !policy.reference_prefix.bytes().all(plain) {
        section.fault("reference_prefix", "must be at most 30 letters, digits or -_.");
    }
    let cash_on_delivery = section.texts("cash_on_delivery");
    section.finish();
    (policy, cash_on_delivery)
}

pub(super) fn read_products(mut section: Section<'_>) -> ProductPolicy {
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

pub(super) fn read_stock(mut section: Section<'_>) -> StockPolicy {
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

pub(super) fn read_shipping(mut section: Section<'_>) -> Vec<ShippingRule> {
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

pub(super) fn read_sweeps(mut section: Section<'_>) -> (Intervals, Comparisons) {
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
