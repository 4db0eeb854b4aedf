//! The result of a demo.

use serde::Serialize;
use sqlx::PgConnection;

use crate::{
    dev::sandbox::Reconciliation,
    domain::task::state::TaskState,
    runtime::clock::{Clock, SystemClock},
    store::{
        self, Page,
        views::{
            overview::{TaskFilter, TaskRow},
            task_list,
        },
    },
};

/// The most open tasks that are named.
const MAX_NAMED: i64 = 20;

/// What the sandbox counted, and what Silta has left to do.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    #[serde(flatten)]
    pub(super) reconciliation: Reconciliation,
    /// Orders whose next step Silta still has to do; they do not count as lost.
    pub(super) not_yet: usize,
    /// What was waited for when the day's time was over: each open task with its reason.
    pub(super) waiting: Vec<String>,
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
        let is_done = self.not_yet == 0 && self.left_over == 0 && self.differences == 0;
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
        let not_yet = (self.not_yet > 0).then(|| ("not yet", self.not_yet.to_string()));
        let (before, after) = rows.split_at(rows.len() - 5);
        let rows = before.iter().cloned().chain(not_yet).chain(after.iter().cloned());
        let lines: Vec<_> = rows.map(|(what, figure)| format!("  {what:<28}{figure:>10}")).collect();
        let table = format!("\nCounted by the sandbox, order by order:\n{}\n", lines.join("\n"));
        if self.waiting.is_empty() {
            return table;
        }
        format!("{table}\nStill waited for when the time was over:\n  {}\n", self.waiting.join("\n  "))
    }
}

/// Describes the open tasks, each with what it waits for.
pub(super) async fn describe_open_tasks(db: &mut PgConnection) -> store::Result<Vec<String>> {
    let now = SystemClock.now();
    let mut waiting = Vec::new();
    for state in TaskState::ALL.iter().filter(|state| !state.is_closed()) {
        let filter = TaskFilter { state: Some(state.to_string()), ..TaskFilter::default() };
        for task in task_list::list(db, &filter, &Page { before: None, limit: MAX_NAMED }).await? {
            let TaskRow { subject, state, reason, attempts, due_at, .. } = task;
            let reason = reason.as_deref().unwrap_or("not attempted yet");
            let seconds = (due_at - now).num_seconds().max(0);
            waiting
                .push(format!("{subject}: {state}, {reason}, {attempts} attempts, next one in {seconds} s"));
        }
    }
    Ok(waiting)
}
