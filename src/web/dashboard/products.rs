//! Products and stock: every item with both sides' figures, and what the shop should show.

use axum::{
    extract::{Query, State},
    response::Redirect,
};
use maud::{Markup, html};
use serde::Deserialize;
use sqlx::PgConnection;

use super::{
    badge::{Tone, flash},
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    frame::MenuItem,
    icon::{Icon, icon},
    item_table::ItemTable,
    listing::{ROWS, split_page, url},
    outage,
    page::page,
    product_notes::{extra_table, remark_list},
    product_progress::syncs_shown,
    user::User,
    widgets::csrf_field,
};
use crate::{
    actions,
    domain::{stock::Basis, switch::Switches},
    explain::{basis_text, counted_in, item_texts, number_text, order_texts},
    store::{
        self, connections,
        views::{
            item_lists::{ItemFilter, ItemList},
            items::{self, ItemCounts, ItemRow, MAX_COUNTED},
            recent_syncs::{self, RecentSync},
            remarks,
        },
    },
};

/// The query of the list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ItemQuery {
    connection: String,
    show: String,
    q: String,
    cursor: String,
    done: String,
}

/// A field of a query, unless it is empty.
fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// What the page shows.
struct Shown {
    connections: Vec<String>,
    /// The connection whose items are listed.
    connection: String,
    switches: Switches,
    basis: Option<Basis>,
    list: ItemList,
    search: Option<String>,
    counts: ItemCounts,
    rows: Vec<ItemRow>,
    next: Option<String>,
    /// Syncs of products and stock that run, and the newest one that has ended.
    syncs: Vec<RecentSync>,
}

/// The items of a connection, by name.
pub(super) async fn list(
    State(deps): State<DashboardState>,
    user: User,
    Query(query): Query<ItemQuery>,
) -> Result<Markup, PageError> {
    let words = user.words();
    let mut db = deps.pool.acquire().await?;
    let Some(shown) = load(&deps, &mut db, &query).await? else {
        let main = html! { h1 { (words.products) } p.empty { (words.no_connections) } };
        return Ok(page(&user, MenuItem::Products, words.products, &main));
    };
    let remarked = remarks::list_remarked(&mut db, &shown.connection, "", ROWS).await?;
    let down = outage::load(&mut db, Some(&shown.connection)).await?;
    drop(db);
    let texts = item_texts(user.language);
    let main = html! {
        (head(&user, &shown))
        (outage::messages(&user, &down))
        @if query.done == "sync" { (flash(Tone::Ok, &html! { p role="status" { (texts.asked) } })) }
        (syncs_shown(&user, &shown.syncs))
        (tabs(&user, &shown))
        (search_form(&user, &shown))
        (items(&user, &shown, query.cursor.is_empty()))
        details {
            summary { (texts.more) }
            section.card aria-label=(words.remarks) { h2 { (words.remarks) } (remark_list(&user, &remarked)) }
            section.card aria-label=(words.extra_data) {
                h2 { (words.extra_data) }
                (extra_table(&user, &shown.connection, deps.extra.get(&shown.connection)))
            }
        }
    };
    Ok(page(&user, MenuItem::Products, words.products, &main))
}

async fn load(
    deps: &DashboardState,
    db: &mut PgConnection,
    query: &ItemQuery,
) -> store::Result<Option<Shown>> {
    let known = connections::list(db).await?;
    let asked = known.iter().find(|row| row.name == query.connection);
    let Some(row) = asked.or(known.first()) else { return Ok(None) };
    let (connection, switches) = (row.name.clone(), row.switches());
    let basis = deps.stock_bases.get(&connection).copied();
    let connections: Vec<_> = known.into_iter().map(|row| row.name).collect();
    let list = query.show.parse().unwrap_or(ItemList::All);
    let filter = ItemFilter {
        connection: &connection,
        list,
        search: given(&query.q),
        after: given(&query.cursor),
        limit: ROWS + 1,
    };
    let (rows, next) = split_page(items::list(db, &filter).await?, |row| row.item.clone());
    let syncs = recent_syncs::list(db, &connection).await?;
    let counts = items::count(db, &connection).await?;
    Ok(Some(Shown {
        connections,
        list,
        search: given(&query.q).map(ToOwned::to_owned),
        counts,
        rows,
        next,
        syncs,
        connection,
        switches,
        basis,
    }))
}

fn head(user: &User, shown: &Shown) -> Markup {
    let texts = item_texts(user.language);
    let ItemCounts { all, differs, .. } = shown.counts;
    html! {
        div.head {
            div {
                h1 { (user.words().products) }
                @if all > 0 { p {
                    (counted_in(all, texts.items, user.language)) " "
                    @if differs > 0 { (counted_in(differs, texts.differing, user.language)) } @else { (texts.all_equal) }
                } }
            }
            @if user.is_operator() {
                form.row action="/products/sync" {
                    input type="hidden" name="connection" value=(shown.connection);
                    button name="kind" value="products" { (texts.upload) "…" }
                    button.main name="kind" value="stock" { (icon(Icon::Sync)) (texts.sync_stock) "…" }
                }
            }
        }
    }
}

fn tabs(user: &User, shown: &Shown) -> Markup {
    let texts = item_texts(user.language);
    let lists = [
        (ItemList::All, texts.list_all),
        (ItemList::Differs, texts.list_differs),
        (ItemList::Code, texts.list_code),
        (ItemList::Absent, texts.list_absent),
    ];
    html! {
        nav.tabs aria-label=(texts.lists) {
            @for (list, name) in lists {
                a href=(shown.url(list, None)) aria-current=[(list == shown.list).then_some("true")] {
                    (name) " " b { (count_text(user, shown.counts.of(list), list)) }
                }
            }
        }
    }
}

/// A count; beyond what is counted, that it is more.
fn count_text(user: &User, count: i64, list: ItemList) -> String {
    let number = number_text(count, user.language);
    if list != ItemList::All && count >= MAX_COUNTED { format!("{number}+") } else { number }
}

impl Shown {
    fn url(&self, list: ItemList, cursor: Option<&str>) -> String {
        let show = Some(list.as_str()).filter(|_| list != ItemList::All);
        let connection = Some(self.connection.as_str()).filter(|_| self.connections.len() > 1);
        url("/products", &[("connection", connection), ("show", show), ("q", self.search.as_deref())], cursor)
    }
}

fn search_form(user: &User, shown: &Shown) -> Markup {
    let texts = item_texts(user.language);
    html! {
        form.row action="/products" role="search" {
            @if shown.list != ItemList::All { input type="hidden" name="show" value=(shown.list.as_str()); }
            label.sr for="items-q" { (texts.search) }
            input #items-q type="search" name="q" value=(shown.search.as_deref().unwrap_or_default()) placeholder=(texts.search);
            @if shown.connections.len() > 1 {
                select name="connection" aria-label=(texts.connection) {
                    @for name in &shown.connections { option selected[*name == shown.connection] { (name) } }
                }
            }
            button { (user.words().filter) }
        }
        @if let Some(basis) = shown.basis { p.soft { (basis_text(basis, user.language)) " " (texts.never_below_zero) } }
    }
}

fn items(user: &User, shown: &Shown, is_first_page: bool) -> Markup {
    let texts = item_texts(user.language);
    if shown.rows.is_empty() {
        return html! {
            div.card.empty {
                @if shown.search.is_some() {
                    p { (texts.nothing_found) }
                    p { a href=(url("/products", &[("connection", Some(&shown.connection))], None)) { (texts.clear) } }
                } @else if shown.list == ItemList::All { p { (texts.empty) } }
                @else { p { (texts.all_is_well) } }
            }
        };
    }
    let Shown { connection, switches, rows, .. } = shown;
    let table =
        ItemTable { connection, basis: shown.basis.unwrap_or(Basis::Available), switches: *switches, rows };
    html! {
        form method="post" action="/products/items" {
            (csrf_field(user))
            input type="hidden" name="connection" value=(shown.connection);
            div.card.flush {
                (table.render(user))
                nav.pager aria-label=(texts.next_page) {
                    @if !is_first_page { a.btn href=(shown.url(shown.list, None)) { (texts.first_page) } }
                    @if let Some(next) = &shown.next { a.btn rel="next" href=(shown.url(shown.list, Some(next))) { (texts.next_page) } }
                    // What a search found is no part of the whole.
                    @if shown.search.is_none() { span { (part_of_all(user, shown)) ", " (texts.by_name) } }
                }
            }
        }
    }
}

/// How many of all the page shows: `50 of 303`.
fn part_of_all(user: &User, shown: &Shown) -> String {
    let here = number_text(i64::try_from(shown.rows.len()).unwrap_or(ROWS), user.language);
    let all = count_text(user, shown.counts.of(shown.list), shown.list);
    order_texts(user.language).of_amount.replacen("{}", &here, 1).replacen("{}", &all, 1)
}

/// Syncs one item: its product and its stock figure.
pub(super) async fn sync_item(
    State(deps): State<DashboardState>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    let (connection, item) = (form.require("connection")?, form.require("item")?);
    let row =
        form.execute(&deps, async |db, actor| actions::sync_item(db, actor, connection, item).await).await?;
    let code = row.code;
    let back = [("connection", Some(connection)), ("q", code.as_deref()), ("done", Some("sync"))];
    Ok(Redirect::to(&url("/products", &back, None)))
}
