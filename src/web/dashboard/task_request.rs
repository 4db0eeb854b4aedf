//! What an operator asks for a task. A refusal is shown on the task's page, with what is offered now.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use uuid::Uuid;

use super::{
    asked::Asked,
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    listing::{order_path, url},
    task,
};
use crate::{
    actions::{self, ActionError},
    domain::id::TaskId,
    store::{tasks::Resolution, views::overview},
};

/// What an operator can do with a task.
#[derive(Clone, Copy)]
enum TaskRequest {
    Replay,
    Cancel,
    Handle,
    Resolve(Resolution),
}

/// Replays, cancels or resolves a task, or marks it as handled.
pub(super) async fn ask(
    State(deps): State<DashboardState>,
    Path(id): Path<Uuid>,
    form: OperatorForm,
) -> Result<Response, PageError> {
    let asked = form.require("ask")?;
    let request = match asked {
        "replay" => TaskRequest::Replay,
        "cancel" => TaskRequest::Cancel,
        "handled" => TaskRequest::Handle,
        "done" => TaskRequest::Resolve(Resolution::Done),
        "pending" => TaskRequest::Resolve(Resolution::Pending),
        _ => return Err(PageError::InvalidForm),
    };
    match carry_out(&deps, &form, id, request).await {
        Ok(shown) => Ok(Redirect::to(&url(&shown, &[("done", Some(asked))], None)).into_response()),
        Err(PageError::Conflict(conflict)) => {
            let page = task::render(&deps, &form.user, id, &Asked::refused(conflict)).await?;
            Ok((StatusCode::CONFLICT, page).into_response())
        }
        Err(error) => Err(error),
    }
}

/// Carries a request out. Returns the page that shows what follows: the order's, if the form says that it was asked there.
async fn carry_out(
    deps: &DashboardState,
    form: &OperatorForm,
    id: Uuid,
    request: TaskRequest,
) -> Result<String, PageError> {
    let is_of_order = form.field("from") == Some("order");
    form.execute(deps, async |db, actor| {
        let row = overview::find_task(db, TaskId(id)).await?.ok_or(ActionError::NotFound)?;
        let mut shown = id;
        match request {
            TaskRequest::Replay => shown = actions::replay_task(db, actor, TaskId(id)).await?.task.0,
            TaskRequest::Handle => actions::mark_handled(db, actor, TaskId(id)).await?,
            TaskRequest::Cancel => actions::cancel(db, actor, TaskId(id)).await?,
            TaskRequest::Resolve(resolution) => actions::resolve(db, actor, TaskId(id), resolution).await?,
        }
        let order = row.subject.strip_prefix("order:").filter(|_| is_of_order);
        Ok(order.map_or_else(|| task::path(shown), |order| order_path(&row.connection, order)))
    })
    .await
}
