//! Whether every shipping method of the shop has a rule, and every rule a method.

use sqlx::PgPool;

use super::vendors::VendorChecks;
use crate::{
    domain::{
        check::{Check, CheckName, Found},
        shipping::{ShippingMethod, ShippingRule, match_rule},
    },
    store::{self, shipping_rules},
};

const NAME: CheckName = CheckName::Shipping;

/// Compares the shop's methods with the configured rules and those that operators have set.
pub(super) async fn check_shipping(pool: &PgPool, vendors: &VendorChecks<'_>) -> store::Result<Check> {
    let clients = vendors.clients;
    let mut db = pool.acquire().await?;
    let stored_rules = shipping_rules::load(&mut db, &clients.name).await?;
    drop(db);
    let methods = match clients.shop.shipping_methods().await {
        Ok(methods) => methods,
        Err(error) => return Ok(vendors.failed(NAME, &error).await),
    };
    if clients.order_policy.shipping.is_empty() {
        let methods = methods.iter().map(ToString::to_string).collect();
        return Ok(Check::good(NAME, Found::NoShippingRule { methods }).warning());
    }
    let rules = [&clients.order_policy.shipping[..], &stored_rules].concat();
    let is_unmatched = |method: &&ShippingMethod| match_rule(&rules, method).is_none();
    let unmatched: Vec<_> = methods.iter().filter(is_unmatched).map(ToString::to_string).collect();
    let unused = rules.iter().filter(|rule| fits_none(rule, &methods));
    let unused = unused.map(|rule| rule.pattern.as_str().to_owned()).collect();
    let all_match = unmatched.is_empty();
    Ok(Check::good(NAME, Found::ShippingRules { unmatched, unused }).required(all_match))
}

fn fits_none(rule: &ShippingRule, methods: &[ShippingMethod]) -> bool {
    methods.iter().all(|method| match_rule(std::slice::from_ref(rule), method).is_none())
}
