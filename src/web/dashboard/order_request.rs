//! What an operator asks for an order on its page. A refusal is shown there, with what is offered now.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

use super::{
    asked::Asked,
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    listing::{order_path, url},
    order,
    order_offers::Request,
};
use crate::actions::{self, Departure, OrderRequest};

/// Records what the operator requests for an order.
pub(super) async fn ask(
    State(deps): State<DashboardState>,
    Path((connection, id)): Path<(String, String)>,
    form: OperatorForm,
) -> Result<Response, PageError> {
    let asked = form.require("ask")?;
    let here = order_path(&connection, &id);
    match carry_out(&deps, &form, (&connection, &id), asked).await {
        Ok(()) => Ok(Redirect::to(&url(&here, &[("done", Some(asked))], None)).into_response()),
        Err(PageError::Conflict(conflict)) => {
            let asked = Asked::refused(conflict);
            match order::render(&deps, &form.user, (&connection, &id), &asked, None).await {
                Ok(page) => Ok((StatusCode::CONFLICT, page).into_response()),
                // An order that is not known here has no page.
                Err(PageError::NotFound) => Err(PageError::Conflict(conflict)),
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

async fn carry_out(
    deps: &DashboardState,
    form: &OperatorForm,
    (connection, id): (&str, &str),
    asked: &str,
) -> Result<(), PageError> {
    if asked == "undo" {
        return form
            .execute(deps, async |db, actor| actions::undo(db, actor, connection, id).await)
            .await
            .map(drop);
    }
    if asked == "send_replacement" {
        let shipment = form.require("shipment")?;
        let undo = deps.undo_of(connection);
        let send = async |db: &mut sqlx::PgConnection, actor: &actions::Actor<'_>| {
            actions::send_undoable_replacement(db, actor, (connection, id), Some(shipment), undo).await
        };
        return form.execute(deps, send).await.map(drop);
    }
    let request = Request::parse(asked).ok_or(PageError::InvalidForm)?;
    let request = request.intent().map_or(OrderRequest::Refresh, OrderRequest::SetIntent);
    let order = actions::confirm_order(&deps.pool, &*deps.order_finder, connection, id).await?;
    let departure = Departure { undo: deps.undo_of(connection), bulk: None };
    let action = async |db: &mut sqlx::PgConnection, actor: &actions::Actor<'_>| {
        actions::request_undoable(db, actor, &order, request, departure).await
    };
    form.execute(deps, action).await.map(drop)
}
