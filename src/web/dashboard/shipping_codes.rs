//! The warehouse's shipping codes that are in use, as suggestions: its API lists its methods nowhere.

use std::collections::BTreeSet;

use maud::{Markup, html};
use sqlx::PgConnection;

use crate::{
    actions::ConfiguredRules,
    domain::{digest::sha256_hex, shipping::ShippingRule},
    store::{self, shipping_rules},
};

/// Loads the codes that the rules of a connection name: those of the configuration and those that operators made.
pub(super) async fn load(
    db: &mut PgConnection,
    rules: &ConfiguredRules,
    connection: &str,
) -> store::Result<Vec<String>> {
    let configured = rules.get(connection).map(Vec::as_slice).unwrap_or_default();
    let by_hand = shipping_rules::load(db, connection).await?;
    let sent = configured.iter().chain(&by_hand).filter(|rule| !rule.leaves_to_shop());
    let codes: BTreeSet<_> = sent.map(|ShippingRule { code, .. }| code.clone()).collect();
    Ok(codes.into_iter().collect())
}

/// A field for a code that suggests those in use, and says so. `of` tells the fields of a page apart.
pub(super) fn field((label, hint): (&str, &str), value: &str, codes: &[String], of: &str) -> Markup {
    let list = format!("codes-{}", sha256_hex(of.as_bytes()).split_at(12).0);
    html! {
        label {
            (label) " "
            input name="code" value=(value) list=[(!codes.is_empty()).then_some(&list)] placeholder=[(!codes.is_empty()).then_some(hint)] autocomplete="off" required;
        }
        @if !codes.is_empty() {
            datalist id=(list) { @for code in codes { option value=(code); } }
        }
    }
}
