//! Metrics of the inbox, documented in `docs/telemetry.md`.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use crate::domain::event::source::Source;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    source: &'static str,
    duplicate: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RejectedLabels {
    source: &'static str,
    code: &'static str,
}

/// Counts events received and webhooks rejected.
#[derive(Clone)]
pub struct Metrics {
    events: Family<EventLabels, Counter>,
    rejected: Family<RejectedLabels, Counter>,
}

impl Metrics {
    /// Registers the counters.
    pub fn registered(registry: &mut Registry) -> Self {
        let (events, rejected) = (Family::default(), Family::default());
        registry.register("silta_events_received", "Events received, by source", events.clone());
        registry.register("silta_webhooks_refused", "Webhooks rejected, by problem code", rejected.clone());
        Self { events, rejected }
    }

    pub(super) fn count_rejected(&self, source: Source, code: &'static str) {
        self.rejected.get_or_create(&RejectedLabels { source: source.as_str(), code }).inc();
    }

    pub(super) fn count_event(&self, source: Source, duplicate: bool) {
        let duplicate = if duplicate { "true" } else { "false" };
        self.events.get_or_create(&EventLabels { source: source.as_str(), duplicate }).inc();
    }
}
