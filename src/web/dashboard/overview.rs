//! Overview: is everything flowing, and what must I do?

use axum::extract::State;
use maud::{Markup, html};
use sqlx::PgConnection;

use super::{
    Dash,
    guard::Refusal,
    page::{self, Place, page, time, time_or_never},
    plot,
    session::Visitor,
    words::Words,
};
use crate::{
    domain::{Timestamp, alert::AlertKind, id::first_id_at, order_rate::Rhythm, sync::What, vendor::System},
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

/// Deliveries due for longer than this are a slow connection.
const SLOW: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

/// A connection in one glance.
struct Glance {
    row: ConnectionRow,
    health: &'static str,
    backlog: Option<Backlog>,
    rhythm: Rhythm,
    swept_at: Option<Timestamp>,
    hours: Vec<attention::Hour>,
    /// What was compared, when, and how many differences it left.
    compared: Vec<(What, Option<Timestamp>, i64)>,
    /// Which system, how many calls a second now, and of how many.
    rates: Vec<(System, f64, f64)>,
}

/// The first page.
pub(super) async fn show(State(dash): State<Dash>, visitor: Visitor) -> Result<Markup, Refusal> {
    let mut db = dash.pool.acquire().await?;
    let glances = glances(&dash, &mut db).await?;
    let causes = attention::causes(&mut db).await?;
    let open = alerts::list(&mut db, true, &Page { before: None, limit: page::ROWS }).await?;
    drop(db);
    let words = visitor.language.words();
    let waiting: i64 = causes.iter().map(|cause| cause.count).sum();
    let is_stopped = glances.iter().any(|it| !matches!(it.health, "flowing"));
    let (class, verdict) = match (is_stopped, waiting) {
        (true, _) => ("verdict bad", words.some_stopped),
        (false, 1..) => ("verdict odd", words.someone_needed),
        _ => ("verdict good", words.all_flows),
    };
    let main = html! {
        h1 { (words.overview) }
        p class=(class) role="status" {
            (verdict) " "
            @if waiting > 0 { a href="/needs" { span data-live="needs" { (waiting) } " – " (words.needs) } }
        }
        @if open.iter().any(|alert| alert.told_at.is_some()) { (alert_list(&dash, &visitor, &open)) }
        @if glances.is_empty() { p { (words.no_connections) } }
        @for glance in &glances { (card(&dash, &visitor, glance)) }
    };
    Ok(page(&visitor, Place::Overview, words.overview, &main))
}

/// Alerts that somebody was told of and that last.
fn alert_list(dash: &Dash, visitor: &Visitor, open: &[AlertRow]) -> Markup {
    let words = visitor.language.words();
    html! {
        section.card aria-label=(words.alerts) {
            h2 { (words.alerts) }
            ul.alerts { @for alert in open.iter().filter(|alert| alert.told_at.is_some()) { li {
                @if let Some(kind) = AlertKind::parse(&alert.kind) {
                    @let told = explain::alert_words(kind, visitor.language);
                    a href=(told.page) { (alert.connection) ": " (told.title) } " – " (words.since) " " (time(dash, visitor, alert.seen_at))
                    p.small { (explain::alert_detail(alert.count, &alert.detail)) }
                    p.remedy { (told.remedy) }
                    @if alert.unsent > 0 { p.warn { (words.alert_unsent) } }
                }
            } } }
        }
    }
}

fn card(dash: &Dash, visitor: &Visitor, glance: &Glance) -> Markup {
    let words = visitor.language.words();
    let Glance { row, health, backlog, rhythm, swept_at, hours, compared, rates } = glance;
    let heard = dash.clock.now() - chrono::TimeDelta::seconds(rhythm.silent_seconds.cast_signed());
    html! {
        section.card aria-label=(row.name) {
            h2 { a href=(page::link("/connections", &[("connection", Some(&row.name))], None)) { (row.name) } " " (named(health, words)) }
            dl.facts {
                div { dt { (words.last_heard) } dd {
                    (time(dash, visitor, heard))
                    @if rhythm.is_suspicious { " " strong.warn { (words.silent) } }
                } }
                div { dt { (words.last_swept) } dd { (time_or_never(dash, visitor, *swept_at)) } }
                @if let Some(backlog) = backlog {
                    div { dt { (words.open_now) } dd { a href=(page::link("/deliveries", &[("connection", Some(&row.name))], None)) { (backlog.open) } } }
                    div { dt { (words.oldest_due) } dd {
                        @if let Some(at) = backlog.oldest_due_at { (time(dash, visitor, at)) } @else { (words.none_waiting) }
                    } }
                }
                @for (system, now, of) in rates {
                    div { dt { (words.rate) ", " (system_word(*system, words)) } dd { (format!("{now:.1}")) " / " (format!("{of:.1}")) " " (words.a_second) } }
                }
                @for (what, at, differences) in compared {
                    div { dt { (words.last_compared) ", " (what_word(*what, words)) } dd {
                        @if *differences == 0 && at.is_some() { (words.no_differences) ", " }
                        @if *differences > 0 { strong.warn { (differences) " " (words.differences_found) } ", " }
                        (time_or_never(dash, visitor, *at))
                    } }
                }
            }
            @if let Some(reason) = &row.held_reason { p.warn { (page::reason(visitor, Some(reason))) }
                (super::attention::remedy(visitor, reason)) }
            @if let Some(detail) = &row.brake_detail { p.warn { (words.braked) ": " (detail) } }
            h3 { (words.last_day) }
            (plot::day(hours, words))
        }
    }
}

/// A connection's health as a word.
pub(super) fn named(health: &str, words: &Words) -> Markup {
    let word = match health {
        "flowing" => words.flowing,
        "slow" => words.slow,
        "paused" => words.paused,
        "held" => words.held,
        _ => words.braked,
    };
    let class = match health {
        "flowing" => "state good",
        "held" => "state bad",
        _ => "state odd",
    };
    html! { span class=(class) { (word) } }
}

/// What is compared, in words.
pub(super) fn what_word(what: What, words: &Words) -> &'static str {
    match what {
        What::Products => words.what_products,
        What::Stock => words.what_stock,
        What::Orders => words.what_orders,
    }
}

const fn system_word(system: System, words: &Words) -> &'static str {
    match system {
        System::MyCashflow => words.to_shop,
        System::Ogoship => words.to_warehouse,
    }
}

async fn glances(dash: &Dash, db: &mut PgConnection) -> store::Result<Vec<Glance>> {
    let now = dash.clock.now();
    let backlog = overview::backlog(db, now).await?;
    let mut glances = Vec::new();
    for row in connections::list(db).await? {
        let backlog = backlog.iter().find(|backlog| backlog.connection == row.name).cloned();
        let is_slow = backlog.as_ref().and_then(|it| it.oldest_due_at).is_some_and(|at| now - at > SLOW);
        let health = match row.health() {
            "flowing" if is_slow => "slow",
            health => health,
        };
        let rhythm = order_rate::read(db, &row.name, row.created_at, now).await?;
        let swept = polls::list(db, &row.name).await?;
        let swept_at = swept.iter().filter_map(|sweep| sweep.last_finished_at).max();
        let since = now - chrono::TimeDelta::hours(23);
        let hours = attention::hours(db, Some(&row.name), (since, first_id_at(since)), now).await?;
        let mut compared = Vec::new();
        for what in What::ALL {
            let newest = Page { before: None, limit: 1 };
            let last = syncs::list(db, Some(&row.name), Some(what.as_str()), &newest).await?.pop();
            let at = last.as_ref().and_then(|sync| sync.finished_at);
            compared.push((what, at, last.map_or(0, |sync| sync.difference_count)));
        }
        let rates = rates(dash, db, &row.name).await?;
        glances.push(Glance { row, health, backlog, rhythm, swept_at, hours, compared, rates });
    }
    Ok(glances)
}

/// How many calls a second each system takes now, of how many that are configured.
async fn rates(dash: &Dash, db: &mut PgConnection, name: &str) -> store::Result<Vec<(System, f64, f64)>> {
    let Some((_, configured)) = dash.rates.iter().find(|(known, _)| known == name) else {
        return Ok(Vec::new());
    };
    let mut rates = Vec::new();
    for (system, of) in [System::MyCashflow, System::Ogoship].into_iter().zip(*configured) {
        let standing = rate_limits::find(db, name, system.as_str()).await?;
        rates.push((system, standing.map_or(of, |it| it.rate(of, dash.clock.now())), of));
    }
    Ok(rates)
}
