//! Merges the three layers: defaults, file, environment.

use toml::{Table, Value};

use super::{environment::Environment, error::ConfigErrors, key_lines::KeyLines};

/// The annotated defaults.
pub const DEFAULTS: &str = include_str!("../../../deploy/silta.toml");

/// The prefix of environment variables that override a key.
pub(super) const PREFIX: &str = "SILTA__";

/// Puts the file over the defaults, and the environment over both; returns the defaults of a connection too. A file that is not
/// TOML is one error and an empty layer.
pub(super) fn merge(file: &str, environment: &Environment, errors: &ConfigErrors) -> (Table, Table) {
    let mut defaults: Table = toml::from_str(DEFAULTS).expect("deploy/silta.toml is TOML: a test loads it");
    let template = take_template(&mut defaults);
    let mut lines = KeyLines::of(file);
    let file = file.parse::<Table>().unwrap_or_else(|error| {
        let line = error.span().map_or(1, |span| file[..span.start.min(file.len())].lines().count().max(1));
        errors.add(&format!("line {line}"), &format!("is not TOML: {}", error.message()));
        Table::new()
    });
    let mut merged = defaults;
    merge_over(&mut merged, file);
    if let Some(Value::Array(connections)) = merged.get_mut("connections") {
        for connection in connections {
            let mut whole = Value::Table(template.clone());
            merge_value_over(&mut whole, std::mem::replace(connection, Value::Boolean(false)));
            *connection = whole;
        }
    }
    for (name, value) in environment {
        let Some(path) = name.strip_prefix(PREFIX) else { continue };
        let path: Vec<_> = path.split("__").map(str::to_lowercase).collect();
        if !set(&mut merged, &path, read_value(value)) {
            errors.add(
                name,
                "does not name a key: see `silta config default`; a connection is named in capitals, with _ for -",
            );
        }
        lines.forget(&path.join("."));
    }
    errors.set_lines(lines);
    (merged, template)
}

/// Takes the single connection of the defaults: the template of every configured one.
fn take_template(defaults: &mut Table) -> Table {
    match defaults.remove("connections") {
        Some(Value::Array(mut templates)) if templates.len() == 1 => match templates.remove(0) {
            Value::Table(template) => template,
            _ => Table::new(),
        },
        _ => Table::new(),
    }
}

fn merge_over(under: &mut Table, over: Table) {
    for (key, value) in over {
        match under.get_mut(&key) {
            Some(known) => merge_value_over(known, value),
            None => drop(under.insert(key, value)),
        }
    }
}

fn merge_value_over(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Table(under), Value::Table(over)) => merge_over(under, over),
        (under, over) => *under = over,
    }
}

/// Sets a value by its path; false where the path does not exist. Only the last segment may be new, such as `…_file`.
fn set(table: &mut Table, path: &[String], value: Value) -> bool {
    match path {
        [] => false,
        [key] => {
            table.insert(key.clone(), value);
            true
        }
        [list, name, rest @ ..] if list == "connections" && !rest.is_empty() => {
            let Some(Value::Array(connections)) = table.get_mut("connections") else { return false };
            let is_named = |connection: &&mut Table| {
                let known = connection.get("name").and_then(Value::as_str);
                known.is_some_and(|known| known.replace('-', "_") == *name)
            };
            let mut tables = connections.iter_mut().filter_map(Value::as_table_mut);
            tables.find(is_named).is_some_and(|connection| set(connection, rest, value))
        }
        [key, rest @ ..] => match table.get_mut(key) {
            Some(Value::Table(inner)) => set(inner, rest, value),
            _ => false,
        },
    }
}

/// Parses a variable: a boolean, a number, a list or table in TOML, else the text itself.
fn read_value(text: &str) -> Value {
    let is_toml = text.starts_with(['[', '{']) || ["true", "false"].contains(&text);
    let is_number = text.parse::<f64>().is_ok() && (text == "0" || !text.starts_with('0')) && text.len() < 16;
    let parsed = || format!("value = {text}").parse::<Table>().ok()?.remove("value");
    let value = if is_toml || is_number { parsed() } else { None };
    value.unwrap_or_else(|| Value::String(text.to_owned()))
}
