//! What all spans of a process say of it: service, version and instance, and what the environment adds.

use opentelemetry::KeyValue;
use opentelemetry_sdk::{Resource, resource::TelemetryResourceDetector};
use percent_encoding::percent_decode_str;

use super::config::Environment;

/// OpenTelemetry's own variables.
const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";

/// The attributes of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceAttributes(Vec<(String, String)>);

impl ResourceAttributes {
    /// The attributes of this instance. The environment's win; as OpenTelemetry wants it, `OTEL_SERVICE_NAME` wins over
    /// `OTEL_RESOURCE_ATTRIBUTES`. The error says that these cannot be read: then none of them is used.
    pub fn of(instance: &str, environment: &Environment) -> (Self, Option<&'static str>) {
        let mut attributes = Self(Vec::new());
        attributes.set("service.name", "silta");
        attributes.set("service.version", env!("CARGO_PKG_VERSION"));
        attributes.set("service.instance.id", instance);
        let given = environment.get(ATTRIBUTES).map_or("", String::as_str);
        let parsed = parse(given);
        let error =
            parsed.is_none().then_some("OTEL_RESOURCE_ATTRIBUTES is not key=value,key=value: not used");
        for (key, value) in parsed.unwrap_or_default() {
            attributes.set(&key, &value);
        }
        if let Some(name) = environment.get(SERVICE_NAME).filter(|name| !name.trim().is_empty()) {
            attributes.set("service.name", name.trim());
        }
        (attributes, error)
    }

    fn set(&mut self, key: &str, value: &str) {
        self.0.retain(|(known, _)| known != key);
        self.0.push((key.to_owned(), value.to_owned()));
    }

    /// The same for the exporter.
    pub(super) fn to_resource(&self) -> Resource {
        let attributes = self.0.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        Resource::builder_empty()
            .with_detector(Box::new(TelemetryResourceDetector))
            .with_attributes(attributes)
            .build()
    }
}

/// The pairs of a variable, whose values are percent-encoded; `None` where one of them is no pair.
fn parse(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let value = percent_decode_str(value.trim()).decode_utf8().ok()?.into_owned();
            let key = key.trim();
            (!key.is_empty()).then(|| (key.to_owned(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> (Vec<(String, String)>, bool) {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let (attributes, error) = ResourceAttributes::of("i-1", &environment.collect());
        (attributes.0, error.is_some())
    }

    #[test]
    fn environment_adds_to_what_the_process_says_and_wins() {
        let (plain, _) = of(&[]);
        assert!(plain.contains(&("service.name".into(), "silta".into())));
        assert!(plain.contains(&("service.instance.id".into(), "i-1".into())));
        let given = "deployment.environment.name=prod, team=a%2Cb,service.name=x,service.instance.id=pod-7";
        let (added, failed) = of(&[(ATTRIBUTES, given), (SERVICE_NAME, "kauppa")]);
        assert!(!failed);
        for (key, value) in [
            ("deployment.environment.name", "prod"),
            ("team", "a,b"),
            ("service.name", "kauppa"),
            ("service.instance.id", "pod-7"),
        ] {
            let found: Vec<_> = added.iter().filter(|(known, _)| known == key).collect();
            assert_eq!(found, [&(key.to_owned(), value.to_owned())]);
        }
        for broken in ["team", "=x", "team=%FF"] {
            assert_eq!(of(&[(ATTRIBUTES, broken)]), (plain.clone(), true), "{broken}");
        }
    }
}
