//! One table of the configuration. Reading a value takes it out of the table; every error is collected.

use std::{collections::BTreeSet, ops::RangeInclusive, time::Duration};

use toml::{Table, Value};

use super::{
    error::{ConfigErrors, unreadable_file},
    secret::Secret,
};
use crate::domain::{Timestamp, suggestion::closest};

/// A table and its path.
pub(super) struct Section<'f> {
    path: String,
    table: Table,
    errors: &'f ConfigErrors,
    /// The keys that were asked for, so that a misspelt one can be explained.
    known: BTreeSet<String>,
    /// The secrets whose files cannot be read, which is an error of its own.
    unreadable: BTreeSet<String>,
}

impl<'f> Section<'f> {
    pub(super) const fn root(table: Table, errors: &'f ConfigErrors) -> Self {
        Self::at(String::new(), table, errors)
    }

    const fn at(path: String, table: Table, errors: &'f ConfigErrors) -> Self {
        Self { path, table, errors, known: BTreeSet::new(), unreadable: BTreeSet::new() }
    }

    /// Takes a value out of the table.
    fn take(&mut self, key: &str) -> Option<Value> {
        self.known.insert(key.to_owned());
        self.table.remove(key)
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn add_error(&self, key: &str, problem: &str) {
        self.errors.add(&self.path_of(key), problem);
    }

    /// Replaces the path, to name an element of a list by its name instead of its position.
    pub(super) fn rename(&mut self, path: String) {
        self.path = path;
    }

    /// Reports every key that is left over: a misspelt key must not be ignored.
    pub(super) fn finish(&mut self) {
        for key in std::mem::take(&mut self.table).keys() {
            let meant = closest(key, self.known.iter().map(String::as_str));
            let meant = meant.map_or_else(|| ";".to_owned(), |word| format!(": did you mean {word}?"));
            let shown = "`silta config default` shows them all";
            self.add_error(key, &format!("is not a key that Silta knows{meant} {shown}"));
        }
    }

    pub(super) fn section(&mut self, key: &str) -> Self {
        let table = match self.take(key) {
            Some(Value::Table(table)) => table,
            Some(_) => {
                self.add_error(key, "must be a table");
                Table::new()
            }
            None => Table::new(),
        };
        Self::at(self.path_of(key), table, self.errors)
    }

    pub(super) fn tables(&mut self, key: &str) -> Vec<Self> {
        let items = match self.take(key) {
            Some(Value::Array(items)) => items,
            None => Vec::new(),
            Some(_) => {
                self.add_error(key, "must be a list of tables");
                Vec::new()
            }
        };
        let path = self.path_of(key);
        let sections = items.into_iter().enumerate().filter_map(|(at, item)| {
            if let Value::Table(table) = item {
                Some(Self::at(format!("{path}[{at}]"), table, self.errors))
            } else {
                self.add_error(key, "must be a list of tables");
                None
            }
        });
        sections.collect()
    }

    /// Takes all entries, for tables whose keys the merchant chooses.
    pub(super) fn entries(&mut self) -> Table {
        std::mem::take(&mut self.table)
    }

    /// A text. A bare number counts as text, since codes and keys are often made of digits.
    pub(super) fn text(&mut self, key: &str) -> String {
        match self.take(key) {
            Some(Value::String(text)) => text,
            Some(Value::Integer(number)) => number.to_string(),
            None => String::new(),
            Some(_) => {
                self.add_error(key, "must be text in quotes");
                String::new()
            }
        }
    }

    pub(super) fn required(&mut self, key: &str, example: &str) -> String {
        let text = self.text(key);
        if text.is_empty() {
            self.add_error(key, &format!("is missing: give {example}"));
        }
        text
    }

    /// A secret, as its value or in the file that `{key}_file` names.
    pub(super) fn secret(&mut self, key: &str) -> Secret {
        let in_file = self.file_of(key);
        let value = self.text(key);
        Secret::new(in_file.map_or(value, |text| text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    pub(super) fn required_secret(&mut self, key: &str, example: &str) -> Secret {
        let secret = self.secret(key);
        if secret.expose().is_empty() && !self.is_unreadable(key) {
            self.add_error(
                key,
                &format!("is missing: give {example}, as the value, as {key}_file, or by environment"),
            );
        }
        secret
    }

    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let items = match self.take(key) {
            Some(Value::Array(items)) => items,
            // A value from the environment: one text, or several separated by commas.
            Some(Value::String(text)) => {
                return text
                    .split(',')
                    .map(|part| part.trim().to_owned())
                    .filter(|part| !part.is_empty())
                    .collect();
            }
            None => Vec::new(),
            Some(_) => {
                self.add_error(key, "must be a list of texts");
                Vec::new()
            }
        };
        let texts = items.into_iter().filter_map(|item| match item {
            Value::String(text) => Some(text),
            Value::Integer(number) => Some(number.to_string()),
            _ => {
                self.add_error(key, "must be a list of texts");
                None
            }
        });
        texts.collect()
    }

    /// Several secrets, as their values or in a file with one per line.
    pub(super) fn secrets(&mut self, key: &str) -> Vec<Secret> {
        let in_file = self.file_of(key).unwrap_or_default();
        let in_file = in_file.lines().map(|line| line.trim().to_owned());
        let given = in_file.chain(self.texts(key));
        given.filter(|text| !text.is_empty()).map(Secret::new).collect()
    }

    /// The content of the file that `{key}_file` names, if any.
    fn file_of(&mut self, key: &str) -> Option<String> {
        let file_key = format!("{key}_file");
        let file = self.text(&file_key);
        if file.is_empty() {
            return None;
        }
        let text = self.errors.read_secret(&file);
        if let Err(error) = &text {
            self.add_error(&file_key, &unreadable_file(&file, error));
            self.unreadable.insert(key.to_owned());
        }
        text.ok()
    }

    /// True where the file of this secret cannot be read: then it is not missing.
    pub(super) fn is_unreadable(&self, key: &str) -> bool {
        self.unreadable.contains(key)
    }

    pub(super) fn boolean(&mut self, key: &str) -> bool {
        match self.take(key) {
            Some(Value::Boolean(value)) => value,
            None => false,
            Some(_) => {
                self.add_error(key, "must be true or false");
                false
            }
        }
    }

    pub(super) fn integer(&mut self, key: &str, range: RangeInclusive<usize>) -> usize {
        let value = self.take(key).and_then(|value| value.as_integer());
        if let Some(number) =
            value.and_then(|number| usize::try_from(number).ok()).filter(|number| range.contains(number))
        {
            number
        } else {
            self.add_error(key, &format!("must be a whole number from {} to {}", range.start(), range.end()));
            *range.start()
        }
    }

    pub(super) fn rate(&mut self, key: &str) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "rates are small")]
        let number = match self.take(key) {
            Some(Value::Float(number)) => number,
            Some(Value::Integer(number)) => number as f64,
            _ => f64::NAN,
        };
        if (0.01..=10_000.0).contains(&number) {
            return number;
        }
        self.add_error(key, "must be calls a second, from 0.01 to 10000");
        1.0
    }

    pub(super) fn duration(&mut self, key: &str) -> Duration {
        let text = self.text(key);
        humantime::parse_duration(&text).unwrap_or_else(|_| {
            self.add_error(key, "must be a duration such as \"30s\", \"5m\" or \"1h\"");
            Duration::from_secs(1)
        })
    }

    /// A day or a time; `None` where it is empty.
    pub(super) fn day(&mut self, key: &str) -> Option<Timestamp> {
        let text = self.text(key);
        if text.is_empty() {
            return None;
        }
        let day = || text.parse::<chrono::NaiveDate>().ok()?.and_hms_opt(0, 0, 0).map(|it| it.and_utc());
        let time = text.parse::<chrono::DateTime<chrono::FixedOffset>>().ok().map(Into::into).or_else(day);
        if time.is_none() {
            self.add_error(
                key,
                "must be a day such as \"2026-12-01\", or a time such as \"2026-12-01T08:00:00+02:00\"",
            );
        }
        time
    }

    pub(super) fn size(&mut self, key: &str) -> usize {
        let bytes = self.text(key).parse::<bytesize::ByteSize>().map(|size| size.as_u64());
        if let Some(bytes) = bytes
            .ok()
            .and_then(|bytes| usize::try_from(bytes).ok())
            .filter(|bytes| (1..=1 << 30).contains(bytes))
        {
            bytes
        } else {
            self.add_error(key, "must be a size such as \"64KiB\" or \"1MiB\", at most 1GiB");
            1 << 20
        }
    }

    /// A share from 0 to 1.
    pub(super) fn share(&mut self, key: &str) -> f64 {
        let share = match self.take(key) {
            Some(Value::Float(share)) if (0.0..=1.0).contains(&share) => Some(share),
            Some(Value::Integer(0)) => Some(0.0),
            Some(Value::Integer(1)) => Some(1.0),
            _ => None,
        };
        share.unwrap_or_else(|| {
            self.add_error(key, "must be a share from 0.0 to 1.0");
            1.0
        })
    }

    /// One of several words; the first stands in for an unknown one.
    pub(super) fn choice<T: Clone>(&mut self, key: &str, choices: &[(&str, T)]) -> T {
        let given = self.text(key);
        if let Some((_, meaning)) = choices.iter().find(|(word, _)| *word == given) {
            return meaning.clone();
        }
        let known: Vec<_> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
        self.add_error(key, &format!("must be {}", known.join(" or ")));
        choices[0].1.clone()
    }
}
