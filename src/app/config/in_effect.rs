//! The settings of each connection in effect, for its page.
//!
//! What is shown is a list of what may be: a key that is new here, and may hold a secret, is said to be set and no more.

use toml::{Table, Value};

use super::{environment::Environment, layers::PREFIX};
use crate::domain::setting::{Origin, Setting, SettingValue, Settings};

/// The keys whose values are shown, and those below them.
const SHOWN: [&str; 15] = [
    "mode",
    "mycashflow.url",
    "mycashflow.orders_api",
    "mycashflow.requests_per_second",
    "mycashflow.signature.header",
    "mycashflow.signature.encoding",
    "ogoship.url",
    "ogoship.auth_url",
    "ogoship.merchant_id",
    "ogoship.requests_per_second",
    "orders",
    "products",
    "stock",
    "shipping",
    "polls",
];

/// The settings of each connection, from the merged layers and the defaults of a connection; `line_of` knows the keys of the file.
pub(super) fn settings_in_effect(
    (merged, template): (&Table, &Table),
    environment: &Environment,
    line_of: impl Fn(&str) -> Option<usize>,
) -> Settings {
    let connections = merged.get("connections").and_then(Value::as_array).into_iter().flatten();
    let named = connections.filter_map(|connection| {
        let table = connection.as_table()?;
        Some((table.get("name")?.as_str()?.to_owned(), table))
    });
    let given = named.map(|(name, table)| {
        let settings = values(table).filter_map(|(key, value)| {
            let path = format!("connections.{name}.{key}");
            let origin = match line_of(&path) {
                _ if is_in(environment, &path) => Origin::Environment,
                Some(line) => Origin::File { line },
                None => return None,
            };
            Some(Setting { value: shown(&key, value), key, origin })
        });
        let settings = settings.collect();
        (name, settings)
    });
    let defaults = values(template);
    let defaults =
        defaults.map(|(key, value)| Setting { value: shown(&key, value), key, origin: Origin::Default });
    Settings { given: given.collect(), defaults: defaults.collect() }
}

/// The keys of a connection with their values, except its name.
fn values(table: &Table) -> impl Iterator<Item = (String, &Value)> {
    let mut values = Vec::new();
    collect("", table, &mut values);
    values.into_iter().filter(|(key, _)| key != "name")
}

fn collect<'a>(path: &str, table: &'a Table, values: &mut Vec<(String, &'a Value)>) {
    for (key, value) in table {
        let inside = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::Table(inner) => collect(&inside, inner, values),
            value => values.push((inside, value)),
        }
    }
}

/// Whether a variable sets this key, or one above it.
fn is_in(environment: &Environment, path: &str) -> bool {
    let path = path.replace('-', "_");
    let mut variables = environment.keys().filter_map(|name| name.strip_prefix(PREFIX));
    variables.any(|name| {
        let name = name.replace("__", ".").to_lowercase();
        path.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn shown(key: &str, value: &Value) -> SettingValue {
    let is_shown = SHOWN
        .iter()
        .any(|known| key.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
    match value {
        value if is_shown => SettingValue::Shown(text_of(value)),
        Value::String(text) => SettingValue::Secret { is_set: !text.is_empty() },
        Value::Array(items) => SettingValue::Secret { is_set: !items.is_empty() },
        _ => SettingValue::Secret { is_set: true },
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(is_on) => is_on.to_string(),
        Value::Datetime(at) => at.to_string(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(", "),
        Value::Table(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{key} = {}", text_of(value)));
            fields.collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown_and_each_value_says_its_origin() {
        let merged = "[[connections]]\nname = \"my-shop\"\n[connections.mycashflow]\nurl = \"https://shop.fi\"\n\
                      api_key = \"hidden\"\nnew_key = \"hidden\"\n[connections.orders]\ntransfer = \"manual\"\n\
                      [connections.ogoship]\nwebhook_keys = []\n";
        let environment = Environment::from([(
            "SILTA__CONNECTIONS__MY_SHOP__ORDERS__TRANSFER".to_owned(),
            "manual".to_owned(),
        )]);
        let line_of = |path: &str| (path == "connections.my-shop.mycashflow.api_key").then_some(5);
        let merged: Table = merged.parse().unwrap();
        let template = merged["connections"][0].as_table().unwrap();
        let settings = settings_in_effect((&merged, template), &environment, line_of);
        let find = |key: &str| {
            let settings = settings.of("my-shop");
            let setting = settings.iter().find(|setting| setting.key == key).unwrap();
            (setting.value.clone(), setting.origin)
        };
        let shown = |text: &str| SettingValue::Shown(text.to_owned());
        assert_eq!(find("mycashflow.url"), (shown("https://shop.fi"), Origin::Default));
        assert_eq!(
            find("mycashflow.api_key"),
            (SettingValue::Secret { is_set: true }, Origin::File { line: 5 })
        );
        assert_eq!(find("mycashflow.new_key").0, SettingValue::Secret { is_set: true }, "unknown here");
        assert_eq!(find("ogoship.webhook_keys").0, SettingValue::Secret { is_set: false });
        assert_eq!(find("orders.transfer"), (shown("manual"), Origin::Environment));
        assert!(settings.of("my-shop").iter().all(|setting| setting.key != "name"));
        assert_eq!(settings.of("another"), Vec::<&Setting>::new());
        assert!(!format!("{settings:?}").contains("hidden"));
    }
}
