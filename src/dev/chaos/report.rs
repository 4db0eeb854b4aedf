//! The result of a chaos run.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use serde::Serialize;

use super::disturbance::Disturbance;
use crate::dev::sandbox::Reconciliation;

/// The result of one disturbance.
pub(super) struct Outcome {
    pub(super) disturbance: Disturbance,
    /// How long it lasted.
    pub(super) lasted: Duration,
    /// How long an order placed at its end took to the warehouse; `None` where it never arrived.
    pub(super) recovered: Option<Duration>,
    /// False where a failpoint was not reached.
    pub(super) is_reached: bool,
    /// What an attack came to.
    pub(super) figures: Option<String>,
}

impl Outcome {
    pub(super) fn summary(&self) -> String {
        let Self { disturbance, lasted, recovered, is_reached, figures } = self;
        let (what, lasted) = (disturbance.to_string(), lasted.as_secs_f64());
        let recovered = match recovered {
            Some(time) => format!("recovered in {:.1} s", time.as_secs_f64()),
            None => "NOT RECOVERED".to_owned(),
        };
        let not_reached = if *is_reached { "" } else { "  NOT REACHED" };
        let figures = figures.as_ref().map(|figures| format!("\n    {figures}")).unwrap_or_default();
        format!("  {what:<36} {lasted:>5.1} s, {recovered}{not_reached}{figures}")
    }
}

/// The result of a whole run.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// The seed that replays the run.
    pub(super) seed: u64,
    passes: usize,
    replicas: usize,
    /// How often each disturbance was played.
    tried: BTreeMap<String, usize>,
    /// Disturbances after which an order did not arrive.
    not_recovered: Vec<String>,
    /// Failpoints at which no process exited.
    not_reached: Vec<String>,
    longest_to_recover: f64,
    /// What each attack came to.
    attacks: Vec<String>,
    /// The reconciliation of both sandbox vendors.
    #[serde(flatten)]
    pub(super) reconciliation: Reconciliation,
    /// Tasks that are open or dead.
    pub(super) left_over: i64,
    /// Webhooks answered 200.
    pub(super) acknowledged: usize,
    /// Of these, how many the database does not have.
    pub(super) acknowledged_missing: usize,
    /// Calls that met a fault of the sandbox.
    pub(super) faults_met: usize,
    /// Webhooks that were sent.
    pub(super) webhooks_sent: usize,
    /// Webhooks that were never sent.
    pub(super) webhooks_withheld: usize,
    /// Attempts that were rescued: their process was gone, or paused beyond its lease.
    pub(super) rescued: i64,
    /// Settles that came after a rescue and were refused by the fence.
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
        self.attacks.extend(outcome.figures.clone());
        if !outcome.is_reached {
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
            ("disturbances", format!("{tried} of {} kinds", self.tried.len())),
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
        let mut table = "\nCounted by the sandbox, order by order:\n".to_owned();
        for (what, figure) in rows {
            let _ = writeln!(table, "  {what:<34}{figure:>16}");
        }
        for (what, names) in [("not recovered", &self.not_recovered), ("not reached", &self.not_reached)] {
            if !names.is_empty() {
                let _ = writeln!(table, "  {what}: {}", names.join(", "));
            }
        }
        let Self { seed, passes, replicas, .. } = self;
        let _ = writeln!(table, "\nAgain: silta chaos --seed {seed} --passes {passes} --replicas {replicas}");
        table
    }
}
