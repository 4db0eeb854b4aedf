//! The frame of every page: search, live mark, account and menu.
//!
//! Two readers: a shopkeeper, whose four pages are one click away and speak the shop's words, and an operator, whose pages
//! stand behind one entry as tabs.

use maud::{Markup, html};

use super::{
    icon::{Icon, drawings, icon},
    language::language_links,
    user::User,
    widgets::{csrf_field, inline_time},
};
use crate::explain::PageTexts;

/// A page of the menu.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum MenuItem {
    Overview,
    Orders,
    Products,
    Attention,
    Tasks,
    Events,
    Connections,
    Syncs,
    Audit,
}

impl MenuItem {
    /// Whether it is one of the operator's pages.
    pub(super) const fn is_of_operations(self) -> bool {
        match self {
            Self::Overview | Self::Orders | Self::Products | Self::Attention => false,
            Self::Tasks | Self::Events | Self::Connections | Self::Syncs | Self::Audit => true,
        }
    }
}

/// What stands before a page's content.
pub(super) fn before(user: &User, current: MenuItem) -> Markup {
    html! {
        (drawings())
        a.skip.sr href="#main" { (user.words().skip) }
        (top(user))
        (account(user))
        (menu(user, current))
    }
}

/// The name with its sign: the way to the overview.
pub(super) fn brand() -> Markup {
    html! {
        a.brand href="/" {
            svg viewBox="0 0 28 28" aria-hidden="true" {
                path d="M2 19h24M5 19v4M23 19v4M4 15c3-7 7-9 10-9s7 2 10 9M10 7.5V19M18 7.5V19M14 6v13" {}
            }
            "Silta"
        }
    }
}

fn top(user: &User) -> Markup {
    let words = user.words();
    html! {
        header.top {
            (brand())
            form.find role="search" action="/orders" {
                button aria-label=(words.search) { (icon(Icon::Search)) }
                input type="search" name="q" aria-label=(words.search_orders) placeholder=(words.search_orders);
                kbd aria-hidden="true" { "/" }
            }
            p.live role="status" { (words.live_at) " " (inline_time(user, user.now)) }
            button type="button" popovertarget="account" { (icon(Icon::Person)) span { (user.token.name) } }
        }
    }
}

fn account(user: &User) -> Markup {
    let words = user.words();
    let role = if user.is_operator() { words.role_operator } else { words.role_viewer };
    html! {
        div #account popover {
            p.strong { (user.token.name) " " span.soft { (role) } }
            (language_links(user.language, &user.path))
            p.soft { (words.times_of) " " (user.zone.name()) }
            h2 { (words.keyboard) }
            dl.facts {
                @for (keys, meaning) in shortcuts(words) {
                    dt { @for key in keys.split(' ') { kbd { (key) } " " } } dd { (meaning) }
                }
            }
            label.tick { input type="checkbox" data-shortcuts checked; (words.keyboard_on) }
            p { a href="/runbook" hreflang="en" { (words.runbook) } }
            form method="post" action="/sign-out" { (csrf_field(user)) button { (words.sign_out) } }
        }
    }
}

/// The keys, as `live.js` knows them, and what they do.
const fn shortcuts(words: &PageTexts) -> [(&'static str, &'static str); 10] {
    [
        ("/", words.search),
        ("g h", words.overview),
        ("g o", words.orders),
        ("g p", words.products),
        ("g n", words.attention),
        ("g t", words.tasks),
        ("g c", words.connections),
        ("j k", words.keyboard_rows),
        ("x", words.keyboard_select),
        ("?", words.keyboard_list),
    ]
}

fn menu(user: &User, current: MenuItem) -> Markup {
    let words = user.words();
    let items = [
        (MenuItem::Overview, "/", Icon::Home, [words.overview, words.overview]),
        (MenuItem::Orders, "/orders", Icon::Order, [words.orders, words.orders]),
        (MenuItem::Products, "/products", Icon::Box, [words.menu_products, words.menu_products_short]),
        (MenuItem::Attention, "/attention", Icon::Attention, [words.attention, words.menu_attention_short]),
        (MenuItem::Tasks, "/tasks", Icon::Settings, [words.operations, words.operations]),
    ];
    html! {
        nav.nav aria-label=(words.menu) {
            ul {
                @for (item, path, drawing, [long, short]) in items {
                    @let is_current = item == current || item == MenuItem::Tasks && current.is_of_operations();
                    li.apart[item == MenuItem::Tasks] {
                        a href=(path) aria-current=[is_current.then_some("page")] {
                            (icon(drawing))
                            @if long == short { span { (long) } }
                            @else { span.long { (long) } span.brief { (short) } }
                            @if item == MenuItem::Attention {
                                span.count data-live="attention" data-hide-zero hidden {}
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The operator's pages as tabs.
pub(super) fn operations(user: &User, current: MenuItem) -> Markup {
    let words = user.words();
    let tabs = [
        (MenuItem::Tasks, "/tasks", words.tasks),
        (MenuItem::Events, "/events", words.events),
        (MenuItem::Connections, "/connections", words.connections),
        (MenuItem::Syncs, "/syncs", words.syncs),
        (MenuItem::Audit, "/audit", words.audit),
    ];
    html! {
        nav.tabs aria-label=(words.operations) {
            @for (item, path, label) in tabs {
                a href=(path) aria-current=[(item == current).then_some("page")] { (label) }
            }
        }
    }
}
