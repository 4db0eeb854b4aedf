//! Orders by status: a bar whose parts are the filter of the list.

use maud::{Markup, html};

use super::{
    chart::{percent, share},
    listing::url,
    user::User,
};
use crate::{
    domain::order::OrderStatus,
    explain::{self, number_text},
};

/// A part of the bar.
pub(super) struct Part {
    /// The status.
    pub(super) status: OrderStatus,
    /// How many orders have it.
    pub(super) count: i64,
    /// What more there is to say.
    pub(super) remark: Option<String>,
}

/// The bar, and below it each status with its number.
pub(super) fn status_bar(user: &User, parts: &[Part]) -> Markup {
    html! {
        svg.bar aria-hidden="true" {
            rect.c0 width="100%" height="12" {}
            @for (part, x, width) in drawn(parts) {
                rect class=(class(part.status)) x=(percent(x)) width=(percent(width)) height="12" {
                    title { (explain::status_text(part.status, user.language)) ": " (number_text(part.count, user.language)) }
                }
            }
        }
        div.states {
            @for part in parts {
                a href=(url("/orders", &[("status", Some(part.status.as_str()))], None)) {
                    b { (number_text(part.count, user.language)) }
                    svg class={ "i " (class(part.status)) } viewBox="0 0 10 10" aria-hidden="true" { rect width="10" height="10" rx="2" {} }
                    " " (explain::capitalised(explain::status_text(part.status, user.language)))
                    @if let Some(remark) = &part.remark { " " span.soft { (remark) } }
                }
            }
        }
    }
}

/// The parts that have a width, each with where it begins and how wide it is: with a gap behind it, and wide enough to be seen.
fn drawn(parts: &[Part]) -> Vec<(&Part, usize, usize)> {
    let count = |part: &Part| usize::try_from(part.count).unwrap_or(0);
    let total: usize = parts.iter().map(count).sum();
    let (mut drawn, mut before) = (Vec::new(), 0);
    for part in parts.iter().filter(|part| part.count > 0) {
        let width = share(count(part), total);
        drawn.push((part, share(before, total), width.saturating_sub(30).max(20)));
        before += count(part);
    }
    drawn
}

/// The colour of a status, in charts only: its word stands beside it.
const fn class(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::NotTransferred => "c1",
        OrderStatus::WaitingForCollection => "c2",
        OrderStatus::WaitingForProducts => "c3",
        OrderStatus::Delivered => "c4",
        OrderStatus::Cancelled => "c5",
        OrderStatus::Returned => "c6",
        OrderStatus::NeedsAttention => "c7",
    }
}
