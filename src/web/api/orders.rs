//! Orders: each with its status, its whole life, and what a person may ask for it.

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use sqlx::PgConnection;

use super::{
    ApiState,
    auth::Auth,
    change::Change,
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
    explain::{self, OrderHistory},
    store::{
        StoreError,
        views::orders::{self, OrderFilter, OrderRow},
    },
    web::problem::{Code, Problem},
};

type OrderPath = Path<(String, String)>;

pub(super) async fn list(
    State(admin): State<ApiState>,
    _: Auth,
    PageQuery(page): PageQuery,
    FilterQuery(filter): FilterQuery<OrderFilter>,
) -> Result<Json<Listing<OrderRow>>, Problem> {
    let words: Vec<_> = OrderStatus::ALL.iter().map(|status| status.as_str()).collect();
    require_one_of("status", filter.status.as_deref(), &words)?;
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    let rows = orders::list(&mut db, &filter, &page.store_page()).await?;
    Ok(Json(page.listing(rows, |row| row.id)))
}

/// One order with its whole life.
pub(super) async fn show(
    State(admin): State<ApiState>,
    _: Auth,
    Path((connection, id)): OrderPath,
) -> Result<Json<OrderHistory>, Problem> {
    load_history(&admin, &connection, &id).await.map(Json)
}

/// Its calls to one vendor, as a text for that vendor's support.
pub(super) async fn call_log(
    State(admin): State<ApiState>,
    _: Auth,
    Path((connection, id, vendor)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let vendor = [Vendor::MyCashflow, Vendor::Ogoship].into_iter().find(|it| it.as_str() == vendor);
    let vendor = vendor.ok_or(Code::NotFound)?;
    let text = explain::call_log(&load_history(&admin, &connection, &id).await?, vendor);
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

async fn load_history(admin: &ApiState, connection: &str, id: &str) -> Result<OrderHistory, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    explain::order_history(&mut db, connection, id, Language::English)
        .await?
        .ok_or_else(|| Code::NotFound.into())
}

/// Asks for an order; answers the task that will see to it, 201 where it is a new one.
async fn request(
    admin: &ApiState,
    (connection, id): (String, String),
    change: Change,
    request: OrderRequest,
) -> Result<Response, Problem> {
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let asked = actions::request_order_action(db, actor, &connection, &id, request).await?;
        let status = if asked.opened { StatusCode::CREATED } else { StatusCode::OK };
        let (status, task): (StatusCode, Value) = task_response(db, asked.task, status).await?;
        Ok((status, task))
    };
    change.execute(admin, action).await
}

/// Blanks whatever we keep of it that may speak of a person.
pub(super) async fn erase(
    State(admin): State<ApiState>,
    Path((connection, id)): OrderPath,
    change: Change,
) -> Result<Response, Problem> {
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let erased = actions::erase_order(db, actor, &connection, &id).await?;
        Ok((StatusCode::OK, serde_json::json!(erased)))
    };
    change.execute(&admin, action).await
}

macro_rules! asks {
    ($($(#[$doc:meta])* $name:ident = $ask:expr),+ $(,)?) => {$(
        $(#[$doc])*
        pub(super) async fn $name(
            State(admin): State<ApiState>,
            Path(order): OrderPath,
            change: Change,
        ) -> Result<Response, Problem> {
            request(&admin, order, change, $ask).await
        }
    )+};
}

asks! {
    /// "Add order to OGOship for task."
    transfer = OrderRequest::SetIntent(Intent::Transfer),
    /// Keeps it from going.
    hold = OrderRequest::SetIntent(Intent::Hold),
    /// Ends a hold, the person's or the configured one.
    release = OrderRequest::SetIntent(Intent::Release),
    /// Calls it off, while the warehouse still allows it.
    cancel = OrderRequest::SetIntent(Intent::Cancel),
    /// "Update changes to online store."
    refresh = OrderRequest::Refresh,
}
