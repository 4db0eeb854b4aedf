//! What pages show of an order beside its status. Nothing of it decides anything, and nothing of it is personal.

use rust_decimal::Decimal;

use super::{
    LineFacts, OrderPolicy, OrderView, ShopOrder, WarehouseOrder, line_facts::line_facts, parcels::is_return,
};
use crate::domain::{Timestamp, shipping::ShippingMethod};

/// What a read showed of an order. `None` is not known: it was not read, or cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFacts {
    /// When the shopper ordered.
    pub ordered_at: Option<Timestamp>,
    /// What it costs altogether.
    pub total: Option<Decimal>,
    /// The currency of the total, ISO 4217.
    pub currency: Option<String>,
    /// How it is to be shipped.
    pub shipping: Option<ShippingFacts>,
    /// Where it is to be collected; empty for an order that surely is not.
    pub pickup_point: Option<String>,
    /// Its lines, in the shop's order.
    pub lines: Option<Vec<LineFacts>>,
}

/// How an order is to be shipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippingFacts {
    /// The shop's name of the method, or what else is known of it; empty for an order without one.
    pub method: String,
    /// The method's own product code.
    pub code: Option<String>,
    /// What it is at the warehouse.
    pub mapping: ShippingMapping,
}

/// What a shipping method of the shop is at the warehouse, by the connection's rules when the order was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShippingMapping {
    /// This shipping code.
    Mapped(String),
    /// A rule leaves its orders to the shop.
    LeftToShop,
    /// No rule matches it.
    Unmapped,
    /// The merchant has one method there, and no code is sent.
    NotNeeded,
}

impl ShippingMapping {
    /// The spelling in rows and filters.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Mapped(_) => "mapped",
            Self::LeftToShop => "left_to_shop",
            Self::Unmapped => "unmapped",
            Self::NotNeeded => "not_needed",
        }
    }

    /// The warehouse's shipping code, where there is one.
    pub fn warehouse_code(&self) -> Option<&str> {
        match self {
            Self::Mapped(code) => Some(code),
            Self::LeftToShop | Self::Unmapped | Self::NotNeeded => None,
        }
    }

    fn of(method: Option<&ShippingMethod>, policy: &OrderPolicy) -> Self {
        if policy.shipping.is_empty() {
            return Self::NotNeeded;
        }
        match method.and_then(|method| policy.rule_for(method)) {
            Some(rule) if rule.leaves_to_shop() => Self::LeftToShop,
            Some(rule) => Self::Mapped(rule.code.clone()),
            None => Self::Unmapped,
        }
    }
}

impl OrderFacts {
    /// What both sides show; `ours` is the warehouse's order where it is known to be ours.
    pub fn of(view: &OrderView<'_>, ours: Option<&WarehouseOrder>) -> Self {
        let Some(shop) = view.shop else { return Self::default() };
        let currency = shop.payments.iter().find_map(|payment| payment.currency.clone());
        Self {
            ordered_at: shop.created_at,
            total: shop.total,
            currency,
            shipping: shipping(shop, view.policy),
            pickup_point: pickup_point(shop, view.policy),
            lines: line_facts(shop, ours, view),
        }
    }

    /// These facts, with those of an earlier read where this one did not know them.
    #[must_use]
    pub fn or_earlier(self, earlier: Self) -> Self {
        Self {
            ordered_at: self.ordered_at.or(earlier.ordered_at),
            total: self.total.or(earlier.total),
            currency: self.currency.or(earlier.currency),
            shipping: self.shipping.or(earlier.shipping),
            pickup_point: self.pickup_point.or(earlier.pickup_point),
            lines: self.lines.or(earlier.lines),
        }
    }

    /// How many lines are ordered.
    pub fn line_count(&self) -> Option<usize> {
        self.lines.as_ref().map(|lines| lines.iter().filter(|line| line.is_ordered()).count())
    }

    /// How much is ordered altogether: pieces, or a measure such as metres.
    pub fn pieces(&self) -> Option<Decimal> {
        let lines = self.lines.as_ref()?.iter().filter(|line| line.is_ordered());
        lines.map(|line| line.quantity).try_fold(Decimal::ZERO, Decimal::checked_add)
    }
}

fn shipping(shop: &ShopOrder, policy: &OrderPolicy) -> Option<ShippingFacts> {
    // Its own field, or that of a shipment, which stands in for it.
    if ["shipping_method_id", "shipments"].iter().any(|field| shop.unreadable.names_content(field)) {
        return None;
    }
    let method = shop.shipping.as_ref();
    let names =
        method.and_then(|it| it.name.clone().or_else(|| it.product_code.clone()).or_else(|| it.id.clone()));
    let code = method.and_then(|it| it.product_code.clone());
    Some(ShippingFacts {
        method: names.unwrap_or_default().trim().to_owned(),
        code,
        mapping: ShippingMapping::of(method, policy),
    })
}

/// The pickup point that is sent: of the first shipment that has one and is no return.
fn pickup_point(shop: &ShopOrder, policy: &OrderPolicy) -> Option<String> {
    if shop.unreadable.names_content("shipments") {
        return None;
    }
    let mut outgoing = shop.shipments.iter().filter(|it| !is_return(shop, it, policy));
    Some(outgoing.find_map(|it| it.pickup_point.clone()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order::tests::{line, order, shipment};

    fn rules(code: &str) -> OrderPolicy {
        let rule = |pattern: &str, code: &str| crate::domain::shipping::ShippingRule {
            pattern: pattern.into(),
            code: code.into(),
            pickup: false,
        };
        OrderPolicy { shipping: vec![rule("POSTI*", code)], ..crate::domain::order::tests::policy() }
    }

    #[test]
    fn mapping_says_what_a_method_is_at_the_warehouse() {
        let method =
            |code: &str| ShippingMethod { product_code: Some(code.into()), ..ShippingMethod::default() };
        let of = |code: &str, policy: &OrderPolicy| ShippingMapping::of(Some(&method(code)), policy);
        assert_eq!(of("POSTI-14", &rules("P14")), ShippingMapping::Mapped("P14".into()));
        assert_eq!(of("POSTI-14", &rules("leave")), ShippingMapping::LeftToShop);
        assert_eq!(of("DHL", &rules("P14")), ShippingMapping::Unmapped);
        assert_eq!(ShippingMapping::of(None, &rules("P14")), ShippingMapping::Unmapped);
        let without = OrderPolicy { shipping: Vec::new(), ..rules("P14") };
        assert_eq!(of("DHL", &without), ShippingMapping::NotNeeded);
    }

    #[test]
    fn unreadable_value_is_not_known_and_a_missing_one_is_none() {
        let policy = rules("P14");
        let mut shop = order();
        shop.shipments = vec![shipment("1", false)];
        shop.shipping = None;
        assert_eq!(pickup_point(&shop, &policy), Some(String::new()));
        assert_eq!(shipping(&shop, &policy).map(|it| it.method), Some(String::new()));
        shop.unreadable.content = vec!["shipments[0].external_pickup_point_id".into()];
        assert_eq!((pickup_point(&shop, &policy), shipping(&shop, &policy)), (None, None));
    }

    #[test]
    fn later_facts_win_and_unknown_ones_stay() {
        let earlier =
            OrderFacts { total: Some(Decimal::TEN), currency: Some("EUR".into()), ..OrderFacts::default() };
        let later = OrderFacts {
            total: Some(Decimal::ONE),
            pickup_point: Some(String::new()),
            ..OrderFacts::default()
        };
        let both = later.or_earlier(earlier);
        assert_eq!((both.total, both.currency.as_deref()), (Some(Decimal::ONE), Some("EUR")));
        assert_eq!(both.pickup_point.as_deref(), Some(""));
    }

    #[test]
    fn only_what_is_ordered_is_counted() {
        let lines = [line("A", 3), line("A", -1), line("B", 2)].iter().map(LineFacts::ordered).collect();
        let facts = OrderFacts { lines: Some(lines), ..OrderFacts::default() };
        assert_eq!((facts.line_count(), facts.pieces()), (Some(2), Some(Decimal::from(5))));
        assert_eq!(OrderFacts::default().pieces(), None);
    }
}
