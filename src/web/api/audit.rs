//! The audit log.

use axum::{Json, extract::State};

use super::{
    auth::Auth,
    deps::ApiState,
    page::{Listing, PageQuery},
};
use crate::{
    store::audit::{self, AuditRow},
    web::problem::Problem,
};

/// The audit log, newest first.
pub(super) async fn list(
    State(deps): State<ApiState>,
    auth: Auth,
    PageQuery(page): PageQuery,
) -> Result<Json<Listing<AuditRow>>, Problem> {
    let mut db = deps.db().await?;
    let rows = audit::list(&mut db, &page.store_page()).await?;
    let rows: Vec<_> =
        rows.into_iter().map(|row| AuditRow { detail: auth.audience().request(row.detail), ..row }).collect();
    Ok(Json(page.listing(rows, |row| row.id)))
}
