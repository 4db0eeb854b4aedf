//! Connections: their switch, hold, brake, backlog, rhythm, sweeps, last comparisons and the codes that cannot be sent.

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
    AdminState,
    auth::Auth,
    change::Change,
    page::{Listing, PageQuery},
};
use crate::{
    actions::{self, Actor, Declined},
    domain::{Timestamp, product::CodeProblem, shipping::ShippingRule, sync::What},
    store::{
        self, Page, StoreError, connections, items, order_rate, polls, shipping_rules, subscriptions, syncs,
        views::overview, webhook_checks,
    },
    web::problem::{Code, Problem},
};

pub(super) async fn list(State(admin): State<AdminState>, _: Auth) -> Result<Json<Value>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    let items = items(&mut db, admin.clock.now()).await?;
    let items: Vec<_> = items.into_iter().map(|(_, item)| item).collect();
    Ok(Json(json!({ "items": items, "next": null })))
}

pub(super) async fn show(
    State(admin): State<AdminState>,
    _: Auth,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    let mut item = item(&mut db, &name, admin.clock.now()).await?.ok_or(Code::NotFound)?;
    item["keys"] = json!(webhook_checks::keys(&mut db, &name).await?);
    item["refusals"] = json!(webhook_checks::refusals(&mut db, &name).await?);
    item["subscriptions"] = json!(subscriptions::list(&mut db, &name).await?);
    Ok(Json(item))
}

pub(super) async fn pause(
    State(admin): State<AdminState>,
    Path(name): Path<String>,
    change: Change,
) -> Result<Response, Problem> {
    switch(&admin, &name, change, actions::pause).await
}

pub(super) async fn resume(
    State(admin): State<AdminState>,
    Path(name): Path<String>,
    change: Change,
) -> Result<Response, Problem> {
    switch(&admin, &name, change, actions::resume).await
}

pub(super) async fn release_brake(
    State(admin): State<AdminState>,
    Path(name): Path<String>,
    change: Change,
) -> Result<Response, Problem> {
    switch(&admin, &name, change, actions::release_brake).await
}

/// Product codes that cannot be sent as they are, with every product and variation that has them.
pub(super) async fn list_code_problems(
    State(admin): State<AdminState>,
    _: Auth,
    Path(name): Path<String>,
    PageQuery(page): PageQuery<String>,
) -> Result<Json<Listing<CodeProblem, String>>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    connections::find(&mut db, &name).await?.ok_or(Code::NotFound)?;
    let (after, limit) = page.behind();
    let rows = items::code_problems(&mut db, &name, &after.unwrap_or_default(), limit).await?;
    Ok(Json(page.listing(rows, |row| row.part.clone())))
}

/// Shipping rules made by hand.
pub(super) async fn list_shipping_rules(
    State(admin): State<AdminState>,
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
    State(admin): State<AdminState>,
    Path(name): Path<String>,
    change: Change,
) -> Result<Response, Problem> {
    let RuleRequest { pattern, code, pickup } = change.json()?;
    let rule = ShippingRule { pattern, code, pickup };
    let deed = async |db: &mut PgConnection, actor: &Actor<'_>| {
        actions::put_shipping_rule(db, actor, &name, &rule).await?;
        Ok((StatusCode::OK, json!({ "items": shipping_rules::list(db, &name).await?, "next": null })))
    };
    change.carry_out(&admin, deed).await
}

/// Removes a shipping rule made by hand.
pub(super) async fn remove_shipping_rule(
    State(admin): State<AdminState>,
    Path((name, pattern)): Path<(String, String)>,
    change: Change,
) -> Result<Response, Problem> {
    let deed = async |db: &mut PgConnection, actor: &Actor<'_>| {
        actions::remove_shipping_rule(db, actor, &name, &pattern).await?;
        Ok((StatusCode::OK, json!({ "items": shipping_rules::list(db, &name).await?, "next": null })))
    };
    change.carry_out(&admin, deed).await
}

/// Turns a connection's switch and answers the connection as it is then.
async fn switch(
    admin: &AdminState,
    name: &str,
    change: Change,
    turn: impl AsyncFnOnce(&mut PgConnection, &Actor<'_>, &str) -> Result<(), Declined>,
) -> Result<Response, Problem> {
    let deed = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let now = actor.clock.now();
        item(db, name, now).await?.ok_or(Declined::NotFound)?;
        turn(db, actor, name).await?;
        Ok((StatusCode::OK, item(db, name, now).await?.unwrap_or_default()))
    };
    change.carry_out(admin, deed).await
}

/// One connection with its backlog and its sweeps.
async fn item(db: &mut PgConnection, name: &str, now: Timestamp) -> store::Result<Option<Value>> {
    let found = items(db, now).await?.into_iter().find(|(known, _)| known == name);
    Ok(found.map(|(_, item)| item))
}

/// Every connection, by name, with its backlog and its sweeps.
async fn items(db: &mut PgConnection, now: Timestamp) -> store::Result<Vec<(String, Value)>> {
    let backlog = overview::backlog(db, now).await?;
    let mut items = Vec::new();
    for row in connections::list(db).await? {
        let mut item = json!(row);
        item["health"] = row.health().into();
        item["backlog"] = json!(backlog.iter().find(|backlog| backlog.connection == row.name));
        item["rhythm"] = json!(order_rate::read(db, &row.name, row.created_at, now).await?);
        let mut last_syncs = serde_json::Map::new();
        for what in What::ALL {
            let newest = Page { before: None, limit: 1 };
            let syncs = syncs::list(db, Some(&row.name), Some(what.as_str()), &newest).await?;
            last_syncs.insert(what.to_string(), json!(syncs.first()));
        }
        item["last_syncs"] = last_syncs.into();
        item["sweeps"] = json!(polls::list(db, &row.name).await?);
        items.push((row.name, item));
    }
    Ok(items)
}
