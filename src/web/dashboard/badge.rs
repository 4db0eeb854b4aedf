//! Badges: a state as icon, word and colour together, since colour alone says nothing to many.

use maud::{Markup, html};

use super::icon::{Icon, icon};

/// What a state asks of the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// It is well.
    Ok,
    /// It goes on by itself.
    Waiting,
    /// A person decides.
    Attention,
    /// It has stopped.
    Stopped,
    /// Nothing is asked.
    Plain,
}

impl Tone {
    /// The class of the style sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Waiting => "wait",
            Self::Attention => "warn",
            Self::Stopped => "stop",
            Self::Plain => "plain",
        }
    }

    const fn icon(self) -> Icon {
        match self {
            Self::Ok => Icon::Done,
            Self::Waiting => Icon::Waiting,
            Self::Attention => Icon::Attention,
            Self::Stopped => Icon::Stopped,
            Self::Plain => Icon::Dash,
        }
    }
}

/// A badge.
pub(super) fn badge(tone: Tone, words: &str) -> Markup {
    html! { span class={ "st " (tone.class()) } { (icon(tone.icon())) span.first { (words) } } }
}

/// A message above a page's content: what was done, what comes next, what is wrong.
pub(super) fn flash(tone: Tone, content: &Markup) -> Markup {
    html! { div class={ "flash " (tone.class()) } { (icon(tone.icon())) div { (content) } } }
}
