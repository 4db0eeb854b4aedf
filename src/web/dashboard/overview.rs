//! The overview: whether orders move, what needs a person, and the figures of a day, a week or a month.

use axum::extract::{Query, State};
use chrono::TimeDelta;
use maud::{Markup, html};
use serde::Deserialize;
use sqlx::PgConnection;

use super::{
    decisions::{self, Decision},
    deps::DashboardState,
    error::PageError,
    frame::MenuItem,
    overview_figures::{CallRate, by_hour, load_rates, speed, vendor_table},
    overview_state::Moving,
    page::page,
    releases::{load_ready, offers},
    status_bar::{Part, status_bar},
    user::User,
    widgets::{inline_time, order_link, switches},
};
use crate::{
    domain::{Timestamp, alert::AlertKind, order::OrderStatus},
    explain::{self, counted},
    store::{
        self, Page,
        alerts::{self, AlertRow},
        connections::{self, ConnectionRow},
        views::{
            figures::{self, Figures},
            orders, overview,
            recent_changes::{self, RecentChange},
            vendors_down::{self, VendorDown},
        },
    },
};

/// Changes of orders shown as what just happened.
const NEWS: i64 = 10;

/// Decisions shown; the others stand under needs attention.
const DECISIONS: usize = 3;

/// How far back the figures look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Range {
    #[default]
    Day,
    Week,
    Month,
}

impl Range {
    /// From when on.
    pub(super) fn since(self, now: Timestamp) -> Timestamp {
        now - match self {
            Self::Day => TimeDelta::hours(23),
            Self::Week => TimeDelta::hours(7 * 24 - 1),
            Self::Month => TimeDelta::hours(30 * 24 - 1),
        }
    }
}

/// The query of the overview.
#[derive(Debug, Default, Deserialize)]
pub(super) struct OverviewQuery {
    #[serde(default)]
    range: Range,
}

/// All that the page shows.
pub(super) struct Overview {
    pub(super) connections: Vec<ConnectionRow>,
    pub(super) backlogs: Vec<overview::Backlog>,
    pub(super) down: Vec<VendorDown>,
    pub(super) decisions: Vec<Decision>,
    pub(super) statuses: Vec<(String, i64)>,
    pub(super) figures: Figures,
    pub(super) rates: Vec<CallRate>,
    pub(super) news: Vec<RecentChange>,
    pub(super) alerts: Vec<AlertRow>,
}

/// The first page.
pub(super) async fn show(
    State(deps): State<DashboardState>,
    user: User,
    Query(OverviewQuery { range }): Query<OverviewQuery>,
) -> Result<Markup, PageError> {
    let words = user.words();
    let mut db = deps.pool.acquire().await?;
    let overview = load(&deps, &user, &mut db, range).await?;
    let ready = load_ready(&deps, &user, &mut db, None).await?;
    drop(db);
    let moving = Moving::of(&overview, user.now);
    let main = html! {
        (head(&user, &overview, &moving, range))
        (moving.banners(&user, &overview))
        @for connection in &overview.connections { (switches(&user, connection.switches())) }
        (offers(&user, &ready))
        (alert_list(&user, &overview.alerts))
        @if !overview.decisions.is_empty() {
            section.card.flush aria-labelledby="need" {
                div.row {
                    h2 #need { (words.attention) }
                    a href="/attention" { (words.all_decisions) " (" (overview.decisions.len()) ")" }
                }
                (decisions::lines(&user, &overview.decisions, DECISIONS))
            }
        }
        (statuses(&user, &overview))
        div.cols {
            div {
                (by_hour(&user, &overview.figures, range))
                (speed(&user, &overview.figures))
                (vendor_table(&user, &overview, range))
            }
            (news_list(&user, &overview.news))
        }
    };
    Ok(page(&user, MenuItem::Overview, words.overview, &main))
}

async fn load(
    deps: &DashboardState,
    user: &User,
    db: &mut PgConnection,
    range: Range,
) -> store::Result<Overview> {
    let alerts = alerts::list(db, true, &Page { before: None, limit: 20 }).await?;
    let notified = alerts.into_iter().filter(|alert| alert.notified_at.is_some() && !is_shown_anyway(alert));
    Ok(Overview {
        connections: connections::list(db).await?,
        backlogs: overview::backlog(db, user.now).await?,
        down: vendors_down::list(db).await?,
        decisions: decisions::load(db, user.audience()).await?,
        statuses: orders::count_by_status(db, None).await?,
        figures: figures::load(db, None, range.since(user.now), user.now).await?,
        rates: load_rates(deps, db).await?,
        news: recent_changes::list(db, None, NEWS).await?,
        alerts: notified.map(|alert| user.audience().alert(alert)).collect(),
    })
}

fn head(user: &User, overview: &Overview, moving: &Moving, range: Range) -> Markup {
    let words = user.words();
    let ranges = [
        (Range::Day, "day", words.range_day),
        (Range::Week, "week", words.range_week),
        (Range::Month, "month", words.range_month),
    ];
    html! {
        div.head {
            div {
                h1 { (moving.sentence(user)) " " (moving.decisions(user, overview.decisions.len())) }
                p { (moving.more(user, overview)) }
            }
            nav.tabs aria-label=(words.time_range) {
                @for (it, name, label) in ranges {
                    a href=(format!("/?range={name}")) aria-current=[(it == range).then_some("true")] { (label) }
                }
            }
        }
    }
}

/// Whether the page says it in another place: what needs attention, and what stops orders.
fn is_shown_anyway(alert: &AlertRow) -> bool {
    matches!(AlertKind::parse(&alert.kind), Some(AlertKind::Dead | AlertKind::CircuitOpen))
}

/// Open alerts that were sent, other than of what the page shows anyway.
fn alert_list(user: &User, alerts: &[AlertRow]) -> Markup {
    let words = user.words();
    html! {
        @if !alerts.is_empty() {
            section.card.alerts aria-label=(words.alerts) {
                h2 { (words.alerts) }
                @for alert in alerts {
                    @if let Some(kind) = AlertKind::parse(&alert.kind) {
                        @let text = explain::alert_text(kind, user.language);
                        div {
                            p { a href=(text.page) { (alert.connection) ": " (text.title) } " – " (words.since) " " (inline_time(user, alert.seen_at)) }
                            p.soft { (explain::alert_detail(kind, alert.count, &alert.detail, user.language)) " " (text.remedy) }
                            @if alert.unsent > 0 { p.stop-text { (words.alert_unsent) } }
                        }
                    }
                }
            }
        }
    }
}

fn statuses(user: &User, overview: &Overview) -> Markup {
    let words = user.words();
    let counted_as = |status: OrderStatus| {
        let found = overview.statuses.iter().find(|(known, _)| known == status.as_str());
        found.map_or(0, |(_, count)| *count)
    };
    let finished = |status| overview.figures.finished(status);
    let parts: Vec<_> = OrderStatus::ALL
        .iter()
        .filter_map(|&status| {
            let in_range = finished(status);
            let count = in_range.unwrap_or_else(|| counted_as(status));
            let remark = in_range.map(|_| words.in_this_time.to_owned());
            // The six of the shop's own extension always; the seventh is rare.
            let is_shown = status != OrderStatus::NeedsAttention || count > 0;
            is_shown.then_some(Part { status, count, remark })
        })
        .collect();
    let sum = parts.iter().map(|part| part.count).sum();
    html! {
        section.card aria-labelledby="statuses" {
            div.row { h2 #statuses { (words.open_and_finished) } span.soft { (counted(sum, words.order_count)) } }
            (status_bar(user, &parts))
            @if overview.statuses.is_empty() { p.soft { (words.no_orders_yet) } }
        }
    }
}

fn news_list(user: &User, news: &[RecentChange]) -> Markup {
    let words = user.words();
    html! {
        section.card.flush aria-labelledby="feed" {
            div.row { h2 #feed { (words.just_happened) } }
            @if news.is_empty() { p.empty { (words.nothing_happened) } } @else {
                ol.feed { @for it in news { li {
                    (inline_time(user, it.at))
                    span {
                        (order_link(&it.connection, &it.order_id)) " " (explain::news_text(it, user.language))
                        small { (it.connection) }
                    }
                } } }
            }
        }
    }
}
