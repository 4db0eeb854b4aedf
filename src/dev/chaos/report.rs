//! What a proof has come to.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use serde::Serialize;

use super::disturbance::Disturbance;
use crate::dev::sandbox::Reconciliation;

/// What one disturbance has come to.
pub(super) struct Outcome {
    pub(super) disturbance: Disturbance,
    /// How long it lasted.
    pub(super) lasted: Duration,
    /// How long after its end until an order placed then stood at the warehouse; nothing where it never did.
    pub(super) recovered: Option<Duration>,
    /// False where a failpoint was not reached.
    pub(super) happened: bool,
}

impl Outcome {
    pub(super) fn summary(&self) -> String {
        let Self { disturbance, lasted, recovered, happened } = self;
        let (what, lasted) = (disturbance.to_string(), lasted.as_secs_f64());
        let recovered = match recovered {
            Some(time) => format!("recovered in {:.1} s", time.as_secs_f64()),
            None => "NOT RECOVERED".to_owned(),
        };
        let happened = if *happened { "" } else { "  NOT REACHED" };
        format!("  {what:<36} {lasted:>5.1} s, {recovered}{happened}")
    }
}

/// The whole of it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// What replays it.
    pub(super) seed: u64,
    passes: usize,
    replicas: usize,
    /// How often each disturbance came.
    tried: BTreeMap<String, usize>,
    /// Those after which an order did not come through.
    not_recovered: Vec<String>,
    /// failpoints at which nothing died.
    not_reached: Vec<String>,
    longest_to_recover: f64,
    /// What the sandbox's reconciliation say.
    #[serde(flatten)]
    pub(super) reconciliation: Reconciliation,
    /// Tasks still open or dead.
    pub(super) left_over: i64,
    /// Webhooks answered 200.
    pub(super) acknowledged: usize,
    /// Of these, those that the database does not have.
    pub(super) acknowledged_missing: usize,
    /// Calls that met a fault of the sandbox.
    pub(super) faults_met: usize,
    /// Webhooks sent, and never sent.
    pub(super) webhooks_sent: usize,
    pub(super) webhooks_withheld: usize,
    /// Attempts whose process was gone or asleep beyond its lease: rescued, and looked at again.
    pub(super) rescued: i64,
    /// Settles that came after a rescue, and were refused.
    pub(super) late_settles_refused: u64,
    pub(super) seconds: f64,
}

impl Report {
    pub(super) fn new(seed: u64, passes: usize, replicas: usize) -> Self {
        Self { seed, passes, replicas, ..Self::default() }
    }

    pub(super) fn record(&mut self, outcome: &Outcome) {
        let name = outcome.disturbance.to_string();
        match outcome.recovered {
            Some(time) => self.longest_to_recover = self.longest_to_recover.max(time.as_secs_f64()),
            None => self.not_recovered.push(name.clone()),
        }
        if !outcome.happened {
            self.not_reached.push(name.clone());
        }
        *self.tried.entry(name).or_default() += 1;
    }

    pub(super) fn is_good(&self) -> bool {
        let Reconciliation { placed, at_warehouse, shipped, tracking_back, .. } = self.reconciliation;
        self.reconciliation.is_balanced()
            && placed == at_warehouse
            && tracking_back == shipped
            && self.left_over == 0
            && self.acknowledged_missing == 0
            && self.not_recovered.is_empty()
            && self.not_reached.is_empty()
    }

    pub(super) fn table(&self) -> String {
        let Reconciliation { shipped, tracking_back, .. } = self.reconciliation;
        let [placed, at_warehouse, products, stock, lost, doubled] = self.reconciliation.rows();
        let tried: usize = self.tried.values().sum();
        let rows = [
            ("faults tried", format!("{tried} of {} kinds", self.tried.len())),
            ("calls that met a fault", self.faults_met.to_string()),
            ("webhooks sent / withheld", format!("{} / {}", self.webhooks_sent, self.webhooks_withheld)),
            (
                "answered 200 / of these missing",
                format!("{} / {}", self.acknowledged, self.acknowledged_missing),
            ),
            ("attempts rescued", self.rescued.to_string()),
            ("late settles refused", self.late_settles_refused.to_string()),
            placed,
            at_warehouse,
            ("shipped / tracking in the shop", format!("{shipped} / {tracking_back}")),
            products,
            stock,
            lost,
            doubled,
            ("left over", self.left_over.to_string()),
            ("longest time to recover", format!("{:.1} s", self.longest_to_recover)),
            ("seconds", format!("{:.0}", self.seconds)),
            ("verdict", (if self.is_good() { "good" } else { "NOT GOOD" }).to_owned()),
        ];
        let mut table = "\nFrom the sandbox's own books:\n".to_owned();
        for (what, figure) in rows {
            let _ = writeln!(table, "  {what:<34}{figure:>16}");
        }
        for (what, names) in [("not recovered", &self.not_recovered), ("not reached", &self.not_reached)] {
            if !names.is_empty() {
                let _ = writeln!(table, "  {what}: {}", names.join(", "));
            }
        }
        let Self { seed, passes, replicas, .. } = self;
        let _ = writeln!(table, "\nAgain: silta prove --seed {seed} --passes {passes} --replicas {replicas}");
        table
    }
}
