//! Connections: their switch, hold, brake, backlog, order_rate, polls, last syncs and the codes that cannot be sent.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{
    ApiState,
    auth::Auth,
    change::Change,
    page::{Listing, PageQuery},
};
use crate::{
    actions::{self, ActionError, Actor},
    domain::{Timestamp, product::CodeProblem, shipping::ShippingRule, sync::SyncKind},
    store::{
        self, Page, StoreError, connections, key_usage, order_rate, polls, rejected_webhooks, shipping_rules,
        subscriptions, syncs,
        views::{code_problems, overview},
    },
    web::problem::{Code, Problem},
};

pub(super) async fn list(State(admin): State<ApiState>, _: Auth) -> Result<Json<Value>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    let items = items(&mut db, admin.clock.now()).await?;
    let items: Vec<_> = items.into_iter().map(|(_, item)| item).collect();
    Ok(Json(json!({ "items": items, "next": null })))
}

pub(super) async fn show(
    State(admin): State<ApiState>,
    _: Auth,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    let mut item = item(&mut db, &name, admin.clock.now()).await?.ok_or(Code::NotFound)?;
    item["keys"] = json!(key_usage::list_keys(&mut db, &name).await?);
    item["rejected_webhooks"] = json!(rejected_webhooks::list_rejected(&mut db, &name).await?);
    item["subscriptions"] = json!(subscriptions::list(&mut db, &name).await?);
    Ok(Json(item))
}

pub(super) async fn pause(
    State(admin): State<ApiState>,
    Path(name): Path<String>,
    change: Change,
) -> Result<Response, Problem> {
    set_and_show(&admin, &name, change, actions::pause).await
}

pub(super) async fn resume(
    State(admin): State<ApiState>,
    Path(name): Path<String>,
    change: Change,
) -> Result<Response, Problem> {
    set_and_show(&admin, &name, change, actions::resume).await
}

pub(super) async fn release_brake(
    State(admin): State<ApiState>,
    Path(name): Path<String>,
    change: Change,
) -> Result<Response, Problem> {
    set_and_show(&admin, &name, change, actions::release_brake).await
}

/// Product codes that cannot be sent as they are, with every product and variation that has them.
pub(super) async fn list_code_problems(
    State(admin): State<ApiState>,
    _: Auth,
    Path(name): Path<String>,
    PageQuery(page): PageQuery<String>,
) -> Result<Json<Listing<CodeProblem, String>>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    connections::find(&mut db, &name).await?.ok_or(Code::NotFound)?;
    let (after, limit) = page.cursor_and_limit();
    let rows = code_problems::list_code_problems(&mut db, &name, &after.unwrap_or_default(), limit).await?;
    Ok(Json(page.listing(rows, |row| row.item.clone())))
}

/// Shipping rules made by hand.
pub(super) async fn list_shipping_rules(
    State(admin): State<ApiState>,
    _: Auth,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
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

/// Makes a shipping rule, or makes it anew.
pub(super) async fn put_shipping_rule(
    State(admin): State<ApiState>,
    Path(name): Path<String>,
    change: Change,
) -> Result<Response, Problem> {
    let RuleRequest { pattern, code, pickup } = change.json()?;
    let rule = ShippingRule { pattern, code, pickup };
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        actions::put_shipping_rule(db, actor, &name, &rule).await?;
        Ok((StatusCode::OK, json!({ "items": shipping_rules::list(db, &name).await?, "next": null })))
    };
    change.execute(&admin, action).await
}

/// Removes a shipping rule made by hand.
pub(super) async fn remove_shipping_rule(
    State(admin): State<ApiState>,
    Path((name, pattern)): Path<(String, String)>,
    change: Change,
) -> Result<Response, Problem> {
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        actions::remove_shipping_rule(db, actor, &name, &pattern).await?;
        Ok((StatusCode::OK, json!({ "items": shipping_rules::list(db, &name).await?, "next": null })))
    };
    change.execute(&admin, action).await
}

/// Turns a connection's switch and answers the connection as it is then.
async fn set_and_show(
    admin: &ApiState,
    name: &str,
    change: Change,
    change_connection: impl AsyncFnOnce(&mut PgConnection, &Actor<'_>, &str) -> Result<(), ActionError>,
) -> Result<Response, Problem> {
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let now = actor.clock.now();
        item(db, name, now).await?.ok_or(ActionError::NotFound)?;
        change_connection(db, actor, name).await?;
        Ok((StatusCode::OK, item(db, name, now).await?.unwrap_or_default()))
    };
    change.execute(admin, action).await
}

/// One connection with its backlog and its polls.
async fn item(db: &mut PgConnection, name: &str, now: Timestamp) -> store::Result<Option<Value>> {
    let found = items(db, now).await?.into_iter().find(|(known, _)| known == name);
    Ok(found.map(|(_, item)| item))
}

/// Every connection, by name, with its backlog and its polls.
async fn items(db: &mut PgConnection, now: Timestamp) -> store::Result<Vec<(String, Value)>> {
    let backlog = overview::backlog(db, now).await?;
    let mut items = Vec::new();
    for row in connections::list(db).await? {
        let mut item = json!(row);
        item["health"] = row.health().into();
        item["backlog"] = json!(backlog.iter().find(|backlog| backlog.connection == row.name));
        item["order_rate"] = json!(order_rate::read(db, &row.name, row.created_at, now).await?);
        let mut last_syncs = serde_json::Map::new();
        for what in SyncKind::ALL.iter().copied() {
            let newest = Page { before: None, limit: 1 };
            let syncs = syncs::list(db, Some(&row.name), Some(what.as_str()), &newest).await?;
            last_syncs.insert(what.to_string(), json!(syncs.first()));
        }
        item["last_syncs"] = last_syncs.into();
        item["polls"] = json!(polls::list(db, &row.name).await?);
        items.push((row.name, item));
    }
    Ok(items)
}
