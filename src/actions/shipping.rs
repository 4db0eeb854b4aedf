//! Shipping rules of operators: the warehouse's code for a shipping method that no rule of the configuration matches.

use serde_json::json;
use sqlx::PgConnection;

use super::{ActionError, Actor, ConflictError};
use crate::{
    domain::shipping::ShippingRule,
    store::{connections, shipping_rules},
};

/// Characters of a pattern and of a code.
const MAX_LENGTH: usize = 200;

/// Creates or replaces a rule.
pub async fn put_shipping_rule(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    rule: &ShippingRule,
) -> Result<(), ActionError> {
    connections::find(db, connection).await?.ok_or(ActionError::NotFound)?;
    let is_valid_length = |text: &str| !text.trim().is_empty() && text.chars().count() <= MAX_LENGTH;
    if !is_valid_length(&rule.pattern) || !is_valid_length(&rule.code) {
        return Err(ConflictError::RuleLength.into());
    }
    if rule.has_control_characters() {
        return Err(ConflictError::RuleControlCharacters.into());
    }
    if rule.pattern.trim().chars().all(|letter| letter == '*') {
        return Err(ConflictError::RuleMatchesAll.into());
    }
    shipping_rules::upsert(db, connection, rule, actor.name, actor.now()).await?;
    let detail = json!({ "code": rule.code, "pickup": rule.pickup });
    actor.audit(db, "shipping_rule.put", Some(connection), Some(rule.pattern.clone()), detail).await?;
    Ok(())
}

/// Removes a rule.
pub async fn remove_shipping_rule(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    pattern: &str,
) -> Result<(), ActionError> {
    if !shipping_rules::remove(db, connection, pattern).await? {
        return Err(ActionError::NotFound);
    }
    let subject = Some(pattern.to_owned());
    actor.audit(db, "shipping_rule.remove", Some(connection), subject, json!({})).await?;
    Ok(())
}
