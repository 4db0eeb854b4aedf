//! Whether orders move, in one sentence.

use chrono::TimeDelta;
use maud::{Markup, html};

use super::{
    badge::{Tone, flash},
    decisions::Decision,
    outage::messages,
    overview_data::Overview,
    user::User,
    widgets::inline_time,
};
use crate::{
    domain::{Timestamp, vendor::Vendor},
    explain::{counted_in, overview_texts, vendor_name},
    store::views::recent_changes::RecentChange,
};

/// A connection whose oldest task has been due for longer is slow.
const SLOW: TimeDelta = TimeDelta::minutes(5);

/// Whether orders move.
pub(super) enum Moving {
    /// They do.
    Yes,
    /// Nothing is connected yet.
    NoConnection,
    /// No order has come yet.
    NoOrder,
    /// The oldest of what is due has waited long.
    Slowly,
    /// A connection is paused by a person.
    Paused(String),
    /// A vendor is down or refuses us.
    No(Option<Vendor>),
}

impl Moving {
    /// Judges it, the gravest first.
    pub(super) fn of(overview: &Overview, now: Timestamp) -> Self {
        if overview.connections.is_empty() {
            return Self::NoConnection;
        }
        if let Some(down) = overview.down.first() {
            return Self::No(down.known_vendor());
        }
        if let Some(paused) = overview.connections.iter().find(|connection| connection.paused_at.is_some()) {
            return Self::Paused(paused.name.clone());
        }
        let oldest = overview.backlogs.iter().filter_map(|backlog| backlog.oldest_due_at).min();
        if oldest.is_some_and(|at| now - at > SLOW) {
            return Self::Slowly;
        }
        if overview.statuses.is_empty() { Self::NoOrder } else { Self::Yes }
    }

    /// In words.
    pub(super) fn sentence(&self, user: &User) -> String {
        let words = user.words();
        let texts = overview_texts(user.language);
        match self {
            Self::Yes => texts.orders_move.to_owned(),
            Self::NoConnection => words.no_connections.to_owned(),
            Self::NoOrder => texts.no_order.to_owned(),
            Self::Slowly => texts.orders_move_slowly.to_owned(),
            Self::Paused(connection) => format!("{}: {connection}.", texts.orders_paused),
            Self::No(Some(vendor)) => {
                format!("{}: {} {}.", texts.orders_stand, vendor_name(*vendor), texts.does_not_answer)
            }
            Self::No(None) => format!("{}.", texts.orders_stand),
        }
    }

    /// How many things wait for a person, in words.
    pub(super) fn decisions(&self, user: &User, count: usize) -> Markup {
        let words = user.words();
        let texts = overview_texts(user.language);
        let number = i64::try_from(count).unwrap_or(i64::MAX);
        html! {
            @match (self, count) {
                (Self::NoConnection, 0) => {}
                (_, 0) => { (texts.nothing_needs_you) }
                _ => { (counted_in(number, words.things_need_you, user.language)) }
            }
        }
    }

    /// What waits, and when an order came last.
    pub(super) fn more(&self, user: &User, overview: &Overview) -> Markup {
        let words = user.words();
        let texts = overview_texts(user.language);
        let causes = || overview.decisions.iter().filter_map(Decision::cause);
        let waiting = |kind: &str, noun: &str| {
            let sum: i64 = causes().filter(|cause| cause.kind == kind).map(|cause| cause.count).sum();
            (sum > 0).then(|| counted_in(sum, noun, user.language))
        };
        let waiting = [
            waiting("order", words.order_count),
            waiting("product", words.product_count),
            waiting("stock", words.stock_count),
        ];
        let waiting: Vec<_> = waiting.into_iter().flatten().collect();
        let last = overview.recent.iter().find(|it| is_new(it));
        html! {
            @if !waiting.is_empty() { (texts.wait_for_you) ": " (waiting.join(", ")) ". " }
            @if let Some(last) = last { (texts.last_order_at) " " (inline_time(user, last.at)) ". " }
            @if matches!(self, Self::Yes) && overview.figures.vendors.iter().all(|vendor| vendor.succeeded > 0) { (texts.both_answer) }
        }
    }
}

/// What stops orders, with since when and how many wait: one message each.
pub(super) fn banners(user: &User, overview: &Overview) -> Markup {
    let words = user.words();
    html! {
        (messages(user, &overview.down))
        @for connection in &overview.connections {
            @if let Some(by) = &connection.paused_by {
                (flash(Tone::Attention, &html! {
                    strong { (connection.name) ": " (words.paused) }
                    " (" (by) @if let Some(at) = connection.paused_at { ", " (inline_time(user, at)) } ") "
                    a href=(format!("/connections?connection={}", connection.name)) { (words.connections) }
                }))
            }
        }
    }
}

fn is_new(change: &RecentChange) -> bool {
    change.status_before.is_none()
}
