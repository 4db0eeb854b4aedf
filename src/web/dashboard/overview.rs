//! Overview: is everything flowing, and what must I do?

use axum::extract::State;
use maud::{Markup, html};
use sqlx::PgConnection;

use super::{
    deps::DashboardState,
    error::PageError,
    page::{self, MenuItem, page, time, time_or_never},
    plot,
    user::User,
    words::Words,
};
use crate::{
    domain::{
        Timestamp, alert::AlertKind, id::first_id_at, order_rate::OrderRate, sync::SyncKind, vendor::Vendor,
    },
    explain,
    store::{
        self, Page,
        alerts::{self, AlertRow},
        connections::{self, ConnectionRow},
        order_rate, polls, rate_limits, syncs,
        views::{
            attention,
            overview::{self, Backlog},
        },
    },
};

/// Tasks due for longer than this are a slow connection.
const SLOW: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

/// A connection in one connection_card.
struct ConnectionCard {
    row: ConnectionRow,
    health: &'static str,
    backlog: Option<Backlog>,
    order_rate: OrderRate,
    polled_at: Option<Timestamp>,
    hours: Vec<attention::Hour>,
    /// What was syncs_by_kind, when, and how many differences it left.
    syncs_by_kind: Vec<(SyncKind, Option<Timestamp>, i64)>,
    /// Which vendor, how many calls a second now, and of how many.
    rates: Vec<(Vendor, f64, f64)>,
}

/// The first page.
pub(super) async fn show(State(deps): State<DashboardState>, user: User) -> Result<Markup, PageError> {
    let mut db = deps.pool.acquire().await?;
    let cards = load_cards(&deps, &mut db).await?;
    let causes = attention::list_causes(&mut db).await?;
    let open = alerts::list(&mut db, true, &Page { before: None, limit: page::ROWS }).await?;
    drop(db);
    let words = user.language.words();
    let waiting: i64 = causes.iter().map(|cause| cause.count).sum();
    let is_stopped = cards.iter().any(|it| !matches!(it.health, "ok"));
    let (class, verdict) = match (is_stopped, waiting) {
        (true, _) => ("verdict bad", words.connection_stopped),
        (false, 1..) => ("verdict odd", words.attention_needed),
        _ => ("verdict good", words.all_ok),
    };
    let main = html! {
        h1 { (words.overview) }
        p class=(class) role="status" {
            (verdict) " "
            @if waiting > 0 { a href="/attention" { span data-live="attention" { (waiting) } " – " (words.attention) } }
        }
        @if open.iter().any(|alert| alert.notified_at.is_some()) { (alert_list(&deps, &user, &open)) }
        @if cards.is_empty() { p { (words.no_connections) } }
        @for connection_card in &cards { (card(&deps, &user, connection_card)) }
    };
    Ok(page(&user, MenuItem::Overview, words.overview, &main))
}

/// Alerts that somebody was told of and that last.
fn alert_list(deps: &DashboardState, user: &User, open: &[AlertRow]) -> Markup {
    let words = user.language.words();
    html! {
        section.card aria-label=(words.alerts) {
            h2 { (words.alerts) }
            ul.alerts { @for alert in open.iter().filter(|alert| alert.notified_at.is_some()) { li {
                @if let Some(kind) = AlertKind::parse(&alert.kind) {
                    @let told = explain::alert_text(kind, user.language);
                    a href=(told.page) { (alert.connection) ": " (told.title) } " – " (words.since) " " (time(deps, user, alert.seen_at))
                    p.small { (explain::alert_detail(alert.count, &alert.detail)) }
                    p.remedy { (told.remedy) }
                    @if alert.unsent > 0 { p.warn { (words.alert_unsent) } }
                }
            } } }
        }
    }
}

fn card(deps: &DashboardState, user: &User, connection_card: &ConnectionCard) -> Markup {
    let words = user.language.words();
    let ConnectionCard { row, health, backlog, order_rate, polled_at, hours, syncs_by_kind, rates } =
        connection_card;
    let last_order_at =
        deps.clock.now() - chrono::TimeDelta::seconds(order_rate.silent_seconds.cast_signed());
    html! {
        section.card aria-label=(row.name) {
            h2 { a href=(page::url("/connections", &[("connection", Some(&row.name))], None)) { (row.name) } " " (health_badge(health, words)) }
            dl.facts {
                div { dt { (words.last_order_at) } dd {
                    (time(deps, user, last_order_at))
                    @if order_rate.is_suspicious { " " strong.warn { (words.silent) } }
                } }
                div { dt { (words.last_polled) } dd { (time_or_never(deps, user, *polled_at)) } }
                @if let Some(backlog) = backlog {
                    div { dt { (words.open_now) } dd { a href=(page::url("/tasks", &[("connection", Some(&row.name))], None)) { (backlog.open) } } }
                    div { dt { (words.oldest_due) } dd {
                        @if let Some(at) = backlog.oldest_due_at { (time(deps, user, at)) } @else { (words.nothing_due) }
                    } }
                }
                @for (vendor, now, of) in rates {
                    div { dt { (words.rate) ", " (vendor_label(*vendor, words)) } dd { (format!("{now:.1}")) " / " (format!("{of:.1}")) " " (words.a_second) } }
                }
                @for (what, at, differences) in syncs_by_kind {
                    div { dt { (words.last_sync) ", " (sync_kind_label(*what, words)) } dd {
                        @if *differences == 0 && at.is_some() { (words.no_differences) ", " }
                        @if *differences > 0 { strong.warn { (differences) " " (words.differences_found) } ", " }
                        (time_or_never(deps, user, *at))
                    } }
                }
            }
            @if let Some(reason) = &row.circuit_reason { p.warn { (page::reason(user, Some(reason))) }
                (super::attention::remedy(user, reason)) }
            @if let Some(detail) = &row.brake_detail { p.warn { (words.braked) ": " (detail) } }
            h3 { (words.last_day) }
            (plot::day(hours, words))
        }
    }
}

/// A connection's health as a word.
pub(super) fn health_badge(health: &str, words: &Words) -> Markup {
    let word = match health {
        "ok" => words.ok,
        "slow" => words.slow,
        "paused" => words.paused,
        "circuit_open" => words.circuit_open,
        _ => words.braked,
    };
    let class = match health {
        "ok" => "state good",
        "circuit_open" => "state bad",
        _ => "state odd",
    };
    html! { span class=(class) { (word) } }
}

/// What is syncs_by_kind, in words.
pub(super) fn sync_kind_label(what: SyncKind, words: &Words) -> &'static str {
    match what {
        SyncKind::Products => words.what_products,
        SyncKind::Stock => words.what_stock,
        SyncKind::Orders => words.what_orders,
    }
}

const fn vendor_label(vendor: Vendor, words: &Words) -> &'static str {
    match vendor {
        Vendor::MyCashflow => words.to_shop,
        Vendor::Ogoship => words.to_warehouse,
    }
}

async fn load_cards(deps: &DashboardState, db: &mut PgConnection) -> store::Result<Vec<ConnectionCard>> {
    let now = deps.clock.now();
    let backlog = overview::backlog(db, now).await?;
    let mut cards = Vec::new();
    for row in connections::list(db).await? {
        let backlog = backlog.iter().find(|backlog| backlog.connection == row.name).cloned();
        let is_slow = backlog.as_ref().and_then(|it| it.oldest_due_at).is_some_and(|at| now - at > SLOW);
        let health = match row.health() {
            "ok" if is_slow => "slow",
            health => health,
        };
        let order_rate = order_rate::read(db, &row.name, row.created_at, now).await?;
        let polls = polls::list(db, &row.name).await?;
        let polled_at = polls.iter().filter_map(|poll| poll.last_finished_at).max();
        let since = now - chrono::TimeDelta::hours(23);
        let hours = attention::list_hours(db, Some(&row.name), (since, first_id_at(since)), now).await?;
        let mut syncs_by_kind = Vec::new();
        for what in SyncKind::ALL {
            let newest = Page { before: None, limit: 1 };
            let last = syncs::list(db, Some(&row.name), Some(what.as_str()), &newest).await?.pop();
            let at = last.as_ref().and_then(|sync| sync.finished_at);
            syncs_by_kind.push((what, at, last.map_or(0, |sync| sync.difference_count)));
        }
        let rates = rates(deps, db, &row.name).await?;
        cards.push(ConnectionCard {
            row,
            health,
            backlog,
            order_rate,
            polled_at,
            hours,
            syncs_by_kind,
            rates,
        });
    }
    Ok(cards)
}

/// How many calls a second each vendor takes now, of how many that are configured.
async fn rates(
    deps: &DashboardState,
    db: &mut PgConnection,
    name: &str,
) -> store::Result<Vec<(Vendor, f64, f64)>> {
    let Some((_, configured)) = deps.rates.iter().find(|(known, _)| known == name) else {
        return Ok(Vec::new());
    };
    let mut rates = Vec::new();
    for (vendor, of) in [Vendor::MyCashflow, Vendor::Ogoship].into_iter().zip(*configured) {
        let standing = rate_limits::find(db, name, vendor.as_str()).await?;
        rates.push((vendor, standing.map_or(of, |it| it.rate(of, deps.clock.now())), of));
    }
    Ok(rates)
}
