//! Shipping rules added by operators.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{auth::Auth, change::Change, deps::ApiState};
use crate::{
    actions::{self, Actor},
    domain::shipping::ShippingRule,
    store::{connections, shipping_rules},
    web::problem::{Code, Problem},
};

/// The shipping rules of a connection.
pub(super) async fn list(
    State(deps): State<ApiState>,
    _: Auth,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let mut db = deps.db().await?;
    connections::find(&mut db, &name).await?.ok_or(Code::NotFound)?;
    Ok(Json(json!({ "items": shipping_rules::list(&mut db, &name).await?, "next": null })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleRequest {
    pattern: String,
    code: String,
    #[serde(default)]
    pickup: bool,
}

/// Adds or replaces a shipping rule.
pub(super) async fn put(
    State(deps): State<ApiState>,
    Path(name): Path<String>,
    change: Change,
) -> Result<Response, Problem> {
    let RuleRequest { pattern, code, pickup } = change.json()?;
    let rule = ShippingRule { pattern, code, pickup };
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        actions::put_shipping_rule(db, actor, &name, &rule).await?;
        Ok((StatusCode::OK, json!({ "items": shipping_rules::list(db, &name).await?, "next": null })))
    };
    change.execute(&deps, action).await
}

/// Removes a shipping rule.
pub(super) async fn remove(
    State(deps): State<ApiState>,
    Path((name, pattern)): Path<(String, String)>,
    change: Change,
) -> Result<Response, Problem> {
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        actions::remove_shipping_rule(db, actor, &name, &pattern).await?;
        Ok((StatusCode::OK, json!({ "items": shipping_rules::list(db, &name).await?, "next": null })))
    };
    change.execute(&deps, action).await
}
