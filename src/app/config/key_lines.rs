//! On which line of the file each key stands.

use std::collections::HashMap;

use toml::de::{DeTable, DeValue};

/// The line of each key, by its path as errors name it.
#[derive(Debug, Default)]
pub(super) struct KeyLines(HashMap<String, usize>);

impl KeyLines {
    /// Finds the lines of a file's keys; none of a file that is no TOML.
    pub(super) fn of(file: &str) -> Self {
        let mut lines = Self::default();
        if let Ok(table) = DeTable::parse(file) {
            let line_ends: Vec<_> = file.match_indices('\n').map(|(at, _)| at).collect();
            lines.collect("", table.get_ref(), &line_ends);
        }
        lines
    }

    /// The line of a key.
    pub(super) fn find(&self, path: &str) -> Option<usize> {
        self.0.get(path).copied()
    }

    /// Forgets a key whose value comes from elsewhere, and what is below it.
    pub(super) fn forget(&mut self, path: &str) {
        self.0.retain(|known, _| {
            known.strip_prefix(path).is_none_or(|rest| !rest.is_empty() && !rest.starts_with('.'))
        });
    }

    fn collect(&mut self, path: &str, table: &DeTable<'_>, line_ends: &[usize]) {
        for (key, value) in table {
            let name = key.get_ref();
            let inside = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            let line = line_ends.partition_point(|end| *end < key.span().start) + 1;
            self.0.insert(inside.clone(), line);
            self.collect_value(&inside, value.get_ref(), line_ends);
        }
    }

    /// An element of a list is named by its position, or by its name where it has one.
    fn collect_value(&mut self, path: &str, value: &DeValue<'_>, line_ends: &[usize]) {
        match value {
            DeValue::Table(table) => self.collect(path, table, line_ends),
            DeValue::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    let DeValue::Table(table) = item.get_ref() else { continue };
                    self.collect(&format!("{path}[{at}]"), table, line_ends);
                    if let Some(name) = table.get("name").and_then(|name| name.get_ref().as_str()) {
                        self.collect(&format!("{path}.{name}"), table, line_ends);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_line() {
        let file = "[http]\nlisten = \"x\"\n\n[[connections]]\nname = \"kauppa\"\n[connections.orders]\nhold = \"1h\"\n\
                    policy.inner = 1\n[[admin.tokens]]\nname = \"ops\"\n";
        let lines = KeyLines::of(file);
        for (path, line) in [
            ("http", 1),
            ("http.listen", 2),
            ("connections.kauppa.orders", 6),
            ("connections.kauppa.orders.hold", 7),
            ("connections[0].orders.policy.inner", 8),
            ("admin.tokens[0].name", 10),
        ] {
            assert_eq!(lines.find(path), Some(line), "{path}");
        }
        assert_eq!(lines.find("http.timeout"), None);
        assert_eq!(KeyLines::of("no TOML").find("no"), None);
    }

    #[test]
    fn key_from_the_environment_has_no_line() {
        let mut lines = KeyLines::of("[http]\nlisten = \"x\"\nlisten_more = 1\n");
        lines.forget("http.listen");
        assert_eq!((lines.find("http.listen"), lines.find("http.listen_more")), (None, Some(3)));
    }
}
