//! Compares configurations key by key without keeping values, so that a reload can log what changed.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::domain::digest::sha256_hex;

/// Keys that are read only when the process starts.
const RESTART_KEYS: [&str; 11] = [
    "http.listen",
    "http.monitoring_listen",
    "http.connections",
    "http.connections_per_address",
    "http.header_timeout",
    "http.write_timeout",
    "http.connection_lifetime",
    "database",
    "log",
    "traces",
    "worker.shutdown_grace",
];

/// Every key of a configuration, with a digest of its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyDigests(BTreeMap<String, String>);

impl KeyDigests {
    /// Digests the values of a merged configuration.
    pub(super) fn new(table: &Table) -> Self {
        let mut digests = BTreeMap::new();
        collect("", &Value::Table(table.clone()), &mut digests);
        Self(digests)
    }

    /// One digest of all keys in these sections.
    pub fn of_sections(&self, sections: &[&str]) -> String {
        let is_of = |key: &str| {
            let mut rests = sections.iter().filter_map(|section| key.strip_prefix(section));
            rests.any(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let lines =
            self.0.iter().filter(|(key, _)| is_of(key)).map(|(key, value)| format!("{key} {value}\n"));
        sha256_hex(lines.collect::<String>().as_bytes())
    }

    /// The keys whose values differ in `new`, by their paths.
    pub fn changed(&self, new: &Self) -> Vec<String> {
        let keys: std::collections::BTreeSet<_> = self.0.keys().chain(new.0.keys()).collect();
        keys.into_iter().filter(|key| self.0.get(*key) != new.0.get(*key)).cloned().collect()
    }

    /// True where a change needs a restart of the process.
    pub fn requires_restart(key: &str) -> bool {
        RESTART_KEYS.iter().any(|start| key == *start || key.starts_with(&format!("{start}.")))
    }
}

fn collect(path: &str, value: &Value, digests: &mut BTreeMap<String, String>) {
    let inside = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                collect(&inside(key), value, digests);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_table) => {
            for (at, item) in items.iter().enumerate() {
                let name = item
                    .get("name")
                    .and_then(Value::as_str)
                    .map_or_else(|| at.to_string(), ToOwned::to_owned);
                collect(&inside(&name), item, digests);
            }
        }
        // A file's path says nothing about what is in it now.
        Value::String(file) if path.ends_with("_file") => {
            let text = std::fs::read(file).unwrap_or_default();
            digests.insert(path.to_owned(), sha256_hex(&text));
        }
        value => drop(digests.insert(path.to_owned(), sha256_hex(format!("{value:?}").as_bytes()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_named_by_key_never_by_value() {
        let of = |text: &str| KeyDigests::new(&text.parse().expect("TOML"));
        let old = of(
            "[http]\nlisten = \"a\"\n[[connections]]\nname = \"kauppa\"\n[connections.ogoship]\napi_key = \"one\"",
        );
        let new = of(
            "[http]\nlisten = \"a\"\n[[connections]]\nname = \"kauppa\"\n[connections.ogoship]\napi_key = \"two\"\nurl = \"u\"",
        );
        assert_eq!(
            old.changed(&new),
            ["connections.kauppa.ogoship.api_key", "connections.kauppa.ogoship.url"]
        );
        assert_eq!(old.changed(&old.clone()), Vec::<String>::new());
        assert!(!format!("{old:?}").contains("one"));
        assert_eq!(old.of_sections(&["http"]), new.of_sections(&["http"]));
        assert_ne!(old.of_sections(&["connections"]), new.of_sections(&["connections"]));
        assert_ne!(old.of_sections(&["http.listen"]), old.of_sections(&["http.list"]));
        assert!(KeyDigests::requires_restart("database.url") && KeyDigests::requires_restart("http.listen"));
        assert!(!KeyDigests::requires_restart("http.body_limit"));
    }
}
