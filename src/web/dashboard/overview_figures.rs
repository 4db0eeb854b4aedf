//! The figures of the overview: orders over time, the time to the warehouse, how the vendors answer.

use std::time::Duration;

use chrono::{DateTime, Timelike};
use chrono_tz::Tz;
use maud::{Markup, html};

use super::{
    badge::{Tone, badge},
    chart::{Bucket, Chart, Tick},
    overview_data::{Overview, Range},
    user::User,
};
use crate::{
    explain::{self, counted_in, decimal, number_text, overview_texts, short_duration_text, vendor_name},
    store::views::{
        figures::{Figures, OrderHour, VendorFigures},
        vendors_down::VendorDown,
    },
};

/// Orders that came in, were sent and shipped, over the range.
pub(super) fn by_hour(user: &User, figures: &Figures, range: Range) -> Markup {
    let words = user.words();
    let texts = overview_texts(user.language);
    let title = match range {
        Range::Day => texts.orders_by_hour,
        Range::Week | Range::Month => texts.orders_by_day,
    };
    let chart = Chart {
        title,
        series: [texts.came_in, texts.sent_to_warehouse, words.shipped],
        time: words.at,
        buckets: buckets(user, &figures.hours, range),
    };
    html! {
        section.card aria-labelledby="by-hour" {
            div.row { h2 #by-hour { (title) } span.soft { (user.zone.name()) } }
            (chart.render(user))
        }
    }
}

/// The hours of a day as they are; those of a week and a month added up by the days of the shop's zone.
fn buckets(user: &User, hours: &[OrderHour], range: Range) -> Vec<Bucket<3>> {
    let mut buckets: Vec<(DateTime<Tz>, [i64; 3])> = Vec::new();
    for hour in hours {
        let at = hour.starts_at.with_timezone(&user.zone);
        let counts = [hour.came_in, hour.placed, hour.shipped];
        match buckets.last_mut() {
            Some((day, sums)) if range != Range::Day && day.date_naive() == at.date_naive() => {
                for (sum, count) in sums.iter_mut().zip(counts) {
                    *sum += count;
                }
            }
            _ => buckets.push((at, counts)),
        }
    }
    let every = match range {
        Range::Day => 3,
        Range::Week => 1,
        Range::Month => 5,
    };
    let last = buckets.len().saturating_sub(1);
    let labelled = buckets.into_iter().enumerate().map(|(position, (at, counts))| {
        let label = if range == Range::Day {
            explain::time_of_day(&at.with_minute(0).unwrap_or(at), user.language)
        } else {
            explain::day_text(at.to_utc(), user.now, user.zone, user.language)
        };
        // Counted back from now, which has its own label.
        let back = last - position;
        let is_marked = back > 0 && back.is_multiple_of(every);
        let tick = is_marked.then(|| Tick {
            // Below the axis an hour is a number, since all labels stand beside each other.
            label: if range == Range::Day { at.format("%H").to_string() } else { short_day(user, at) },
            is_major: (back / every).is_multiple_of(2),
        });
        Bucket { label, tick, counts }
    });
    labelled.collect()
}

/// A day without its year, for which there is no space below the axis.
fn short_day(user: &User, at: DateTime<Tz>) -> String {
    explain::day_text(at.to_utc(), at.to_utc(), user.zone, user.language)
}

/// How long orders waited until they were at the warehouse.
pub(super) fn speed(user: &User, figures: &Figures) -> Markup {
    let words = user.words();
    let texts = overview_texts(user.language);
    let waits = &figures.waits;
    html! {
        section.card aria-labelledby="speed" {
            h2 #speed { (texts.to_the_warehouse) }
            @if waits.count == 0 { p.soft { (texts.none_sent_yet) } } @else {
                dl.stats {
                    div { dt { (texts.half_within) } dd { (time_or_dash(user, waits.median)) } }
                    div { dt { (texts.most_within) } dd { (time_or_dash(user, waits.p95)) } }
                    div { dt { (texts.measured) } dd { (counted_in(waits.count.cast_signed(), words.order_count, user.language)) } }
                }
                p.soft { (texts.to_the_warehouse_text) }
            }
        }
    }
}

/// How each vendor answers: what share, how fast, and how much of the allowed rate is used.
pub(super) fn vendor_table(user: &User, overview: &Overview, range: Range) -> Markup {
    let words = user.words();
    let texts = overview_texts(user.language);
    let seconds = (user.now - range.since(user.now)).as_seconds_f64();
    html! {
        section.card.flush aria-labelledby="vendors" {
            h2 #vendors { (texts.vendors_answer) }
            table.stack {
                thead { tr {
                    th scope="col" { (texts.service) } th scope="col" { (words.state) } th.num scope="col" { (texts.answered) }
                    th.num scope="col" { (texts.typical) } th.num scope="col" { (texts.slowest) } th.num scope="col" { (texts.rate_used) }
                } }
                tbody { @for figures in &overview.figures.vendors {
                    @let down = overview.down.iter().find(|down| down.vendor.as_deref() == Some(figures.vendor.as_str()));
                    tr {
                        th scope="row" { (vendor_name(figures.vendor)) }
                        td { (vendor_badge(user, figures, down)) }
                        td.num data-l=(texts.answered) { (answered(user, figures)) }
                        td.num data-l=(texts.typical) { (time_or_dash(user, figures.times.median)) }
                        td.num data-l=(texts.slowest) { (time_or_dash(user, figures.times.p95)) }
                        td.num data-l=(texts.rate_used) { (rate_used(user, overview, figures, seconds)) }
                    }
                } }
            }
        }
    }
}

fn vendor_badge(user: &User, figures: &VendorFigures, down: Option<&VendorDown>) -> Markup {
    let words = user.words();
    let texts = overview_texts(user.language);
    match down {
        Some(down) if down.holds_back_writes => badge(Tone::Attention, words.writes_held_back),
        Some(_) => badge(Tone::Stopped, words.circuit_open),
        None if figures.succeeded + figures.failed == 0 => badge(Tone::Plain, texts.not_asked_yet),
        None => badge(Tone::Ok, texts.answers),
    }
}

/// The share of answered calls: never rounded up to all of them.
fn answered(user: &User, figures: &VendorFigures) -> String {
    let total = figures.succeeded + figures.failed;
    let Some(thousandths) = (figures.succeeded * 1000).checked_div(total) else { return "–".to_owned() };
    let share = format!("{}.{}", thousandths / 10, thousandths % 10);
    let share = if figures.failed == 0 { "100".to_owned() } else { share };
    let total = number_text(total.cast_signed(), user.language);
    match user.language {
        crate::domain::language::Language::English => format!("{share}% of {total}"),
        crate::domain::language::Language::Finnish => format!("{} % / {total}", share.replace('.', ",")),
    }
}

/// Calls a second of the range, of how many are allowed now: fewer than configured after a vendor asked for a pause.
fn rate_used(user: &User, overview: &Overview, figures: &VendorFigures, seconds: f64) -> Markup {
    let texts = overview_texts(user.language);
    let calls = u32::try_from(figures.succeeded + figures.failed).unwrap_or(u32::MAX);
    let of_vendor = overview.rates.iter().filter(|rate| rate.vendor == figures.vendor);
    let [allowed, configured] = of_vendor.fold([0.0, 0.0], |[allowed, configured], rate| {
        [allowed + rate.current, configured + rate.configured]
    });
    let [average, now, at_most] =
        [f64::from(calls) / seconds, allowed, configured].map(|rate| decimal(rate, user.language));
    html! {
        span {
            (average) " / " (now)
            small { (texts.a_second) @if now != at_most { ", " (texts.at_most) " " (at_most) } }
        }
    }
}

fn time_or_dash(user: &User, time: Option<Duration>) -> String {
    time.map_or_else(|| "–".to_owned(), |time| short_duration_text(time, user.language))
}
