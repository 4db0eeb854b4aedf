//! Products and stock figures: sync one of them.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use sqlx::PgConnection;

use super::{change::Change, deps::ApiState, tasks::task_response};
use crate::{
    actions::{self, Actor},
    domain::event::subject::Subject,
    web::problem::{Code, Problem},
};

/// Syncs one product or stock figure now, also where its switch is "manual".
pub(super) async fn sync(
    State(deps): State<ApiState>,
    Path((connection, subject)): Path<(String, String)>,
    change: Change,
) -> Result<Response, Problem> {
    let subject: Subject = subject.parse().map_err(|_| Code::NotFound)?;
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let enqueued = actions::sync_subject(db, actor, &connection, subject).await?;
        let status = if enqueued.opened { StatusCode::CREATED } else { StatusCode::OK };
        task_response(db, enqueued.task, status).await
    };
    change.execute(&deps, action).await
}
