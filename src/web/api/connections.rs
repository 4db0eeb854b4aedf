//! Connections: health, pause switch, circuit, stock brake, backlog, order rate, polls, last syncs, product codes.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{
    auth::Auth,
    change::Change,
    deps::ApiState,
    page::{Listing, PageQuery},
};
use crate::{
    actions::{self, ActionError, Actor},
    domain::{
        Timestamp,
        product::{CodeProblem, RemarkedItem},
        sync::SyncKind,
    },
    store::{
        self, Page, connections, key_usage, order_rate, polls, rejected_webhooks, subscriptions, syncs,
        views::{code_problems, overview, remarks},
    },
    web::problem::{Code, Problem},
};

pub(super) async fn list(State(deps): State<ApiState>, _: Auth) -> Result<Json<Value>, Problem> {
    let mut db = deps.db().await?;
    let items = items(&mut db, deps.clock.now()).await?;
    let items: Vec<_> = items.into_iter().map(|(_, item)| item).collect();
    Ok(Json(json!({ "items": items, "next": null })))
}

pub(super) async fn show(
    State(deps): State<ApiState>,
    _: Auth,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let mut db = deps.db().await?;
    let mut item = item(&mut db, &name, deps.clock.now()).await?.ok_or(Code::NotFound)?;
    item["keys"] = json!(key_usage::list_keys(&mut db, &name).await?);
    item["rejected_webhooks"] = json!(rejected_webhooks::list_rejected(&mut db, &name).await?);
    item["subscriptions"] = json!(subscriptions::list(&mut db, &name).await?);
    Ok(Json(item))
}

pub(super) async fn pause(
    State(deps): State<ApiState>,
    Path(name): Path<String>,
    change: Change,
) -> Result<Response, Problem> {
    update(&deps, &name, change, actions::pause).await
}

pub(super) async fn resume(
    State(deps): State<ApiState>,
    Path(name): Path<String>,
    change: Change,
) -> Result<Response, Problem> {
    update(&deps, &name, change, actions::resume).await
}

pub(super) async fn release_brake(
    State(deps): State<ApiState>,
    Path(name): Path<String>,
    change: Change,
) -> Result<Response, Problem> {
    update(&deps, &name, change, actions::release_brake).await
}

/// Product codes that the warehouse cannot accept, with the products and variations that have them.
pub(super) async fn list_code_problems(
    State(deps): State<ApiState>,
    _: Auth,
    Path(name): Path<String>,
    PageQuery(page): PageQuery<String>,
) -> Result<Json<Listing<CodeProblem, String>>, Problem> {
    let mut db = deps.db().await?;
    connections::find(&mut db, &name).await?.ok_or(Code::NotFound)?;
    let (after, limit) = page.cursor_and_limit();
    let rows = code_problems::list_code_problems(&mut db, &name, &after.unwrap_or_default(), limit).await?;
    Ok(Json(page.listing(rows, |row| row.item.clone())))
}

/// Products and variations that lack what the warehouse asks for.
pub(super) async fn list_remarks(
    State(deps): State<ApiState>,
    _: Auth,
    Path(name): Path<String>,
    PageQuery(page): PageQuery<String>,
) -> Result<Json<Listing<RemarkedItem, String>>, Problem> {
    let mut db = deps.db().await?;
    connections::find(&mut db, &name).await?.ok_or(Code::NotFound)?;
    let (after, limit) = page.cursor_and_limit();
    let rows = remarks::list_remarked(&mut db, &name, &after.unwrap_or_default(), limit).await?;
    Ok(Json(page.listing(rows, |row| row.item.clone())))
}

/// Changes a connection and answers its new state.
async fn update(
    deps: &ApiState,
    name: &str,
    change: Change,
    apply: impl AsyncFnOnce(&mut PgConnection, &Actor<'_>, &str) -> Result<(), ActionError>,
) -> Result<Response, Problem> {
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let now = actor.clock.now();
        item(db, name, now).await?.ok_or(ActionError::NotFound)?;
        apply(db, actor, name).await?;
        Ok((StatusCode::OK, item(db, name, now).await?.unwrap_or_default()))
    };
    change.execute(deps, action).await
}

/// One connection with its backlog and polls.
async fn item(db: &mut PgConnection, name: &str, now: Timestamp) -> store::Result<Option<Value>> {
    let found = items(db, now).await?.into_iter().find(|(known, _)| known == name);
    Ok(found.map(|(_, item)| item))
}

/// Every connection with its name, backlog and polls.
async fn items(db: &mut PgConnection, now: Timestamp) -> store::Result<Vec<(String, Value)>> {
    let backlog = overview::backlog(db, now).await?;
    let mut items = Vec::new();
    let rows = connections::list(db).await?;
    let rates = order_rate::read_all(db, &rows, now).await?;
    for row in rows {
        let mut item = json!(row);
        item["health"] = row.health().into();
        item["backlog"] = json!(backlog.iter().find(|backlog| backlog.connection == row.name));
        item["order_rate"] = json!(rates.get(&row.name));
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
