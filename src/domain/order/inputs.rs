//! What the shop's data were when an order was sent, so that a later read tells an edit from everything else.
//!
//! What is sent is made from the shop's data **and** the connection's rules. Only the shop's data are kept and
//! compared, both under today's rules. So a renamed shipping code, a rule that was added, or a new field of a later
//! version of Silta is no edit of the orders that are on their way.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::{
    OrderPolicy, ShopLine, ShopOrder, UnitPrices,
    draft::{cash_on_delivery, customizations},
    payment,
    quantity::{quantity_json, quantity_of},
};
use crate::domain::{
    difference::difference,
    digest::sha256_hex,
    product::{CodeKey, Stored, Supplier},
};

/// The shop's data of an order, personal values redacted.
pub fn order_inputs(shop: &ShopOrder, policy: &OrderPolicy) -> Value {
    let lines: Vec<_> = shop
        .lines
        .iter()
        .filter(|line| !line.is_download && !line.quantity.is_zero())
        .map(line_inputs)
        .collect();
    let point = shop.shipments.iter().find_map(|shipment| shipment.pickup_point.as_deref());
    let collected = cash_on_delivery(shop).ok().flatten();
    let inputs = json!({
        "recipient": shop.recipient,
        "shipping_method": shop.shipping.as_ref().map(|method| {
            method.id.as_ref().or(method.product_code.as_ref()).or(method.name.as_ref())
        }),
        "pickup_point": point,
        "lines": lines,
        "cash_on_delivery": collected,
        "comments": shop.comments,
        "customizations": customizations_by_code(shop),
        "receipt_url": shop.receipt_url,
    });
    let mut inputs = policy.redactor.fingerprint(&inputs);
    // What is needed to compare, and is not the shop's.
    inputs["redactor"] = policy.redactor.id().into();
    inputs["cash_on_delivery_rule"] = cash_on_delivery_rule(policy).into();
    inputs["paid"] = payment::is_covered(shop).into();
    inputs["shipments"] = shop.shipments.iter().map(|it| it.id.as_str()).collect::<Vec<_>>().into();
    inputs
}

/// The texts of each code; the codes are readable.
fn customizations_by_code(shop: &ShopOrder) -> Value {
    let mut texts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (line, text) in customizations(shop) {
        texts.entry(line.code()).or_default().push(format!("{} × {text}", line.quantity.normalize()));
    }
    json!(texts)
}

fn line_inputs(line: &ShopLine) -> Value {
    json!({
        "code": line.code(),
        "quantity": quantity_json(line.quantity),
        "unit_price": line.unit_price.map(|price| price.normalize()),
        "vat_rate": line.vat_rate.map(|rate| rate.normalize()),
        "supplier": match &line.supplier {
            Supplier::Named { id, name } => json!({ "id": id, "name": name }),
            Supplier::NotRead | Supplier::Unnamed | Supplier::Unknown => Value::Null,
        },
    })
}

/// Which payments count as cash on delivery is a rule too.
fn cash_on_delivery_rule(policy: &OrderPolicy) -> String {
    let mut rule = sha256_hex(policy.cash_on_delivery.join("\n").to_lowercase().as_bytes());
    rule.truncate(8);
    rule
}

/// True where the order was paid when it was sent.
pub(super) fn was_paid(inputs: &Value) -> bool {
    inputs["paid"].as_bool() == Some(true)
}

/// Lists what was edited in the shop since the order was sent with `sent`; empty where nothing that the warehouse
/// gets. Names fields and codes, never a personal value.
pub(super) fn edits(sent: &Value, shop: &ShopOrder, policy: &OrderPolicy) -> Vec<String> {
    let now = order_inputs(shop, policy);
    let is_relevant = Relevance::new(shop, policy);
    let (was, is) = (is_relevant.apply(sent, &now), is_relevant.apply(&now, sent));
    difference(&was, &is)
}

/// Which of the shop's data the warehouse gets under today's rules.
struct Relevance<'a> {
    policy: &'a OrderPolicy,
    /// How the order spells each code now, and whose goods it is.
    codes: HashMap<CodeKey, (&'a str, &'a Supplier)>,
    sends_pickup_point: bool,
}

impl<'a> Relevance<'a> {
    fn new(shop: &'a ShopOrder, policy: &'a OrderPolicy) -> Self {
        let codes = shop.lines.iter().filter(|line| line.code.is_some());
        let key = |line: &ShopLine| policy.products.product_key(line.code());
        let codes = codes.map(|line| (key(line), (line.code(), &line.supplier))).collect();
        let rule = shop.shipping.as_ref().and_then(|method| policy.rule_for(method));
        Self { policy, codes, sends_pickup_point: rule.is_some_and(|it| it.pickup) }
    }

    /// Keeps of `inputs` what is relevant, and what `other` has too: a version of Silta that kept less says nothing
    /// about the rest.
    fn apply(&self, inputs: &Value, other: &Value) -> Value {
        let Self { policy, .. } = self;
        let same = |key: &str| inputs[key] == other[key];
        let is_kept = |key: &str| match key {
            "recipient" => same("redactor"),
            "comments" => policy.comments && same("redactor"),
            "customizations" => policy.customizations && same("redactor") && !other[key].is_null(),
            "receipt_url" => policy.receipt && same("redactor"),
            "shipping_method" => !policy.shipping.is_empty(),
            "pickup_point" => self.sends_pickup_point,
            "cash_on_delivery" => same("cash_on_delivery_rule"),
            "lines" => true,
            _ => false,
        };
        let fields = inputs.as_object().into_iter().flatten();
        let kept = fields.filter(|(key, _)| is_kept(key)).filter_map(|(key, value)| {
            let value = match key.as_str() {
                "lines" => self.lines(value),
                "customizations" => self.customizations(value),
                _ => shared(value, other.get(key)?),
            };
            Some((key.clone(), value))
        });
        Value::Object(kept.collect())
    }

    /// The lines that are stored at the warehouse, one for each code and price, in the order of their codes.
    fn lines(&self, lines: &Value) -> Value {
        let has_prices = self.policy.unit_prices != UnitPrices::Unsent;
        let mut merged: Vec<Map<String, Value>> = Vec::new();
        for line in lines.as_array().into_iter().flatten().filter_map(Value::as_object) {
            if self.is_left_out(line) {
                continue;
            }
            let mut kept = line.clone();
            kept.retain(|key, _| match key.as_str() {
                "code" | "quantity" => true,
                "unit_price" | "vat_rate" => has_prices,
                _ => false,
            });
            // Another code of the same product is no edit.
            if let Some((code, _)) = self.code_now(&kept) {
                kept.insert("code".to_owned(), code.into());
            }
            let is_same = |known: &&mut Map<String, Value>| {
                known.iter().all(|(key, value)| key == "quantity" || kept.get(key) == Some(value))
            };
            match merged.iter_mut().find(is_same) {
                Some(known) => known["quantity"] = sum(&known["quantity"], &kept["quantity"]),
                None => merged.push(kept),
            }
        }
        merged.sort_by_cached_key(|line| Value::Object(line.clone()).to_string());
        merged.into_iter().map(Value::Object).collect()
    }

    /// The customizations of goods that are stored at the warehouse.
    fn customizations(&self, by_code: &Value) -> Value {
        let by_code = by_code.as_object().into_iter().flatten();
        let line = |code: &str| Map::from_iter([("code".to_owned(), code.into())]);
        let kept = by_code.filter(|(code, _)| !self.is_left_out(&line(code)));
        kept.map(|(code, texts)| (code.clone(), texts.clone())).collect()
    }

    /// A line's code as the order spells it now, and whose goods it is; `None` where the order has no such line now.
    fn code_now(&self, line: &Map<String, Value>) -> Option<(&'a str, &'a Supplier)> {
        self.codes.get(&self.policy.products.product_key(line.get("code")?.as_str()?)).copied()
    }

    /// True for a line that surely is not stored at the warehouse. What is unknown counts: it must be seen. The
    /// supplier is the one that the order shows now, and for a line that was removed the one of then.
    fn is_left_out(&self, line: &Map<String, Value>) -> bool {
        let code = line.get("code").and_then(Value::as_str).unwrap_or_default();
        let then = line.get("supplier").and_then(supplier_of).unwrap_or(Supplier::Unknown);
        let supplier = self.code_now(line).map_or(&then, |(_, supplier)| supplier);
        self.policy.products.check_line(code, supplier) == Stored::No
    }
}

fn supplier_of(value: &Value) -> Option<Supplier> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
    Some(Supplier::Named { id: text("id")?, name: text("name") })
}

fn sum(one: &Value, other: &Value) -> Value {
    quantity_json(quantity_of(one).saturating_add(quantity_of(other)))
}

/// Keeps the keys of an object that the other one has too.
fn shared(value: &Value, other: &Value) -> Value {
    match (value, other) {
        (Value::Object(fields), Value::Object(others)) => {
            let kept = fields.iter().filter(|(key, _)| others.contains_key(*key));
            Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
        }
        _ => value.clone(),
    }
}
