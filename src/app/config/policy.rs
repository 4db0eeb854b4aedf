//! The sections `[connections.orders]`, `[connections.shipping]`, `[connections.products]`, `[connections.stock]` and
//! `[connections.polls]`.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use toml::Value;

use super::{extra::read_extra, section::Section};
use crate::{
    domain::{
        event::reference::ReferencePrefixes,
        order::{CachedDigest, OrderPolicy, TransferTime, UnitPrices},
        product::{CodeKey, ExtraData, ProductPolicy},
        redact::Redactor,
        shipping::ShippingRule,
        stock::{Basis, StockPolicy},
        switch::Switch,
        sync_schedule::SyncSchedule,
    },
    inbox::poll::poller::Intervals,
    sync::FIXABLE_DIFFERENCES,
};

/// Two keys of a table of codes are one code.
const TWICE: &str = "is there twice: codes that differ only in case or spaces are the same";

/// A switch. What is none of its words is an error: the configuration is not used then.
fn read_switch(section: &mut Section<'_>, key: &str) -> Switch {
    let choices: Vec<_> = Switch::ALL.iter().map(|switch| (switch.as_str(), *switch)).collect();
    section.choice(key, &choices)
}

pub(super) fn read_orders(
    mut section: Section<'_>,
    shipping: Vec<ShippingRule>,
    products: &ProductPolicy,
    recheck_delay: Duration,
) -> OrderPolicy {
    let prices = [
        ("unsent", UnitPrices::Unsent),
        ("include_vat", UnitPrices::IncludeVat),
        ("exclude_vat", UnitPrices::ExcludeVat),
    ];
    let policy = OrderPolicy {
        transfer: read_switch(&mut section, "transfer"),
        when: section.choice(
            "when",
            &[
                ("authorized", TransferTime::Authorized),
                ("paid", TransferTime::Paid),
                ("created", TransferTime::Created),
            ],
        ),
        hold: section.duration("hold"),
        not_before: section.day("not_before"),
        references: ReferencePrefixes::new(section.text("reference_prefix")),
        shipping,
        cash_on_delivery: section.texts("cash_on_delivery"),
        products: products.clone(),
        comments: section.boolean("comments"),
        customizations: section.boolean("customizations"),
        receipt: section.boolean("receipt"),
        unit_prices: section.choice("unit_prices", &prices),
        longest_field: section.integer("longest_field", 0..=1000),
        edit: section.boolean("edit"),
        cancel: section.boolean("cancel"),
        send_emails: section.boolean("send_emails"),
        shipment_tracking: section.boolean("shipment_tracking"),
        return_types: section.texts("return_types"),
        test: section.boolean("test"),
        redactor: Redactor::default(),
        recheck_delay,
        digest: CachedDigest::default(),
    };
    // Unknown limits of the warehouse, kept on the safe side (docs/contract.md U19).
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let prefix = policy.references.current();
    if prefix.len() > 30 || !prefix.bytes().all(plain) {
        section.add_error("reference_prefix", "must be at most 30 letters, digits or -_.");
    }
    section.finish();
    policy
}

pub(super) fn read_products(mut section: Section<'_>) -> ProductPolicy {
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let prices = section.boolean("prices");
    let policy = ProductPolicy {
        upload: read_switch(&mut section, "upload"),
        suppliers: section.texts("suppliers"),
        exclude_codes: section.texts("exclude_codes").iter().map(|code| CodeKey::of(code)).collect(),
        not_packed: section.texts("not_packed"),
        kits: read_kits(section.section("kits")),
        extra: read_extra(&mut section),
        rename: section.boolean("rename"),
        language: section.text("language"),
        country_of_origin: given(section.text("country_of_origin")),
        currency: given(section.text("currency")).filter(|_| prices),
        descriptions: section.boolean("descriptions"),
        info_url: given(section.text("info_url")),
        picture_url: given(section.text("picture_url")),
    };
    let parts = policy.extra.rows().flat_map(|row| &row.kit).chain(policy.kits.values().flatten());
    for (code, _) in parts.filter(|(code, _)| policy.extra.rows().count() > 0 && policy.kit(code).is_some()) {
        section.add_error("extra_file", &format!("{code:?} is a part of a kit, so it cannot be one itself"));
    }
    let is_short =
        |text: &str, length| text.len() == length && text.bytes().all(|it| it.is_ascii_alphabetic());
    if !is_short(&policy.language, 2) {
        section.add_error("language", "must be two letters, as \"fi\"");
    }
    if policy.country_of_origin.as_ref().is_some_and(|it| !is_short(it, 2)) {
        section.add_error("country_of_origin", "must be two letters, as \"FI\", or empty");
    }
    if prices && policy.currency.as_ref().is_none_or(|it| !is_short(it, 3)) {
        section.add_error("currency", "must be three letters, as \"EUR\"");
    }
    for (key, template, hole) in
        [("info_url", &policy.info_url, "{id}"), ("picture_url", &policy.picture_url, "{file}")]
    {
        if template.as_ref().is_some_and(|url| !url.starts_with("https://") || !url.contains(hole)) {
            section.add_error(key, &format!("must be an https URL with {hole} in it, or empty"));
        }
    }
    section.finish();
    policy
}

/// Kits: each code with a table of its components' codes and pieces.
fn read_kits(mut section: Section<'_>) -> BTreeMap<CodeKey, Vec<(String, i64)>> {
    let mut kits = BTreeMap::new();
    for (code, value) in section.entries() {
        let Some(components) = read_components(&value) else {
            section.add_error(&code, "must be pieces by code, as { \"CUP\" = 2, \"PLATE\" = 2 }");
            continue;
        };
        if kits.insert(CodeKey::of(&code), components).is_some() {
            section.add_error(&code, TWICE);
        }
    }
    let is_kit = |code: &str| kits.contains_key(&CodeKey::of(code));
    let nested: Vec<_> =
        kits.values().flatten().map(|(code, _)| code).filter(|code| is_kit(code)).cloned().collect();
    for code in nested {
        section.add_error(&code, "is a part of a kit, so it cannot be one itself");
    }
    kits
}

fn read_components(value: &Value) -> Option<Vec<(String, i64)>> {
    let components = value.as_table()?.iter().map(|(code, pieces)| {
        let pieces = pieces.as_integer().filter(|pieces| (1..=1000).contains(pieces))?;
        Some((code.clone(), pieces))
    });
    components.collect::<Option<Vec<_>>>().filter(|components| !components.is_empty())
}

pub(super) fn read_stock(mut section: Section<'_>, extra: &ExtraData) -> StockPolicy {
    let choices =
        [("available", Basis::Available), ("physical", Basis::Physical), ("compensated", Basis::Compensated)];
    let mut policy = StockPolicy {
        update: read_switch(&mut section, "update"),
        basis: section.choice("basis", &choices),
        buffer: i64::try_from(section.integer("buffer", 0..=1_000_000)).unwrap_or(0),
        buffers: HashMap::new(),
        tracking: section.boolean("tracking"),
        brake: u32::try_from(section.integer("brake", 0..=100)).unwrap_or(100),
    };
    let mut buffers = section.section("buffers");
    for (code, value) in buffers.entries() {
        match value.as_integer().filter(|pieces| (0..=1_000_000).contains(pieces)) {
            Some(pieces) => {
                if policy.buffers.insert(CodeKey::of(&code), pieces).is_some() {
                    buffers.add_error(&code, TWICE);
                }
            }
            None => buffers.add_error(&code, "must be a whole number of pieces, from 0 to 1000000"),
        }
    }
    for row in extra.rows() {
        let buffer = row.buffer.or_else(|| policy.buffers.get(&CodeKey::of(&row.code)).copied());
        let codes = std::iter::once(&row.code).chain(&row.aliases);
        policy.buffers.extend(codes.filter_map(|code| Some((CodeKey::of(code), buffer?))));
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
        let rule = |code| ShippingRule { pattern: pattern.clone(), code, pickup };
        match code.filter(|code| !code.is_empty()).map(rule) {
            Some(rule) if rule.has_control_characters() => {
                section.add_error(&pattern, "a method and a code have no control characters");
            }
            Some(rule) => rules.push(rule),
            None => section.add_error(&pattern, "must be a code, or { code = \"…\", pickup = true }"),
        }
    }
    rules
}

pub(super) fn read_polls(mut section: Section<'_>) -> (Intervals, SyncSchedule) {
    let intervals = Intervals {
        orders: section.duration("orders"),
        statuses: section.duration("statuses"),
        stock: section.duration("stock"),
        products: section.duration("products"),
    };
    let every = section.duration("sync");
    let approve = section.texts("approve");
    for class in &approve {
        if !FIXABLE_DIFFERENCES.contains(&class.as_str()) {
            section.add_error("approve", &format!("{class:?} is none of {}", FIXABLE_DIFFERENCES.join(", ")));
        }
    }
    section.finish();
    (intervals, SyncSchedule { every, approve })
}
