//! The overview: whether orders move, what needs attention, and the figures of a day, a week or a month.

use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    decisions,
    deps::DashboardState,
    error::PageError,
    frame::MenuItem,
    overview_data::{Overview, Range, load},
    overview_figures::{by_hour, speed, vendor_table},
    overview_state::{Moving, banners},
    page::page,
    releases::offers,
    status_bar::{Part, status_bar},
    user::User,
    widgets::{inline_time, order_link, switches},
};
use crate::{
    domain::{alert::AlertKind, order::OrderStatus},
    explain::{self, overview_texts},
    store::{alerts::AlertRow, views::recent_changes::RecentChange},
};

/// The query of the overview.
#[derive(Debug, Default, Deserialize)]
pub(super) struct OverviewQuery {
    #[serde(default)]
    range: Range,
}

/// The first page.
pub(super) async fn show(
    State(deps): State<DashboardState>,
    user: User,
    Query(OverviewQuery { range }): Query<OverviewQuery>,
) -> Result<Markup, PageError> {
    let words = user.words();
    let texts = overview_texts(user.language);
    let overview = load(&deps, &user, range).await?;
    let moving = Moving::of(&overview, user.now);
    let main = html! {
        (head(&user, &overview, &moving, range))
        (banners(&user, &overview))
        @for connection in &overview.connections { (switches(&user, connection.switches())) }
        (offers(&user, &overview.ready))
        (alert_list(&user, &overview.alerts))
        @if !overview.decisions.is_empty() {
            section.card.flush aria-labelledby="need" {
                div.row {
                    h2 #need { (words.attention) }
                    a href="/attention" { (texts.all_decisions) " (" (overview.decisions.len()) ")" }
                }
                (decisions::lines(&user, overview.shown_decisions(), &overview.vendors))
            }
        }
        (statuses(&user, &overview))
        div.cols {
            div {
                (by_hour(&user, &overview.figures, range))
                (speed(&user, &overview.figures))
                (vendor_table(&user, &overview, range))
            }
            (recent_list(&user, &overview.recent))
        }
    };
    Ok(page(&user, MenuItem::Overview, words.overview, &main))
}

fn head(user: &User, overview: &Overview, moving: &Moving, range: Range) -> Markup {
    let texts = overview_texts(user.language);
    let ranges = [
        (Range::Day, "day", texts.range_day),
        (Range::Week, "week", texts.range_week),
        (Range::Month, "month", texts.range_month),
    ];
    html! {
        div.head {
            div {
                h1 { (moving.sentence(user)) " " (moving.decisions(user, overview.decisions.len())) }
                p { (moving.more(user, overview)) }
            }
            nav.tabs aria-label=(texts.time_range) {
                @for (it, name, label) in ranges {
                    a href=(format!("/?range={name}")) aria-current=[(it == range).then_some("true")] { (label) }
                }
            }
        }
    }
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
                            p.soft { (explain::alert_detail(kind, alert.count, &alert.detail, user.language)) ". " (text.remedy) }
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
    let texts = overview_texts(user.language);
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
            let remark = in_range.map(|_| texts.in_this_time.to_owned());
            // The six of the shop's own extension always; the seventh is rare.
            let is_shown = status != OrderStatus::NeedsAttention || count > 0;
            is_shown.then_some(Part { status, count, remark })
        })
        .collect();
    let sum = parts.iter().map(|part| part.count).sum();
    html! {
        section.card aria-labelledby="statuses" {
            div.row { h2 #statuses { (texts.open_and_finished) } span.soft { (explain::counted_in(sum, words.order_count, user.language)) } }
            (status_bar(user, &parts))
            @if overview.statuses.is_empty() { p.soft { (texts.no_orders_yet) } }
        }
    }
}

fn recent_list(user: &User, recent: &[RecentChange]) -> Markup {
    let texts = overview_texts(user.language);
    html! {
        section.card.flush aria-labelledby="feed" {
            div.row { h2 #feed { (texts.just_happened) } }
            @if recent.is_empty() { p.empty { (texts.nothing_happened) } } @else {
                ol.feed { @for it in recent { li {
                    (inline_time(user, it.at))
                    span {
                        (order_link(&it.connection, &it.order_id)) " " (explain::recent_text(it, user.language))
                        small { (it.connection) }
                    }
                } } }
            }
        }
    }
}
