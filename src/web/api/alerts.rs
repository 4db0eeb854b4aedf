//! Alerts.

use axum::{Json, extract::State};
use serde::Deserialize;

use super::{
    auth::Auth,
    deps::ApiState,
    page::{FilterQuery, Listing, PageQuery, deserialize_bool},
};
use crate::{
    store::alerts::{self, AlertRow},
    web::problem::Problem,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertFilter {
    /// Only open alerts.
    #[serde(default, deserialize_with = "deserialize_bool")]
    open: bool,
}

/// Alerts, newest first.
pub(super) async fn list(
    State(deps): State<ApiState>,
    _: Auth,
    PageQuery(page): PageQuery,
    FilterQuery(AlertFilter { open }): FilterQuery<AlertFilter>,
) -> Result<Json<Listing<AlertRow>>, Problem> {
    let mut db = deps.db().await?;
    let rows = alerts::list(&mut db, open, &page.store_page()).await?;
    Ok(Json(page.listing(rows, |row| row.id)))
}
