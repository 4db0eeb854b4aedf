//! Metrics of the inbox, documented in `docs/telemetry.md`.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use crate::{domain::event::source::Source, web::problem::Code};

/// The codes of every rejection (`webhook/error.rs`), so that each has a counter before its first one.
const REJECTION_CODES: [Code; 11] = [
    Code::NotFound,
    Code::TooLarge,
    Code::BodyIncomplete,
    Code::BodyTimeout,
    Code::SignatureMissing,
    Code::SignatureWrong,
    Code::TooMany,
    Code::NotJson,
    Code::Unavailable,
    Code::Busy,
    Code::Internal,
];

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
        let metrics = Self { events, rejected };
        metrics.start_at_zero();
        metrics
    }

    /// Makes every counter: the first rejection of a counter that did not exist is no increase, so no rule sees it.
    fn start_at_zero(&self) {
        for source in [Source::MyCashflow, Source::Ogoship] {
            for code in REJECTION_CODES {
                let labels = RejectedLabels { source: source.as_str(), code: code.as_str() };
                drop(self.rejected.get_or_create(&labels));
            }
        }
        for source in [Source::MyCashflow, Source::Ogoship, Source::Poll, Source::Operator] {
            for duplicate in ["false", "true"] {
                drop(self.events.get_or_create(&EventLabels { source: source.as_str(), duplicate }));
            }
        }
    }

    pub(super) fn count_rejected(&self, source: Source, code: &'static str) {
        self.rejected.get_or_create(&RejectedLabels { source: source.as_str(), code }).inc();
    }

    pub(super) fn count_event(&self, source: Source, duplicate: bool) {
        let duplicate = if duplicate { "true" } else { "false" };
        self.events.get_or_create(&EventLabels { source: source.as_str(), duplicate }).inc();
    }
}
