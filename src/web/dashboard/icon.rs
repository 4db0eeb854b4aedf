//! Icons: drawn once in each page, used by name.

use maud::{Markup, PreEscaped, html};

/// An icon of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Icon {
    Search,
    Person,
    Home,
    Order,
    Box,
    Attention,
    Settings,
    Stopped,
    Waiting,
    Done,
    Dash,
    Sync,
    Print,
    Eye,
    Outside,
}

/// The drawings. Strokes only: the style sheet gives colour and width.
const DRAWINGS: [(Icon, &str); 15] = [
    (Icon::Search, r#"<circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3.5 3.5"/>"#),
    (
        Icon::Person,
        r#"<circle cx="8" cy="5.5" r="2.8"/><path d="M2.8 13.8c.6-2.8 2.6-4.3 5.2-4.3s4.6 1.5 5.2 4.3"/>"#,
    ),
    (Icon::Home, r#"<path d="M2.5 7 8 2.5 13.5 7v6.5h-4v-4h-3v4h-4z"/>"#),
    (
        Icon::Order,
        r#"<path d="M3 2.5h10v11l-2-1.2-1.5 1.2L8 12.3l-1.5 1.2L5 12.3l-2 1.2zM5.5 6h5M5.5 9h3"/>"#,
    ),
    (Icon::Box, r#"<path d="m8 1.8 5.5 3v6.4l-5.5 3-5.5-3V4.8zM2.5 4.8 8 7.8l5.5-3M8 7.8v6.4"/>"#),
    (Icon::Attention, r#"<path d="M8 2.2 14.3 13H1.7zM8 6.3v3M8 11.2v.1"/>"#),
    (
        Icon::Settings,
        r#"<path d="M2 4.5h5m4 0h3M2 11.5h3m4 0h5"/><circle cx="9" cy="4.5" r="1.8"/><circle cx="7" cy="11.5" r="1.8"/>"#,
    ),
    (Icon::Stopped, r#"<circle cx="8" cy="8" r="5.8"/><path d="M8 4.8v3.6M8 10.9v.1"/>"#),
    (Icon::Waiting, r#"<circle cx="8" cy="8" r="5.8"/><path d="M8 4.8V8l2.2 1.6"/>"#),
    (Icon::Done, r#"<path d="m3 8.5 3.5 3.5L13 4.5"/>"#),
    (Icon::Dash, r#"<path d="M3.5 8h9"/>"#),
    (
        Icon::Sync,
        r#"<path d="M13.5 6A5.8 5.8 0 0 0 3 5.2M2.5 2.5v3h3M2.5 10A5.8 5.8 0 0 0 13 10.8m.5 2.7v-3h-3"/>"#,
    ),
    (Icon::Print, r#"<path d="M4.5 5.5v-3h7v3M4.5 11h-2V5.5h11V11h-2M4.5 9h7v4.5h-7z"/>"#),
    (
        Icon::Eye,
        r#"<path d="M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8z"/><circle cx="8" cy="8" r="1.8"/>"#,
    ),
    (Icon::Outside, r#"<path d="M6.5 3.5h-4v10h10v-4M9.5 2.5h4v4M13.5 2.5l-6 6"/>"#),
];

/// The name of an icon inside the page.
const fn id(icon: Icon) -> &'static str {
    match icon {
        Icon::Search => "i-search",
        Icon::Person => "i-person",
        Icon::Home => "i-home",
        Icon::Order => "i-order",
        Icon::Box => "i-box",
        Icon::Attention => "i-attention",
        Icon::Settings => "i-settings",
        Icon::Stopped => "i-stopped",
        Icon::Waiting => "i-waiting",
        Icon::Done => "i-done",
        Icon::Dash => "i-dash",
        Icon::Sync => "i-sync",
        Icon::Print => "i-print",
        Icon::Eye => "i-eye",
        Icon::Outside => "i-outside",
    }
}

/// All drawings, invisible, at the head of a page.
pub(super) fn drawings() -> Markup {
    html! {
        svg.sr aria-hidden="true" {
            @for (icon, drawing) in DRAWINGS { symbol id=(id(icon)) viewBox="0 0 16 16" { (PreEscaped(drawing)) } }
        }
    }
}

/// An icon beside a text that says the same: screen readers do not see it.
pub(super) fn icon(icon: Icon) -> Markup {
    html! { svg.i aria-hidden="true" { use href=(format!("#{}", id(icon))) {} } }
}
