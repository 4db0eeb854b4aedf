//! Counters of attempts.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

use crate::domain::{event::subject::SubjectKind, task::outcome::Outcome};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

/// Attempts by outcome, their duration, and leases lost.
#[derive(Clone)]
pub struct Metrics {
    attempts: Family<AttemptLabels, Counter>,
    seconds: Family<KindLabels, Histogram>,
    deferrals: Family<KindLabels, Counter>,
    leases_lost: Counter,
}

/// Seconds, from a local read to the longest vendor timeout.
const BUCKETS: [f64; 9] = [0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 60.0];

impl Metrics {
    /// Registers the counters; they are documented in `docs/telemetry.md`.
    pub fn registered(registry: &mut Registry) -> Self {
        let attempts = Family::default();
        let seconds = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let (deferrals, leases_lost) = (Family::default(), Counter::default());
        registry.register("silta_attempts", "Attempts settled, by kind and outcome", attempts.clone());
        registry.register("silta_attempt_seconds", "From claim to settled", seconds.clone());
        registry.register(
            "silta_deferrals",
            "Claims returned since it was not their turn at a vendor, by kind",
            deferrals.clone(),
        );
        registry.register("silta_leases_lost", "Settles refused by the fence", leases_lost.clone());
        Self { attempts, seconds, deferrals, leases_lost }
    }

    pub(super) fn record_attempt(&self, kind: SubjectKind, outcome: &Outcome, elapsed: Duration) {
        let kind = kind.as_str();
        self.attempts.get_or_create(&AttemptLabels { kind, outcome: outcome.as_str() }).inc();
        self.seconds.get_or_create(&KindLabels { kind }).observe(elapsed.as_secs_f64());
    }

    pub(super) fn record_deferral(&self, kind: SubjectKind) {
        self.deferrals.get_or_create(&KindLabels { kind: kind.as_str() }).inc();
    }

    pub(super) fn record_lost_lease(&self) {
        self.leases_lost.inc();
    }
}
