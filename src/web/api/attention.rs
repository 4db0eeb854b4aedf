//! What needs attention.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{auth::Auth, deps::ApiState};
use crate::{store::views::attention, web::problem::Problem};

/// What needs attention, grouped by cause.
pub(super) async fn list(State(deps): State<ApiState>, auth: Auth) -> Result<Json<Value>, Problem> {
    let mut db = deps.db().await?;
    let causes = auth.audience().causes(attention::list_causes(&mut db).await?);
    Ok(Json(json!({ "items": causes, "next": null })))
}
