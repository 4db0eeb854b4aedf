//! The syncs of products and stock on their page: those that run, with their progress, and the newest report.

use maud::{Markup, html};

use super::{
    user::User,
    widgets::{inline_time, sync_kind},
};
use crate::{
    domain::sync::SyncKind,
    explain::{item_texts, number_text},
    store::views::recent_syncs::RecentSync,
};

/// The syncs that run, each with its progress, and the newest report. The script keeps the progress fresh.
pub(super) fn syncs_shown(user: &User, syncs: &[RecentSync]) -> Markup {
    let texts = item_texts(user.language);
    let is_running = |sync: &&RecentSync| sync.state == "running";
    html! {
        @if syncs.iter().any(|sync| is_running(&sync)) {
            div data-refresh { @for sync in syncs.iter().filter(is_running) { (progress(user, sync)) } }
        }
        @for sync in syncs.iter().filter(|sync| !is_running(sync)) {
            p.soft {
                a href=(sync_path(sync)) { (texts.last_report) } ": " (sync_kind(user, &sync.what)) ", " (inline_time(user, sync.created_at))
            }
        }
    }
}

fn sync_path(sync: &RecentSync) -> String {
    format!("/products/syncs/{}", sync.id)
}

fn sync_title(user: &User, sync: &RecentSync) -> &'static str {
    let texts = item_texts(user.language);
    if sync.what == SyncKind::Stock.as_str() { texts.running_stock } else { texts.running_products }
}

fn progress(user: &User, sync: &RecentSync) -> Markup {
    let (texts, title) = (item_texts(user.language), sync_title(user, sync));
    html! {
        section.card aria-label=(title) {
            div.row {
                h2 { (title) }
                span.soft {
                    (number_text(sync.done, user.language))
                    @if let Some(total) = sync.total { " / " (number_text(total, user.language)) } " " (texts.read_of)
                }
            }
            progress max=[sync.total] value=[sync.total.map(|_| sync.done)] aria-label=(title) {}
            p.soft { a href=(sync_path(sync)) { (texts.follow) } }
        }
    }
}
