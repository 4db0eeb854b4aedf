//! What stands below the list of products: what to complete, and the merchant's own data.

use maud::{Markup, html};

use super::user::User;
use crate::{
    domain::product::{ExtraRow, RemarkedItem},
    explain::remark_text,
};

/// Products that lack what the warehouse asks for.
pub(super) fn remark_list(user: &User, remarked: &[RemarkedItem]) -> Markup {
    let words = user.words();
    html! {
        @if remarked.is_empty() { p { (words.no_remarks) } } @else {
            dl.choices { @for RemarkedItem { code, name, remarks, .. } in remarked {
                dt { code { (code) } " " (name) }
                dd { @for remark in remarks { (remark_text(*remark, user.language)) " " } }
            } }
        }
    }
}

/// The merchant's own data by code, as this process has read them.
pub(super) fn extra_table(user: &User, connection: &str, rows: Option<&Vec<ExtraRow>>) -> Markup {
    let words = user.words();
    let rows = rows.map(Vec::as_slice).unwrap_or_default();
    html! {
        @if rows.is_empty() { p { (words.no_extra_data) } } @else {
            div.scroll role="region" aria-label=(format!("{}: {connection}", words.extra_data)) tabindex="0" { table {
                thead { tr {
                    th { (words.code) } th { (words.hs_code) } th { (words.country_of_origin) }
                    th { (words.customs_description) } th { (words.kit) } th { (words.buffer) } th { (words.aliases) }
                } }
                tbody { @for row in rows { tr {
                    td { code { (row.code) } }
                    td { (row.hs_code.as_deref().unwrap_or_default()) }
                    td { (row.country_of_origin.as_deref().unwrap_or_default()) }
                    td { (row.customs_description.as_deref().unwrap_or_default()) }
                    td { @for (code, pieces) in &row.kit { div { (pieces) " × " code { (code) } } } }
                    td { @if let Some(pieces) = row.buffer { (pieces) } }
                    td { @for alias in &row.aliases { div { code { (alias) } } } }
                } } }
            } }
        }
    }
}
