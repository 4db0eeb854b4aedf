//! What a page says after a request: what is under way now, or why nothing was changed.

use maud::{Markup, html};
use serde::Deserialize;

use super::{
    badge::{Tone, flash},
    listing::trimmed,
    user::User,
};
use crate::{actions::ConflictError, explain::conflict_text};

/// What was asked just now.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    #[serde(deserialize_with = "trimmed")]
    done: Option<String>,
    #[serde(skip)]
    refused: Option<ConflictError>,
}

impl Asked {
    /// A request that was refused.
    pub(super) const fn refused(conflict: ConflictError) -> Self {
        Self { done: None, refused: Some(conflict) }
    }

    /// The request that was carried out.
    pub(super) fn done(&self) -> Option<&str> {
        self.done.as_deref()
    }

    /// Why nothing was changed; nothing where nothing was refused.
    pub(super) fn refusal(&self, user: &User) -> Markup {
        let Some(conflict) = self.refused else { return html! {} };
        flash(
            Tone::Stopped,
            &html! { p role="alert" { b { (user.words().refused) } " " (conflict_text(conflict, user.language)) } },
        )
    }
}
