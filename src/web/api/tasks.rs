//! Deliveries: what is owed, with its diary; replay, cancel and resolve of one.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{
    AdminState,
    auth::Auth,
    change::Change,
    page::{FilterQuery, IdPath, Listing, PageQuery, check_word},
};
use crate::{
    actions::{self, Actor, Declined},
    domain::{event::subject::SubjectKind, id::DeliveryId, task::state::DeliveryState},
    store::{
        StoreError, attempts,
        tasks::Resolution,
        views::overview::{self, DeliveryFilter, DeliveryRow},
    },
    web::problem::{Code, Problem},
};

pub(super) async fn list(
    State(admin): State<AdminState>,
    _: Auth,
    PageQuery(page): PageQuery,
    FilterQuery(filter): FilterQuery<DeliveryFilter>,
) -> Result<Json<Listing<DeliveryRow>>, Problem> {
    check(&filter)?;
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    let rows = overview::list_deliveries(&mut db, &filter, &page.fetch()).await?;
    Ok(Json(page.listing(rows, |row| row.id)))
}

/// One delivery with its diary.
pub(super) async fn show(
    State(admin): State<AdminState>,
    _: Auth,
    IdPath(id): IdPath,
) -> Result<Json<Value>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    let row = overview::find_delivery(&mut db, DeliveryId(id)).await?.ok_or(Code::NotFound)?;
    let mut item = row_of(&row);
    item["attempt_list"] = json!(attempts::list(&mut db, DeliveryId(id)).await?);
    Ok(Json(item))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ReplayRequest {
    dry_run: bool,
}

/// Replays; or with `dry_run` shows what a replay would do: the request that would be sent, and how it differs from
/// the last one.
pub(super) async fn replay(
    State(admin): State<AdminState>,
    IdPath(id): IdPath,
    change: Change,
) -> Result<Response, Problem> {
    let ReplayRequest { dry_run } = change.json_or_default()?;
    if dry_run {
        let (_, rehearsed) =
            actions::rehearse_delivery(&admin.pool, &*admin.rehearser, DeliveryId(id)).await?;
        return Ok(Json(rehearsed).into_response());
    }
    let deed = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let replayed = actions::replay_delivery(db, actor, DeliveryId(id)).await?;
        let status = if replayed.opened { StatusCode::CREATED } else { StatusCode::OK };
        answer(db, replayed.delivery, status).await
    };
    change.carry_out(&admin, deed).await
}

pub(super) async fn cancel(
    State(admin): State<AdminState>,
    IdPath(id): IdPath,
    change: Change,
) -> Result<Response, Problem> {
    let deed = async |db: &mut PgConnection, actor: &Actor<'_>| {
        actions::cancel(db, actor, DeliveryId(id)).await?;
        answer(db, DeliveryId(id), StatusCode::OK).await
    };
    change.carry_out(&admin, deed).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResolveRequest {
    #[serde(rename = "as")]
    word: Resolution,
}

pub(super) async fn resolve(
    State(admin): State<AdminState>,
    IdPath(id): IdPath,
    change: Change,
) -> Result<Response, Problem> {
    let ResolveRequest { word } = change.json()?;
    let deed = async |db: &mut PgConnection, actor: &Actor<'_>| {
        actions::resolve(db, actor, DeliveryId(id), word).await?;
        answer(db, DeliveryId(id), StatusCode::OK).await
    };
    change.carry_out(&admin, deed).await
}

pub(super) async fn answer(
    db: &mut PgConnection,
    id: DeliveryId,
    status: StatusCode,
) -> Result<(StatusCode, Value), Declined> {
    let row = overview::find_delivery(db, id).await?.ok_or(Declined::NotFound)?;
    Ok((status, row_of(&row)))
}

/// A row as JSON.
pub(super) fn row_of(row: &impl Serialize) -> Value {
    serde_json::to_value(row).expect("rows are plain data")
}

pub(super) fn check(filter: &DeliveryFilter) -> Result<(), Problem> {
    check_word("state", filter.state.as_deref(), &DeliveryState::ALL.map(DeliveryState::as_str))?;
    check_word("kind", filter.kind.as_deref(), &SubjectKind::ALL.map(SubjectKind::as_str))
}
