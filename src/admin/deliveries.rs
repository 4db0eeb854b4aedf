//! Deliveries: what is owed, with its diary; replay, cancel and resolve.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    AdminState,
    auth::Auth,
    change::Change,
    page::{FilterQuery, IdPath, Listing, PageQuery, check_word},
};
use crate::{
    control::{self, Actor, Declined, Rehearsed, Wanted},
    domain::{
        delivery::DeliveryState,
        id::DeliveryId,
        subject::{Subject, SubjectKind},
    },
    problem::{Code, Problem},
    store::{
        StoreError, attempts,
        deliveries::Resolution,
        overview::{self, DeliveryFilter, DeliveryRow},
        replays::{self, ReplayRow},
    },
};

/// The most deliveries one call replays.
const MOST_REPLAYS: i64 = 1000;

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
        return rehearse(&admin, DeliveryId(id)).await.map(IntoResponse::into_response);
    }
    let deed = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let replayed = control::replay_delivery(db, actor, DeliveryId(id)).await?;
        let status = if replayed.opened { StatusCode::CREATED } else { StatusCode::OK };
        answer(db, replayed.delivery, status).await
    };
    change.carry_out(&admin, deed).await
}

/// What a replay of a delivery would do now.
async fn rehearse(admin: &AdminState, id: DeliveryId) -> Result<Json<Rehearsed>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    let DeliveryRow { connection, subject, .. } =
        overview::find_delivery(&mut db, id).await?.ok_or(Code::NotFound)?;
    drop(db); // never held across the network
    let parsed: Subject =
        subject.parse().map_err(|_| StoreError::Inconsistent { table: "delivery", column: "subject" })?;
    let rehearsed = admin.rehearser.rehearse(&connection, &parsed).await?;
    let not_here = || Problem::new(Code::Conflict, "the connection is not configured here");
    let rehearsed = rehearsed.ok_or_else(not_here)?;
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    Ok(Json(rehearsed.compared(&mut db, &connection, &subject).await?))
}

pub(super) async fn cancel(
    State(admin): State<AdminState>,
    IdPath(id): IdPath,
    change: Change,
) -> Result<Response, Problem> {
    let deed = async |db: &mut PgConnection, actor: &Actor<'_>| {
        control::cancel(db, actor, DeliveryId(id)).await?;
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
        control::resolve(db, actor, DeliveryId(id), word).await?;
        answer(db, DeliveryId(id), StatusCode::OK).await
    };
    change.carry_out(&admin, deed).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplaysRequest {
    #[serde(default)]
    filter: DeliveryFilter,
    #[serde(default, deserialize_with = "whole")]
    limit: Option<i64>,
    ids: Option<Vec<Uuid>>,
    #[serde(default)]
    dry_run: bool,
}

/// A whole number; JSON Schema says that 100.0 is one too.
fn whole<'de, D: Deserializer<'de>>(number: D) -> Result<Option<i64>, D::Error> {
    let Some(number) = Option::<f64>::deserialize(number)? else { return Ok(None) };
    #[expect(clippy::cast_possible_truncation, reason = "checked against every limit behind it")]
    let whole = number as i64;
    let is_whole = number.fract() == 0.0;
    is_whole.then_some(Some(whole)).ok_or_else(|| D::Error::custom("a whole number is wanted"))
}

/// Replays closed deliveries by the same filter as the list, dead ones where the filter names no state; or these `ids`.
/// With `dry_run` only says which it would be.
pub(super) async fn replay_many(
    State(admin): State<AdminState>,
    change: Change,
) -> Result<Response, Problem> {
    let ReplaysRequest { mut filter, limit, ids, dry_run } = change.json()?;
    check(&filter)?;
    filter.state.get_or_insert_with(|| DeliveryState::Dead.as_str().to_owned());
    let limit = limit.unwrap_or(100);
    if !(1..=MOST_REPLAYS).contains(&limit) {
        return Err(Problem::new(Code::Invalid, format!("limit must be 1 to {MOST_REPLAYS}")));
    }
    if ids.as_ref().is_some_and(|ids| ids.is_empty() || ids.len() > 1000) {
        return Err(Problem::new(Code::Invalid, format!("ids must be 1 to {MOST_REPLAYS}")));
    }
    if dry_run {
        let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
        let ids = if let Some(ids) = ids {
            ids
        } else {
            let rows = overview::closed_oldest_first(&mut db, &filter, limit).await?;
            rows.into_iter().map(|row| row.id).collect()
        };
        return Ok(Json(json!({ "count": ids.len(), "ids": ids })).into_response());
    }
    let wanted = ids.map_or(Wanted::Matching(filter, limit), Wanted::These);
    let deed = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let (id, ids) = control::replay_many(db, actor, &wanted).await?;
        Ok((StatusCode::CREATED, json!({ "id": id, "count": ids.len(), "ids": ids })))
    };
    change.carry_out(&admin, deed).await
}

/// How far a replay of many is.
pub(super) async fn show_replay(
    State(admin): State<AdminState>,
    _: Auth,
    IdPath(id): IdPath,
) -> Result<Json<ReplayRow>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    replays::find(&mut db, id).await?.map(Json).ok_or_else(|| Code::NotFound.into())
}

/// Calls off what of it nobody has begun.
pub(super) async fn call_off_replay(
    State(admin): State<AdminState>,
    IdPath(id): IdPath,
    change: Change,
) -> Result<Response, Problem> {
    let deed = async |db: &mut PgConnection, actor: &Actor<'_>| {
        control::call_off_replay(db, actor, id).await?;
        let row = replays::find(db, id).await?.ok_or(Declined::NotFound)?;
        Ok((StatusCode::OK, row_of(&row)))
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

fn check(filter: &DeliveryFilter) -> Result<(), Problem> {
    check_word("state", filter.state.as_deref(), &DeliveryState::ALL.map(DeliveryState::as_str))?;
    check_word("kind", filter.kind.as_deref(), &SubjectKind::ALL.map(SubjectKind::as_str))
}
