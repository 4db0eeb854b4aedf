//! The overview: whether everything works, and what to do.

use axum::extract::State;
use chrono::TimeDelta;
use maud::{Markup, html};
use sqlx::PgConnection;

use super::{
    chart,
    deps::DashboardState,
    error::PageError,
    frame::MenuItem,
    listing::{ROWS, url},
    page::page,
    releases::{load_ready, offers},
    user::User,
    widgets::{health, reason, remedy, switches, time, time_or_never},
};
use crate::{
    domain::{Timestamp, alert::AlertKind, order_rate::OrderRate, sync::SyncKind, vendor::Vendor},
    explain::{self, counted, decimal, sync_kind_text},
    store::{
        self, Page,
        alerts::{self, AlertRow},
        connections::{self, ConnectionRow},
        order_rate, polls, rate_limits, syncs,
        views::{
            attention,
            overview::{self, Backlog},
            throughput,
        },
    },
};

/// A connection whose oldest task has been due for longer is slow.
const SLOW: TimeDelta = TimeDelta::minutes(5);

/// The state of one connection.
struct ConnectionCard {
    row: ConnectionRow,
    health: &'static str,
    backlog: Option<Backlog>,
    order_rate: OrderRate,
    polled_at: Option<Timestamp>,
    hours: Vec<throughput::Hour>,
    last_syncs: Vec<LastSync>,
    rates: Vec<CallRate>,
}

/// The last sync of a kind.
struct LastSync {
    kind: SyncKind,
    finished_at: Option<Timestamp>,
    differences: i64,
}

/// Calls a second to a vendor.
struct CallRate {
    vendor: Vendor,
    current: f64,
    configured: f64,
}

/// The first page.
pub(super) async fn show(State(deps): State<DashboardState>, user: User) -> Result<Markup, PageError> {
    let mut db = deps.pool.acquire().await?;
    let cards = load_cards(&deps, &mut db).await?;
    let causes = attention::list_causes(&mut db).await?;
    let ready = load_ready(&deps, &user, &mut db, None).await?;
    let alerts = alerts::list(&mut db, true, &Page { before: None, limit: ROWS }).await?;
    drop(db);
    let notified = alerts.into_iter().filter(|alert| alert.notified_at.is_some());
    let notified: Vec<_> = notified.map(|alert| user.audience().alert(alert)).collect();
    let words = user.words();
    let waiting: i64 = causes.iter().map(|cause| cause.count).sum();
    let is_stopped = cards.iter().any(|card| card.health != "ok");
    let (class, verdict) = match (is_stopped, waiting) {
        (true, _) => ("flash stop", words.connection_stopped),
        (false, 1..) => ("flash warn", words.attention_needed),
        _ => ("flash ok", words.all_ok),
    };
    let main = html! {
        h1 { (words.overview) }
        p class=(class) role="status" {
            (verdict) " "
            @if waiting > 0 { a href="/attention" { span data-live="attention" { (waiting) } " – " (words.attention) } }
        }
        (offers(&user, &ready))
        @if !notified.is_empty() { (alert_list(&user, &notified)) }
        @if cards.is_empty() { p { (words.no_connections) } }
        @for card in &cards { (card.render(&user)) }
    };
    Ok(page(&user, MenuItem::Overview, words.overview, &main))
}

/// Open alerts that were sent.
fn alert_list(user: &User, alerts: &[AlertRow]) -> Markup {
    let words = user.words();
    html! {
        section.card aria-label=(words.alerts) {
            h2 { (words.alerts) }
            ul.alerts { @for alert in alerts { li {
                @if let Some(kind) = AlertKind::parse(&alert.kind) {
                    @let text = explain::alert_text(kind, user.language);
                    a href=(text.page) { (alert.connection) ": " (text.title) }
                    " – " (words.since) " " (time(user, alert.seen_at))
                    p.small { (explain::alert_detail(kind, alert.count, &alert.detail, user.language)) }
                    p.remedy { (text.remedy) }
                    @if alert.unsent > 0 { p.stop-text { (words.alert_unsent) } }
                }
            } } }
        }
    }
}

impl ConnectionCard {
    fn render(&self, user: &User) -> Markup {
        let words = user.words();
        let connection = [("connection", Some(self.row.name.as_str()))];
        html! {
            section.card aria-label=(self.row.name) {
                h2 { a href=(url("/connections", &connection, None)) { (self.row.name) } " " (health(user, self.health)) }
                (switches(user, self.row.switches()))
                (self.facts(user))
                @if let Some(code) = &self.row.circuit_reason { p.stop-text { (reason(user, Some(code))) } (remedy(user, code)) }
                @if let Some(detail) = &self.row.brake_detail {
                    p.stop-text { (words.braked) ": " (explain::detail(detail, user.language)) }
                }
                h3 { (words.last_day) }
                (chart::day(&self.hours, words))
            }
        }
    }

    fn facts(&self, user: &User) -> Markup {
        let words = user.words();
        let silence = TimeDelta::seconds(self.order_rate.silent_seconds.cast_signed());
        let connection = [("connection", Some(self.row.name.as_str()))];
        html! {
            dl.stats {
                div { dt { (words.last_order_at) } dd {
                    (time(user, user.now - silence))
                    @if self.order_rate.is_suspicious { " " strong.stop-text { (words.silent) } }
                } }
                div { dt { (words.last_polled) } dd { (time_or_never(user, self.polled_at)) } }
                @if let Some(backlog) = &self.backlog {
                    div { dt { (words.open_now) } dd { a href=(url("/tasks", &connection, None)) { (backlog.open) } } }
                    div { dt { (words.oldest_due) } dd {
                        @if let Some(at) = backlog.oldest_due_at { (time(user, at)) } @else { (words.nothing_due) }
                    } }
                }
                @for rate in &self.rates { (rate.render(user)) }
                @for sync in &self.last_syncs { (sync.render(user)) }
            }
        }
    }
}

impl LastSync {
    fn render(&self, user: &User) -> Markup {
        let words = user.words();
        html! {
            div { dt { (words.last_sync) ", " (sync_kind_text(self.kind, words)) } dd {
                @if self.differences == 0 && self.finished_at.is_some() { (words.no_differences) ", " }
                @if self.differences > 0 { strong.stop-text { (counted(self.differences, words.difference_count)) } ", " }
                (time_or_never(user, self.finished_at))
            } }
        }
    }
}

impl CallRate {
    fn render(&self, user: &User) -> Markup {
        let words = user.words();
        let vendor = match self.vendor {
            Vendor::MyCashflow => words.to_shop,
            Vendor::Ogoship => words.to_warehouse,
        };
        let [current, configured] = [self.current, self.configured].map(|rate| decimal(rate, user.language));
        html! {
            div { dt { (words.rate) ", " (vendor) } dd { (current) " / " (configured) " " (words.calls_a_second) } }
        }
    }
}

async fn load_cards(deps: &DashboardState, db: &mut PgConnection) -> store::Result<Vec<ConnectionCard>> {
    let backlogs = overview::backlog(db, deps.clock.now()).await?;
    let mut cards = Vec::new();
    for row in connections::list(db).await? {
        let backlog = backlogs.iter().find(|backlog| backlog.connection == row.name).cloned();
        cards.push(load_card(deps, db, row, backlog).await?);
    }
    Ok(cards)
}

async fn load_card(
    deps: &DashboardState,
    db: &mut PgConnection,
    row: ConnectionRow,
    backlog: Option<Backlog>,
) -> store::Result<ConnectionCard> {
    let now = deps.clock.now();
    let oldest_due_at = backlog.as_ref().and_then(|backlog| backlog.oldest_due_at);
    let health = match row.health() {
        "ok" if oldest_due_at.is_some_and(|at| now - at > SLOW) => "slow",
        health => health,
    };
    let order_rate = order_rate::read(db, &row.name, row.created_at, now).await?;
    let polls = polls::list(db, &row.name).await?;
    let polled_at = polls.iter().filter_map(|poll| poll.last_finished_at).max();
    let since = now - TimeDelta::hours(23);
    let hours = throughput::list_hours(db, Some(&row.name), since, now).await?;
    let last_syncs = load_last_syncs(db, &row.name).await?;
    let rates = load_rates(deps, db, &row.name).await?;
    Ok(ConnectionCard { row, health, backlog, order_rate, polled_at, hours, last_syncs, rates })
}

async fn load_last_syncs(db: &mut PgConnection, connection: &str) -> store::Result<Vec<LastSync>> {
    let mut last_syncs = Vec::new();
    for kind in SyncKind::ALL.iter().copied() {
        let newest = Page { before: None, limit: 1 };
        let sync = syncs::list(db, Some(connection), Some(kind.as_str()), &newest).await?.pop();
        last_syncs.push(LastSync {
            kind,
            finished_at: sync.as_ref().and_then(|sync| sync.finished_at),
            differences: sync.map_or(0, |sync| sync.difference_count),
        });
    }
    Ok(last_syncs)
}

/// The rate that the rate limiter allows now, and the configured one.
async fn load_rates(
    deps: &DashboardState,
    db: &mut PgConnection,
    connection: &str,
) -> store::Result<Vec<CallRate>> {
    let Some((_, configured)) = deps.rates.iter().find(|(known, _)| known == connection) else {
        return Ok(Vec::new());
    };
    let mut rates = Vec::new();
    for (vendor, configured) in [Vendor::MyCashflow, Vendor::Ogoship].into_iter().zip(*configured) {
        let stored = rate_limits::find(db, connection, vendor.as_str()).await?;
        // The row's times are the database's.
        let now = deps.clock.now() - deps.clock.ahead_of(stored.read_at);
        let current = stored.limit.map_or(configured, |limit| limit.rate(configured, now));
        rates.push(CallRate { vendor, current, configured });
    }
    Ok(rates)
}
