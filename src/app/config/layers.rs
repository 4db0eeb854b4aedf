//! The three layers put on top of each other: defaults, file, environment.

use toml::{Table, Value};

use super::{DEFAULTS, Environment, fault::ConfigErrors};

/// What every variable of ours begins with.
const PREFIX: &str = "SILTA__";

/// Defaults, under the file, under the environment. A file that is no TOML is one fault, and its layer empty.
pub(super) fn merge(file: &str, environment: &Environment, errors: &ConfigErrors) -> Table {
    let mut defaults: Table = toml::from_str(DEFAULTS).expect("deploy/silta.toml is TOML: a test loads it");
    let template = take_template(&mut defaults);
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
                "names no key: see `silta config default`; a connection is named in capitals, - as _",
            );
        }
    }
    merged
}

/// The one connection of the defaults is the template of every real one.
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

/// Sets a value by its path; false where the path leads nowhere. Only the last part may be new: a `…_file` twin.
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

/// A truth or a number where the text is one, else the text itself; lists and tables in TOML's own spelling.
fn read_value(text: &str) -> Value {
    let looks_like_more = text.starts_with(['[', '{']) || ["true", "false"].contains(&text);
    let is_number = text.parse::<f64>().is_ok() && (text == "0" || !text.starts_with('0')) && text.len() < 16;
    let parsed = || format!("value = {text}").parse::<Table>().ok()?.remove("value");
    let value = if looks_like_more || is_number { parsed() } else { None };
    value.unwrap_or_else(|| Value::String(text.to_owned()))
}
