//! The list of tasks; dead ones can be replayed: the selected ones or all that match the filter.

use std::collections::HashMap;

use axum::extract::{Query, State};
use maud::{Markup, html};
use uuid::Uuid;

use super::{
    cause_remedy::remedy_of,
    deps::DashboardState,
    error::PageError,
    frame::MenuItem,
    listing::{self, ListQuery, ROWS, older_link},
    order_situation::count_unknown,
    page::page,
    releases::{at_most, consequence, noun, try_label},
    user::User,
    widgets::{choices, csrf_field, field, nothing, reason, state, time},
};
use crate::{
    domain::task::state::TaskState,
    explain::{self, attention_texts, counted_in, one_or_many, subject_text},
    store::{
        Listed,
        views::{
            attention,
            overview::{TaskFilter, TaskRow},
            task_list,
        },
    },
};

/// The kind of subject that has a page of its own.
const ORDER: &str = "order";

/// Tasks by filter, newest first.
pub(super) async fn list(
    State(deps): State<DashboardState>,
    user: User,
    Query(query): Query<ListQuery>,
) -> Result<Markup, PageError> {
    let words = user.words();
    let filter = TaskFilter {
        connection: query.connection.clone(),
        state: query.state.clone(),
        kind: query.kind.clone(),
        subject: query.subject.clone(),
        reason: query.reason.clone(),
        ..TaskFilter::default()
    };
    let mut db = deps.pool.acquire().await?;
    let Listed { rows, next } = task_list::list_page(&mut db, &filter, &query.page()).await?;
    let is_dead = query.state.as_deref() == Some("dead");
    let count = if is_dead { attention::count_closed(&mut db, &filter).await? } else { 0 };
    let unknown = if count > 0 { count_unknown(&mut db, &filter).await? } else { 0 };
    drop(db);
    let kept = [
        ("connection", query.connection.as_deref()),
        ("state", query.state.as_deref()),
        ("kind", query.kind.as_deref()),
        ("subject", query.subject.as_deref()),
        ("reason", query.reason.as_deref()),
    ];
    let replay = ReplayForm {
        action: "/replays",
        filter: &filter,
        columns: Columns::All,
        rows: &rows,
        count,
        unknown,
        consequence: consequence(&user, query.kind.as_deref().unwrap_or("order")),
        is_remedy: query
            .reason
            .as_deref()
            .is_some_and(|reason| is_tried_again(reason, query.kind.as_deref())),
        label_all: try_label(&user, query.kind.as_deref(), count),
        label_selected: words.replay_selected,
    };
    let main = html! {
        h1 { (words.tasks) }
        (filter_form(&user, &query))
        @if count > 0 { (replay.render(&user)) } @else { (table(&user, &rows, Columns::All, false)) }
        (older_link(&user, "/tasks", &kept, next))
    };
    Ok(page(&user, MenuItem::Tasks, words.tasks, &main))
}

/// Whether trying again is what helps tasks that stopped for a reason.
fn is_tried_again(reason: &str, kind: Option<&str>) -> bool {
    remedy_of(TaskState::Dead.as_str(), reason, kind.unwrap_or("order")).is_trying_again()
}

fn filter_form(user: &User, query: &ListQuery) -> Markup {
    let words = user.words();
    let states: Vec<_> = TaskState::ALL
        .iter()
        .map(|state| {
            let words = explain::state_text(state.as_str(), user.language);
            (state.as_str().to_owned(), explain::capitalised(&words))
        })
        .collect();
    let kinds =
        [("order", words.order_count), ("stock", words.stock_count), ("product", words.product_count)];
    let plural = |noun: &str| explain::capitalised(noun.split('|').next_back().unwrap_or(noun));
    let kinds = kinds.map(|(kind, noun)| (kind.to_owned(), plural(noun)));
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    html! {
        form.filter.card {
            (choices("state", words.state, words.all, query.state.as_deref(), &states))
            (choices("kind", words.kind, words.all, query.kind.as_deref(), &kinds))
            (field("connection", words.connection, &text(&query.connection)))
            (field("subject", words.subject, &text(&query.subject)))
            (field("reason", words.reason, &text(&query.reason)))
            button { (words.filter) }
        }
    }
}

/// What a table of tasks says of each.
#[derive(Clone, Copy)]
pub(super) enum Columns<'a> {
    /// Everything.
    All,
    /// What differs between tasks that stopped for one cause: shopkeepers look for their orders, and for products by name.
    OfCause(&'a CauseColumns),
}

/// What a table of one cause says of its tasks.
#[derive(Default)]
pub(super) struct CauseColumns {
    /// The names of products, by subject.
    pub(super) names: HashMap<String, String>,
    /// What the last attempt of each said, where that differs.
    pub(super) details: HashMap<Uuid, String>,
}

/// Tasks with two ways to replay them: all that match the filter, or the selected ones.
pub(super) struct ReplayForm<'a> {
    /// Where the form goes: `/replays`, or `/releases`.
    pub(super) action: &'static str,
    pub(super) filter: &'a TaskFilter,
    pub(super) columns: Columns<'a>,
    pub(super) rows: &'a [TaskRow],
    /// The number of tasks that match, which may be more than `rows`.
    pub(super) count: i64,
    /// Of how many orders among them it is unknown whether what was sent was applied.
    pub(super) unknown: i64,
    /// What follows, said before the buttons.
    pub(super) consequence: &'static str,
    /// Whether this is what helps. Where something else is corrected first, the buttons stand last.
    pub(super) is_remedy: bool,
    /// Names what is done and to how many.
    pub(super) label_all: String,
    pub(super) label_selected: &'static str,
}

impl ReplayForm<'_> {
    pub(super) fn render(&self, user: &User) -> Markup {
        if !user.is_operator() {
            return table(user, self.rows, self.columns, false);
        }
        let TaskFilter { connection, state, kind, subject, reason, detail, .. } = self.filter;
        let filter = [
            ("connection", connection),
            ("state", state),
            ("kind", kind),
            ("subject", subject),
            ("reason", reason),
            ("detail", detail),
        ];
        html! {
            form.listed method="post" action=(self.action) {
                (csrf_field(user))
                @for (name, value) in filter {
                    @if let Some(value) = value { input type="hidden" name=(name) value=(value); }
                }
                @if self.is_remedy { (self.buttons(user)) }
                (table(user, self.rows, self.columns, true))
                @if self.count > ROWS { p.small { (user.words().oldest_shown) } }
                @if !self.is_remedy { (self.buttons(user)) }
            }
        }
    }

    /// What follows, and the buttons.
    fn buttons(&self, user: &User) -> Markup {
        html! {
            div.well {
                @if !self.is_remedy { p { (attention_texts(user.language).fix_first) } }
                p.soft { (self.consequence) }
                @if self.unknown > 0 { p { (counted_in(self.unknown, attention_texts(user.language).unknown_among, user.language)) } }
                (at_most(user, self.count))
                div.actions {
                    button.main[self.is_remedy] name="which" value="all" { (self.label_all) }
                    button name="which" value="selected" { (self.label_selected) }
                }
            }
        }
    }
}

fn table(user: &User, rows: &[TaskRow], columns: Columns<'_>, is_selectable: bool) -> Markup {
    let words = user.words();
    let first = rows.first().filter(|_| matches!(columns, Columns::OfCause(_)));
    let label = first.map_or_else(|| words.tasks.to_owned(), |row| kind_label(user, &row.kind, 2));
    html! {
        div.card.flush {
            @if rows.is_empty() { (nothing(user)) } @else {
                div.scroll role="region" aria-label=(label) tabindex="0" { table.stack {
                    thead { tr {
                        @if is_selectable { th { input type="checkbox" data-all hidden aria-label=(words.select_all); } }
                        @match first {
                            None => {
                                th scope="col" { (words.task) } th scope="col" { (words.state) } th scope="col" { (words.why) }
                                th.num scope="col" { (words.attempts) } th scope="col" { (words.opened_at) }
                            }
                            Some(row) => {
                                th scope="col" { (kind_label(user, &row.kind, 1)) } th scope="col" { (words.waiting_since) }
                                @if row.kind != ORDER { th scope="col" { span.sr { (words.detail) } } }
                            }
                        }
                    } }
                    tbody { @for row in rows { (table_row(user, row, columns, is_selectable)) } }
                } }
            }
        }
    }
}

/// The noun of a kind of subject as a heading.
fn kind_label(user: &User, kind: &str, count: i64) -> String {
    explain::capitalised(one_or_many(noun(user, kind), count))
}

fn table_row(user: &User, row: &TaskRow, columns: Columns<'_>, is_selectable: bool) -> Markup {
    let words = user.words();
    let subject = subject_text(&row.subject, user.language);
    let here = format!("/tasks/{}", row.id);
    html! {
        tr {
            @if is_selectable { td { input type="checkbox" name="id" value=(row.id) aria-label=(subject); } }
            th scope="row" {
                @match columns {
                    Columns::All => { a href=(here) { (subject) } }
                    Columns::OfCause(of_cause) => {
                        @if let Some(name) = of_cause.names.get(&row.subject) { (name) }
                        @else { (subject_link(user, &row.connection, &row.subject)) }
                        @if let Some(detail) = of_cause.details.get(&row.id) { small { (detail) } }
                    }
                }
                small { (row.connection) }
            }
            @match columns {
                Columns::All => {
                    td { (state(user, &row.state)) }
                    td.wide { (reason(user, row.reason.as_deref())) }
                    td.num data-l=(words.attempts) { (row.attempts) }
                    td data-l=(words.opened_at) { (time(user, row.created_at)) }
                }
                Columns::OfCause(_) => {
                    td data-l=(words.waiting_since) { (time(user, row.created_at)) }
                    // An order's own page tells all of it.
                    @if row.kind != ORDER { td.wide { a href=(here) { (words.detail) } } }
                }
            }
        }
    }
}

/// The random end of an id; its beginning is the time, which neighbours share.
pub(super) fn short_id(id: Uuid) -> String {
    id.simple().to_string().split_off(24)
}

/// A subject; an order links to its page.
pub(super) fn subject_link(user: &User, connection: &str, subject: &str) -> Markup {
    let text = subject_text(subject, user.language);
    html! {
        @match subject.strip_prefix("order:") {
            Some(id) => { a href=(listing::order_path(connection, id)) { (text) } }
            None => { (text) }
        }
    }
}
