//! Events: what was received.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde_json::{Value, json};

use super::{
    AdminState,
    auth::Auth,
    change::Change,
    page::{FilterQuery, IdPath, Listing, PageQuery, check_word},
    tasks::row_of,
};
use crate::{
    actions,
    domain::{
        event::source::Source,
        id::{DeliveryId, EventId},
    },
    store::{
        StoreError,
        events::{self, EventFilter, EventRow},
        views::overview,
    },
    web::problem::{Code, Problem},
};

pub(super) async fn list(
    State(admin): State<AdminState>,
    _: Auth,
    PageQuery(page): PageQuery,
    FilterQuery(filter): FilterQuery<EventFilter>,
) -> Result<Json<Listing<EventRow>>, Problem> {
    check_word("source", filter.source.as_deref(), &Source::ALL.map(Source::as_str))?;
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    let rows = events::list(&mut db, &filter, &page.fetch()).await?;
    Ok(Json(page.listing(rows, |row| row.id)))
}

/// One event with the deliveries of its subject's debt.
pub(super) async fn show(
    State(admin): State<AdminState>,
    _: Auth,
    IdPath(id): IdPath,
) -> Result<Json<Value>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    let event = events::find(&mut db, EventId(id)).await?.ok_or(Code::NotFound)?;
    let mut deliveries = Vec::new();
    if let Some(delivery) = event.delivery_id {
        deliveries.extend(overview::find_delivery(&mut db, DeliveryId(delivery)).await?);
    }
    let mut item = row_of(&event);
    item["deliveries"] = json!(deliveries);
    Ok(Json(item))
}

pub(super) async fn replay(
    State(admin): State<AdminState>,
    IdPath(id): IdPath,
    change: Change,
) -> Result<Response, Problem> {
    let deed = async |db: &mut sqlx::PgConnection, actor: &actions::Actor<'_>| {
        let replayed = actions::replay_event(db, actor, EventId(id)).await?;
        let status = if replayed.opened { StatusCode::CREATED } else { StatusCode::OK };
        let row = overview::find_delivery(db, replayed.delivery).await?.ok_or(actions::Declined::NotFound)?;
        Ok((status, row_of(&row)))
    };
    change.carry_out(&admin, deed).await
}
