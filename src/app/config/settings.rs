//! What a reload changes, told by key and never by value.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::domain::event::dedup::sha256_hex;

/// What is read once, at the start of the process.
const AT_START: [&str; 7] = [
    "http.listen",
    "http.connections",
    "http.header_timeout",
    "database",
    "log",
    "traces",
    "worker.shutdown",
];

/// Every key of a configuration, with a digest of its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Of a merged configuration.
    pub(super) fn of(table: &Table) -> Self {
        let mut settings = BTreeMap::new();
        collect("", &Value::Table(table.clone()), &mut settings);
        Self(settings)
    }

    /// The keys whose values differ in `new`, by their paths.
    pub fn changed(&self, new: &Self) -> Vec<String> {
        let keys: std::collections::BTreeSet<_> = self.0.keys().chain(new.0.keys()).collect();
        keys.into_iter().filter(|key| self.0.get(*key) != new.0.get(*key)).cloned().collect()
    }

    /// Does a key count from the next start of the process only?
    pub fn counts_at_start(key: &str) -> bool {
        AT_START.iter().any(|start| key == *start || key.starts_with(&format!("{start}.")))
    }
}

fn collect(path: &str, value: &Value, settings: &mut BTreeMap<String, String>) {
    let inside = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                collect(&inside(key), value, settings);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_table) => {
            for (at, item) in items.iter().enumerate() {
                let name = item
                    .get("name")
                    .and_then(Value::as_str)
                    .map_or_else(|| at.to_string(), ToOwned::to_owned);
                collect(&inside(&name), item, settings);
            }
        }
        // A file's path says nothing about what is in it now.
        Value::String(file) if path.ends_with("_file") => {
            let text = std::fs::read(file).unwrap_or_default();
            settings.insert(path.to_owned(), sha256_hex(&text));
        }
        value => drop(settings.insert(path.to_owned(), sha256_hex(format!("{value:?}").as_bytes()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_told_by_key_and_never_by_value() {
        let of = |text: &str| Settings::of(&text.parse().expect("TOML"));
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
        assert!(Settings::counts_at_start("database.url") && Settings::counts_at_start("http.listen"));
        assert!(!Settings::counts_at_start("http.body_limit"));
    }
}
