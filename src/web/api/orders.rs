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
    AdminState,
    auth::Auth,
    change::Change,
    page::{FilterQuery, Listing, PageQuery, check_word},
    tasks::answer,
};
use crate::{
    actions::{self, Actor, Ask},
    domain::{
        language::Language,
        order::{Intent, OrderStatus},
        vendor::System,
    },
    explain::{self, Life},
    store::{
        StoreError,
        views::orders::{self, OrderFilter, OrderRow},
    },
    web::problem::{Code, Problem},
};

type OrderPath = Path<(String, String)>;

pub(super) async fn list(
    State(admin): State<AdminState>,
    _: Auth,
    PageQuery(page): PageQuery,
    FilterQuery(filter): FilterQuery<OrderFilter>,
) -> Result<Json<Listing<OrderRow>>, Problem> {
    let words: Vec<_> = OrderStatus::ALL.iter().map(|status| status.as_str()).collect();
    check_word("status", filter.status.as_deref(), &words)?;
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    let rows = orders::list(&mut db, &filter, &page.fetch()).await?;
    Ok(Json(page.listing(rows, |row| row.id)))
}

/// One order with its whole life.
pub(super) async fn show(
    State(admin): State<AdminState>,
    _: Auth,
    Path((connection, id)): OrderPath,
) -> Result<Json<Life>, Problem> {
    life(&admin, &connection, &id).await.map(Json)
}

/// Its calls to one system, as a text for that system's support.
pub(super) async fn evidence(
    State(admin): State<AdminState>,
    _: Auth,
    Path((connection, id, system)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let system = [System::MyCashflow, System::Ogoship].into_iter().find(|it| it.as_str() == system);
    let system = system.ok_or(Code::NotFound)?;
    let text = explain::evidence(&life(&admin, &connection, &id).await?, system);
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

async fn life(admin: &AdminState, connection: &str, id: &str) -> Result<Life, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    explain::order(&mut db, connection, id, Language::English).await?.ok_or_else(|| Code::NotFound.into())
}

/// Asks for an order; answers the delivery that will see to it, 201 where it is a new one.
async fn ask(
    admin: &AdminState,
    (connection, id): (String, String),
    change: Change,
    ask: Ask,
) -> Result<Response, Problem> {
    let deed = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let asked = actions::ask_for_order(db, actor, &connection, &id, ask).await?;
        let status = if asked.opened { StatusCode::CREATED } else { StatusCode::OK };
        let (status, delivery): (StatusCode, Value) = answer(db, asked.delivery, status).await?;
        Ok((status, delivery))
    };
    change.carry_out(admin, deed).await
}

/// Blanks whatever we keep of it that may speak of a person.
pub(super) async fn erase(
    State(admin): State<AdminState>,
    Path((connection, id)): OrderPath,
    change: Change,
) -> Result<Response, Problem> {
    let deed = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let erased = actions::erase_order(db, actor, &connection, &id).await?;
        Ok((StatusCode::OK, serde_json::json!(erased)))
    };
    change.carry_out(&admin, deed).await
}

macro_rules! asks {
    ($($(#[$doc:meta])* $name:ident = $ask:expr),+ $(,)?) => {$(
        $(#[$doc])*
        pub(super) async fn $name(
            State(admin): State<AdminState>,
            Path(order): OrderPath,
            change: Change,
        ) -> Result<Response, Problem> {
            ask(&admin, order, change, $ask).await
        }
    )+};
}

asks! {
    /// "Add order to OGOship for delivery."
    transfer = Ask::Intend(Intent::Transfer),
    /// Keeps it from going.
    hold = Ask::Intend(Intent::Hold),
    /// Ends a hold, the person's or the configured one.
    release = Ask::Intend(Intent::Release),
    /// Calls it off, while the warehouse still allows it.
    cancel = Ask::Intend(Intent::Cancel),
    /// "Update changes to online store."
    refresh = Ask::Refresh,
}
