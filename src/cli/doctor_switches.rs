//! The doctor's check of what a connection writes by itself.

use super::check::Check;
use crate::{
    domain::{
        event::subject::SubjectKind,
        language::Language,
        switch::{Switch, switch_key},
    },
    explain,
    flows::ConnectionClients,
};

/// What waits until a person asks, or never happens: as configured, and easily forgotten.
pub(super) fn check_switches(clients: &ConnectionClients) -> Check {
    let switches = clients.switches();
    let not_automatic = SubjectKind::ALL.iter().filter(|kind| switches.of(**kind) != Switch::Automatic);
    let texts: Vec<_> = not_automatic
        .map(|kind| {
            let (key, switch) = (switch_key(*kind), switches.of(*kind));
            format!(
                "{} ({key} = \"{}\")",
                explain::switch_text(*kind, switch, Language::English),
                switch.as_str()
            )
        })
        .collect();
    let found = match texts.as_slice() {
        [] => "orders, products and stock figures are written automatically".to_owned(),
        some => some.join("; "),
    };
    let check = Check::good(&clients.name, "switches", found);
    if texts.is_empty() {
        return check;
    }
    check.warning(
        "set it to \"automatic\" once all looks right; then `silta release list` shows what has waited",
    )
}
