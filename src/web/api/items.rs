//! The products of a connection with their stock on both sides.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    auth::Auth,
    deps::ApiState,
    page::{FilterQuery, PageQuery, require_one_of},
};
use crate::{
    store::{
        connections,
        views::{
            item_lists::{ItemFilter, ItemList},
            items::{self, ItemRow},
        },
    },
    web::problem::{Code, Problem},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemQuery {
    show: Option<String>,
    q: Option<String>,
}

/// Items by name: all, or those of one list, with the counts of each.
pub(super) async fn list(
    State(deps): State<ApiState>,
    _: Auth,
    Path(connection): Path<String>,
    FilterQuery(ItemQuery { show, q }): FilterQuery<ItemQuery>,
    PageQuery(page): PageQuery<String>,
) -> Result<Json<Value>, Problem> {
    require_one_of("show", show.as_deref(), &["all", "differs", "code", "absent"])?;
    let mut db = deps.db().await?;
    connections::find(&mut db, &connection).await?.ok_or(Code::NotFound)?;
    let (after, limit) = page.cursor_and_limit();
    let filter = ItemFilter {
        connection: &connection,
        list: show.and_then(|show| show.parse().ok()).unwrap_or(ItemList::All),
        search: q.as_deref(),
        after: after.as_deref(),
        limit,
    };
    let rows = items::list(&mut db, &filter).await?;
    let mut listing = json!(page.listing(rows.iter().map(shown).collect(), |row: &Value| {
        row["item"].as_str().unwrap_or_default().to_owned()
    }));
    listing["counts"] = json!(items::count(&mut db, &connection).await?);
    Ok(Json(listing))
}

/// An item with what its figures come to.
fn shown(row: &ItemRow) -> Value {
    let mut shown = json!(row);
    shown["reserved"] = json!(row.reserved());
    shown["difference"] = json!(row.difference());
    shown
}
