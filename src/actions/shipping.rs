//! Shipping rules made by hand: a person names the warehouse's code for a method that no rule of the configuration
//! matches, and whatever waits for it can be let go.

use serde_json::json;
use sqlx::PgConnection;

use super::{Actor, Declined, WrongState};
use crate::{
    domain::shipping::ShippingRule,
    store::{connections, shipping_rules},
};

/// Longest pattern and code.
const LONGEST: usize = 200;

/// Makes a rule, or makes it anew.
pub async fn put_shipping_rule(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    rule: &ShippingRule,
) -> Result<(), Declined> {
    connections::find(db, connection).await?.ok_or(Declined::NotFound)?;
    let fits = |text: &str| !text.trim().is_empty() && text.chars().count() <= LONGEST;
    if !fits(&rule.pattern) || !fits(&rule.code) {
        return Err(Declined::WrongState(WrongState::RuleLength));
    }
    if rule.pattern.trim().chars().all(|letter| letter == '*') {
        return Err(Declined::WrongState(WrongState::RuleForAll));
    }
    shipping_rules::put(db, connection, rule, actor.name, actor.now()).await?;
    let detail = json!({ "code": rule.code, "pickup": rule.pickup });
    actor.audit(db, "shipping_rule.put", Some(connection), Some(rule.pattern.clone()), detail).await?;
    Ok(())
}

/// Removes a rule made by hand.
pub async fn remove_shipping_rule(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    pattern: &str,
) -> Result<(), Declined> {
    if !shipping_rules::remove(db, connection, pattern).await? {
        return Err(Declined::NotFound);
    }
    let subject = Some(pattern.to_owned());
    actor.audit(db, "shipping_rule.remove", Some(connection), subject, json!({})).await?;
    Ok(())
}
