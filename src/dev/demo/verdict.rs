//! The result of a demo.

use serde::Serialize;

use crate::dev::sandbox::Reconciliation;

/// What the sandbox counted, and what Silta has left to do.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    #[serde(flatten)]
    pub(super) reconciliation: Reconciliation,
    /// Tasks that are open or dead.
    pub(super) left_over: i64,
    /// Differences between both vendors that Silta's own sync found.
    pub(super) differences: i64,
    /// Calls that met a fault.
    pub(super) faults_met: usize,
    pub(super) webhooks_sent: usize,
    pub(super) webhooks_withheld: usize,
    pub(super) seconds: f64,
}

impl Verdict {
    pub(super) const fn is_good(&self) -> bool {
        let Reconciliation { placed, at_warehouse, shipped, tracking_back, .. } = self.reconciliation;
        let is_done = self.left_over == 0 && self.differences == 0;
        self.reconciliation.is_balanced() && is_done && placed == at_warehouse && tracking_back == shipped
    }

    pub(super) fn table(&self) -> String {
        let Reconciliation { shipped, tracking_back, .. } = self.reconciliation;
        let [placed, at_warehouse, products, stock, lost, doubled] = self.reconciliation.rows();
        let rows = [
            placed,
            at_warehouse,
            ("shipped", shipped.to_string()),
            ("tracking back in the shop", tracking_back.to_string()),
            products,
            stock,
            ("webhooks sent / withheld", format!("{} / {}", self.webhooks_sent, self.webhooks_withheld)),
            ("faults met", self.faults_met.to_string()),
            lost,
            doubled,
            ("left over", self.left_over.to_string()),
            ("differences found by sync", self.differences.to_string()),
            ("seconds", format!("{:.1}", self.seconds)),
            ("verdict", (if self.is_good() { "good" } else { "NOT GOOD" }).to_owned()),
        ];
        let lines: Vec<_> = rows.iter().map(|(what, figure)| format!("  {what:<28}{figure:>10}")).collect();
        format!("\nCounted by the sandbox, order by order:\n{}\n", lines.join("\n"))
    }
}
