//! Syncs: start, progress, differences, approval, cancelling.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    auth::Auth,
    change::Change,
    deps::ApiState,
    page::{FilterQuery, IdPath, Listing, PageQuery, require_one_of},
};
use crate::{
    actions::{self, ActionError, Actor, RequestedSync},
    domain::{Timestamp, sync::SyncKind},
    explain::Audience,
    store::{
        self,
        sync_differences::{self, DifferenceRow},
        syncs::{self, SyncRow},
    },
    web::problem::{Code, Problem},
};

/// Differences in the response of one sync at most; `…/differences` lists all of them.
const MAX_DIFFERENCES: i64 = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SyncRequest {
    connection: String,
    what: SyncKind,
    #[serde(default)]
    dry_run: bool,
    since: Option<Timestamp>,
}

/// Starts a sync: 201 with the new one, 200 with the running one if it does the same, else 409.
pub(super) async fn create(State(deps): State<ApiState>, change: Change) -> Result<Response, Problem> {
    let SyncRequest { connection, what, dry_run, since } = change.json()?;
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let not_before = deps.not_before.get(&connection).copied();
        let request = actions::SyncRequest { connection: &connection, what, dry_run, since, not_before };
        let RequestedSync { id, is_new } = actions::request_sync(db, actor, request).await?;
        let item = item(db, id, Audience::Operator).await?.ok_or(ActionError::NotFound)?;
        Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, item))
    };
    change.execute(&deps, action).await
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SyncFilter {
    connection: Option<String>,
    what: Option<String>,
}

pub(super) async fn list(
    State(deps): State<ApiState>,
    _: Auth,
    PageQuery(page): PageQuery,
    FilterQuery(filter): FilterQuery<SyncFilter>,
) -> Result<Json<Listing<SyncRow>>, Problem> {
    require_one_of("what", filter.what.as_deref(), SyncKind::NAMES)?;
    let mut db = deps.db().await?;
    let SyncFilter { connection, what } = &filter;
    let rows = syncs::list(&mut db, connection.as_deref(), what.as_deref(), &page.store_page()).await?;
    Ok(Json(page.listing(rows, |row| row.id)))
}

pub(super) async fn show(
    State(deps): State<ApiState>,
    auth: Auth,
    IdPath(id): IdPath,
) -> Result<Json<Value>, Problem> {
    let mut db = deps.db().await?;
    item(&mut db, id, auth.audience()).await?.map(Json).ok_or_else(|| Code::NotFound.into())
}

/// Approves the differences that wait for it.
pub(super) async fn approve(
    State(deps): State<ApiState>,
    IdPath(id): IdPath,
    change: Change,
) -> Result<Response, Problem> {
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        actions::approve_sync(db, actor, id).await?;
        Ok((StatusCode::OK, item(db, id, Audience::Operator).await?.ok_or(ActionError::NotFound)?))
    };
    change.execute(&deps, action).await
}

/// Cancels a sync that runs or waits for its turn.
pub(super) async fn cancel(
    State(deps): State<ApiState>,
    IdPath(id): IdPath,
    change: Change,
) -> Result<Response, Problem> {
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        actions::cancel_sync(db, actor, id).await?;
        Ok((StatusCode::OK, item(db, id, Audience::Operator).await?.ok_or(ActionError::NotFound)?))
    };
    change.execute(&deps, action).await
}

/// A sync's differences in the order found.
pub(super) async fn list_differences(
    State(deps): State<ApiState>,
    auth: Auth,
    IdPath(id): IdPath,
    PageQuery(page): PageQuery<i32>,
) -> Result<Json<Listing<DifferenceRow, i32>>, Problem> {
    let mut db = deps.db().await?;
    syncs::find(&mut db, id).await?.ok_or(Code::NotFound)?;
    let (after, limit) = page.cursor_and_limit();
    let rows = sync_differences::list(&mut db, id, after.unwrap_or_default(), limit).await?;
    let rows: Vec<_> = rows.into_iter().map(|row| auth.audience().difference(row)).collect();
    Ok(Json(page.listing(rows, |row| row.position)))
}

/// A sync with its differences.
async fn item(db: &mut PgConnection, id: Uuid, audience: Audience) -> store::Result<Option<Value>> {
    let Some(row) = syncs::find(db, id).await? else { return Ok(None) };
    let mut item = json!(row);
    let differences = sync_differences::list(db, id, 0, MAX_DIFFERENCES).await?.into_iter();
    item["differences"] = json!(differences.map(|it| audience.difference(it)).collect::<Vec<_>>());
    Ok(Some(item))
}
