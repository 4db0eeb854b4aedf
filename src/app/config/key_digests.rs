//! Compares configurations key by key without keeping values, so that a reload can log what changed.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::domain::digest::{sha256, sha256_hex};

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

/// Where the defaults of a connection stand among the keys; no connection has this name.
const DEFAULTS: &str = "connections.*";

/// Every key of a configuration, with a digest of its value. What connections have by default is kept once for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyDigests(BTreeMap<String, [u8; 32]>);

impl KeyDigests {
    /// Digests the values of a merged configuration, whose connections have these defaults.
    pub(super) fn new(merged: &Table, template: &Table) -> Self {
        let mut digests = BTreeMap::new();
        merged.iter().for_each(|(key, value)| collect(key, value, template, &mut digests));
        template.iter().for_each(|(key, value)| {
            collect(&format!("{DEFAULTS}.{key}"), value, &Table::new(), &mut digests);
        });
        Self(digests)
    }

    /// One digest of all keys in these sections.
    pub fn of_sections(&self, sections: &[&str]) -> String {
        let is_of = |key: &str| {
            let mut rests = sections.iter().filter_map(|section| key.strip_prefix(section));
            rests.any(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let lines = self
            .0
            .iter()
            .filter(|(key, _)| is_of(key))
            .map(|(key, value)| format!("{key} {}\n", hex::encode(value)));
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

/// Digests what is at and below a path, except where it is a default of a connection.
fn collect(path: &str, value: &Value, template: &Table, digests: &mut BTreeMap<String, [u8; 32]>) {
    let inside = |key: &str| format!("{path}.{key}");
    match value {
        value if is_default(path, value, template) => {}
        Value::Table(table) => {
            for (key, value) in table {
                collect(&inside(key), value, template, digests);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_table) => {
            for (at, item) in items.iter().enumerate() {
                let name = item
                    .get("name")
                    .and_then(Value::as_str)
                    .map_or_else(|| at.to_string(), ToOwned::to_owned);
                collect(&inside(&name), item, template, digests);
            }
        }
        // A file's path says nothing about what is in it now.
        Value::String(file) if path.ends_with("_file") => {
            let text = std::fs::read(file).unwrap_or_default();
            digests.insert(path.to_owned(), sha256(&text));
        }
        value => drop(digests.insert(path.to_owned(), sha256(format!("{value:?}").as_bytes()))),
    }
}

fn is_default(path: &str, value: &Value, template: &Table) -> bool {
    let Some((_, key)) = path.strip_prefix("connections.").and_then(|path| path.split_once('.')) else {
        return false;
    };
    let mut segments = key.split('.');
    let first = segments.next().and_then(|key| template.get(key));
    segments.try_fold(first, |at, key| Some(at?.get(key))).flatten() == Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_named_by_key_never_by_value() {
        let of = |text: &str| KeyDigests::new(&text.parse().expect("TOML"), &Table::new());
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

    #[test]
    fn default_of_a_connection_is_kept_once() {
        let template = "hold = \"0s\"".parse().expect("TOML");
        let of = |hold: &str| {
            let connections =
                ["kauppa", "myymala"].map(|name| format!("[[connections]]\nname = \"{name}\"\n{hold}\n"));
            KeyDigests::new(&connections.concat().parse().expect("TOML"), &template)
        };
        let (by_default, given) = (of("hold = \"0s\""), of("hold = \"1h\""));
        assert_eq!(by_default.0.keys().filter(|key| key.contains("hold")).count(), 1);
        assert_eq!(by_default.changed(&given), ["connections.kauppa.hold", "connections.myymala.hold"]);
        let other_default = KeyDigests::new(&Table::new(), &"hold = \"5m\"".parse().expect("TOML"));
        assert_ne!(
            other_default.of_sections(&["connections"]),
            KeyDigests::new(&Table::new(), &template).of_sections(&["connections"]),
            "a program with other defaults has another configuration"
        );
    }
}
