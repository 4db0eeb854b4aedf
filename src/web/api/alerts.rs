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
    auth: Auth,
    PageQuery(page): PageQuery,
    FilterQuery(AlertFilter { open }): FilterQuery<AlertFilter>,
) -> Result<Json<Listing<AlertRow>>, Problem> {
    let mut db = deps.db().await?;
    let rows = alerts::list(&mut db, open, &page.store_page()).await?;
    let rows: Vec<_> = rows.into_iter().map(|row| auth.audience().alert(row)).collect();
    Ok(Json(page.listing(rows, |row| row.id)))
}
