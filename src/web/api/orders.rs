//! Orders: list, history, and what an operator can do with one.

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use sqlx::PgConnection;

use super::{
    auth::Auth,
    change::Change,
    deps::ApiState,
    page::{FilterQuery, Listing, PageQuery, require_one_of},
    tasks::task_response,
};
use crate::{
    actions::{self, Actor, OrderRequest},
    domain::{
        language::Language,
        order::{Intent, OrderStatus},
        vendor::Vendor,
    },
    explain::{self, Audience, OrderHistory},
    store::views::orders::{self, OrderFilter, OrderPage, OrderRow},
    web::problem::{Code, Problem},
};

type OrderPath = Path<(String, String)>;

pub(super) async fn list(
    State(deps): State<ApiState>,
    auth: Auth,
    PageQuery(page): PageQuery<String>,
    FilterQuery(filter): FilterQuery<OrderFilter>,
) -> Result<Json<Listing<OrderRow, String>>, Problem> {
    let words: Vec<_> = OrderStatus::ALL.iter().map(|status| status.as_str()).collect();
    require_one_of("status", filter.status.as_deref(), &words)?;
    let (cursor, limit) = page.cursor_and_limit();
    let after = cursor.map(|cursor| {
        let no_cursor = || Problem::new(Code::Invalid, "cursor must be one of this list, in this sorting");
        filter.parse_cursor(&cursor).ok_or_else(no_cursor)
    });
    let after = after.transpose()?;
    let mut db = deps.db().await?;
    let rows = orders::list(&mut db, &filter, &OrderPage { after, limit }, deps.clock.now()).await?;
    let rows: Vec<_> = rows.into_iter().map(|row| auth.audience().order(row)).collect();
    Ok(Json(page.listing(rows, |row| filter.cursor_of(row).to_string())))
}

/// One order with its history.
pub(super) async fn show(
    State(deps): State<ApiState>,
    auth: Auth,
    Path((connection, id)): OrderPath,
) -> Result<Json<OrderHistory>, Problem> {
    load_history(&deps, &connection, &id, auth.audience()).await.map(Json)
}

/// The order's calls to one vendor as a text for that vendor's support.
pub(super) async fn call_log(
    State(deps): State<ApiState>,
    auth: Auth,
    Path((connection, id, vendor)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let vendor = [Vendor::MyCashflow, Vendor::Ogoship].into_iter().find(|it| it.as_str() == vendor);
    let vendor = vendor.ok_or(Code::NotFound)?;
    let text = explain::call_log(&load_history(&deps, &connection, &id, auth.audience()).await?, vendor);
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

async fn load_history(
    deps: &ApiState,
    connection: &str,
    id: &str,
    audience: Audience,
) -> Result<OrderHistory, Problem> {
    let mut db = deps.db().await?;
    explain::order_history(&mut db, connection, id, audience, Language::English)
        .await?
        .ok_or_else(|| Code::NotFound.into())
}

/// Records a request for an order and answers its task: 201 if it is a new one.
async fn request(
    deps: &ApiState,
    (connection, id): (String, String),
    change: Change,
    request: OrderRequest,
) -> Result<Response, Problem> {
    let order = actions::confirm_order(&deps.pool, &*deps.order_finder, &connection, &id).await?;
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let enqueued = actions::request_order_action(db, actor, &order, request).await?;
        let status = if enqueued.opened { StatusCode::CREATED } else { StatusCode::OK };
        task_response(db, enqueued.task, status).await
    };
    change.execute(deps, action).await
}

/// Which added shipment to send; the only one where it is left out.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ReplacementRequest {
    shipment: Option<String>,
}

/// Confirms that an added shipment goes to the warehouse as a replacement.
pub(super) async fn send_replacement(
    State(deps): State<ApiState>,
    Path((connection, id)): OrderPath,
    change: Change,
) -> Result<Response, Problem> {
    let ReplacementRequest { shipment } = change.json_or_default()?;
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let enqueued = actions::send_replacement(db, actor, &connection, &id, shipment.as_deref()).await?;
        let status = if enqueued.opened { StatusCode::CREATED } else { StatusCode::OK };
        task_response(db, enqueued.task, status).await
    };
    change.execute(&deps, action).await
}

/// Erases the order's personal data.
pub(super) async fn erase(
    State(deps): State<ApiState>,
    Path((connection, id)): OrderPath,
    change: Change,
) -> Result<Response, Problem> {
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let erased = actions::erase_order(db, actor, &connection, &id).await?;
        Ok((StatusCode::OK, serde_json::json!(erased)))
    };
    change.execute(&deps, action).await
}

/// Transfers the order now: "Add order to OGOship for delivery".
pub(super) async fn transfer(
    State(deps): State<ApiState>,
    Path(order): OrderPath,
    change: Change,
) -> Result<Response, Problem> {
    request(&deps, order, change, OrderRequest::SetIntent(Intent::Transfer)).await
}

/// Takes the warehouse's order under our reference for this one.
pub(super) async fn adopt(
    State(deps): State<ApiState>,
    Path(order): OrderPath,
    change: Change,
) -> Result<Response, Problem> {
    request(&deps, order, change, OrderRequest::SetIntent(Intent::Adopt)).await
}

/// Holds the order.
pub(super) async fn hold(
    State(deps): State<ApiState>,
    Path(order): OrderPath,
    change: Change,
) -> Result<Response, Problem> {
    request(&deps, order, change, OrderRequest::SetIntent(Intent::Hold)).await
}

/// Releases a held order, whether an operator or the configuration holds it.
pub(super) async fn release(
    State(deps): State<ApiState>,
    Path(order): OrderPath,
    change: Change,
) -> Result<Response, Problem> {
    request(&deps, order, change, OrderRequest::SetIntent(Intent::Release)).await
}

/// Cancels the order while the warehouse still allows it.
pub(super) async fn cancel(
    State(deps): State<ApiState>,
    Path(order): OrderPath,
    change: Change,
) -> Result<Response, Problem> {
    request(&deps, order, change, OrderRequest::SetIntent(Intent::Cancel)).await
}

/// Reads both sides now: "Update changes to online store".
pub(super) async fn refresh(
    State(deps): State<ApiState>,
    Path(order): OrderPath,
    change: Change,
) -> Result<Response, Problem> {
    request(&deps, order, change, OrderRequest::Refresh).await
}
