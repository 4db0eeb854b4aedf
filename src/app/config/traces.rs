//! The section `[traces]`.

use reqwest::Url;

use super::{error::ConfigErrors, section::Section};
use crate::app::telemetry::Traces;

/// Reads the collector and the share of traces; `None` without a collector.
pub(super) fn read_traces(mut section: Section<'_>, errors: &ConfigErrors) -> Option<Traces> {
    let (otlp, share) = (section.text("otlp"), section.share("share"));
    section.finish();
    if otlp.is_empty() {
        return None;
    }
    if Url::parse(&otlp).is_ok_and(|url| url.has_host() && url.scheme().starts_with("http")) {
        return Some(Traces { otlp, share });
    }
    errors.add("traces.otlp", "must be a collector's URL, as http://127.0.0.1:4318");
    None
}
