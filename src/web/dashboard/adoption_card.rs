//! An order of the warehouse that Silta did not send: what it is, a person says.

use maud::{Markup, html};

use super::{
    concern::{Concern, detail_text, link},
    listing::order_path,
    user::User,
    widgets::button,
};
use crate::{domain::task::reason::Reason, explain::attention_texts};

/// Two choices in words, each with what follows.
pub(super) fn choices(user: &User, connection: &str, concern: &Concern) -> Markup {
    let texts = attention_texts(user.language);
    let Some(id) = concern.subject.strip_prefix("order:") else { return html! {} };
    let path = order_path(connection, id);
    html! {
        div.well.adoption {
            h3 { (texts.what_is_it) " " (link(user, connection, &concern.subject)) }
            @if let Some(detail) = concern.detail() { p.strong { (detail_text(user, Reason::NotOursAtWarehouse.code(), detail)) } }
            p { (texts.adopt_consequence) }
            (button(user, &path, &[("ask", "adopt")], &texts.is_this_order.replace('%', id)))
            p { (texts.something_else) }
            (button(user, &path, &[("ask", "refresh")], texts.renamed_there))
        }
    }
}
