//! Offers what waited for a switch or a shipping rule that is there now, and releases it.

use axum::{extract::State, response::Redirect};
use maud::{Markup, html};
use sqlx::PgConnection;

use super::{
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    listing::url,
    user::User,
    widgets::{csrf_field, time},
};
use crate::{
    actions::{self, ConflictError, MAX_REPLAYED, Releasable},
    domain::task::reason::Reason,
    explain::{attention_texts, counted_in, method_names, number_text, one_or_many},
    store::{self, views::releasable::WaitingFilter},
};

/// What is ready, of all connections, as this user may see it.
pub(super) async fn load_ready(
    deps: &DashboardState,
    user: &User,
    db: &mut PgConnection,
) -> store::Result<Vec<Releasable>> {
    let mut ready = load_waiting(deps, user, db, None).await?;
    ready.retain(|it| it.ready);
    Ok(ready)
}

/// What waits for a switch or a rule, of one connection or of all, as this user may see it.
pub(super) async fn load_waiting(
    deps: &DashboardState,
    user: &User,
    db: &mut PgConnection,
    connection: Option<&str>,
) -> store::Result<Vec<Releasable>> {
    let listed = actions::list_releasable(db, &deps.rules).await?.into_iter();
    let waiting = listed.filter(|it| connection.is_none_or(|name| name == it.connection));
    let shown = |it: Releasable| {
        let detail = user.audience().waiting_detail(&it.kind, &it.reason, it.detail);
        Releasable { detail, ..it }
    };
    Ok(waiting.map(shown).collect())
}

/// One offer for each: how many wait, for what, a list to look at, and one button.
pub(super) fn offers(user: &User, ready: &[Releasable]) -> Markup {
    let words = user.words();
    html! {
        @for it in ready {
            section.card.offer aria-label=(words.offer) {
                p.lead {
                    b { (counted_in(it.count, noun(user, &it.kind), user.language)) } " " (words.offer_waited) " – " (it.connection) ", "
                    (words.oldest) " " (time(user, it.oldest_at))
                }
                p { (there_now(user, it)) }
                @if user.is_operator() { p.soft { (consequence(user, &it.kind)) } (at_most(user, it.count)) }
                div.actions {
                    @if user.is_operator() {
                        form method="post" action="/releases" {
                            (csrf_field(user))
                            input type="hidden" name="connection" value=(it.connection);
                            input type="hidden" name="reason" value=(it.reason);
                            @if let Some(detail) = &it.detail { input type="hidden" name="detail" value=(detail); }
                            button.main name="which" value="all" { (send_label(user, &it.kind, it.count)) }
                        }
                    }
                    a.btn href=(list_path(it)) { (one_or_many(words.offer_show, it.count)) }
                }
            }
        }
    }
}

/// What follows when everything of a kind is released: said before the button.
pub(super) fn consequence(user: &User, kind: &str) -> &'static str {
    let texts = attention_texts(user.language);
    if kind == "order" { texts.release_orders } else { texts.release_others }
}

/// That one button does not do all of it, where that is so.
pub(super) fn at_most(user: &User, count: i64) -> Markup {
    let many = number_text(MAX_REPLAYED, user.language);
    html! { @if count > MAX_REPLAYED { p.soft { (attention_texts(user.language).at_most.replace('%', &many)) } } }
}

/// What a button does that sends or writes all that waited, and to how many.
pub(super) fn send_label(user: &User, kind: &str, count: i64) -> String {
    let texts = attention_texts(user.language);
    let label = match kind {
        "order" => texts.release_counted,
        "product" => texts.upload_counted,
        _ => texts.write_counted,
    };
    label.replace('%', &replayed(user, Some(kind), count))
}

/// What a button does that tries all again, and to how many; without a kind they are of several.
pub(super) fn try_label(user: &User, kind: Option<&str>, count: i64) -> String {
    attention_texts(user.language).try_counted.replace('%', &replayed(user, kind, count))
}

/// As many as one replay takes.
fn replayed(user: &User, kind: Option<&str>, count: i64) -> String {
    let noun = kind.map_or(user.words().task_count, |kind| noun(user, kind));
    counted_in(count.min(MAX_REPLAYED), noun, user.language)
}

/// The noun of a kind of subject, for [`counted_in`].
pub(super) fn noun(user: &User, kind: &str) -> &'static str {
    let words = user.words();
    match kind {
        "order" => words.order_count,
        "product" => words.product_count,
        _ => words.stock_count,
    }
}

/// What they waited for.
fn there_now(user: &User, it: &Releasable) -> String {
    let words = user.words();
    match (Reason::parse(&it.reason), it.kind.as_str()) {
        (Some(Reason::ShippingUnmapped), _) => {
            let method = it.detail.as_deref().map(method_names).unwrap_or_default();
            format!("{} {method}", words.offer_rule)
        }
        (_, "order") => words.offer_orders.to_owned(),
        (_, "product") => words.offer_products.to_owned(),
        _ => words.offer_stock.to_owned(),
    }
}

/// The page that lists them.
fn list_path(it: &Releasable) -> String {
    let state = if it.reason == Reason::ShippingUnmapped.code() { "dead" } else { "skipped" };
    let query = [
        ("connection", Some(it.connection.as_str())),
        ("kind", Some(it.kind.as_str())),
        ("reason", Some(it.reason.as_str())),
        ("state", Some(state)),
        ("detail", it.detail.as_deref()),
    ];
    url("/attention/cause", &query, None)
}

/// Releases what waits for the same, or the selected of it.
pub(super) async fn create(
    State(deps): State<DashboardState>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    let ids = if form.field("which") == Some("selected") { Some(form.ids()?) } else { None };
    if ids.as_ref().is_some_and(Vec::is_empty) {
        return Err(PageError::Conflict(ConflictError::NothingSelected));
    }
    let filter = WaitingFilter {
        connection: form.require("connection")?,
        reason: form.require("reason")?,
        detail: form.field("detail"),
        ids: ids.as_deref(),
    };
    let replay = form.execute(&deps, async |db, actor| actions::release(db, actor, &filter).await).await?;
    Ok(Redirect::to(&format!("/replays/{}", replay.id)))
}

/// Whether a reason is one that a release ends.
pub(super) fn is_of_a_switch(code: &str) -> bool {
    matches!(
        Reason::parse(code),
        Some(
            Reason::ManualTransfer
                | Reason::TransferOff
                | Reason::ManualUpload
                | Reason::UploadOff
                | Reason::ManualStockUpdate
                | Reason::StockUpdateOff
        )
    )
}
