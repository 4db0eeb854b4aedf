//! Checks what is wrong and writes the notifications.

use std::{collections::HashSet, sync::Arc, time::Duration};

use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;

use super::{Deps, sender::Sender};
use crate::{
    domain::{
        Timestamp,
        alert::{AlertKind, Condition, Next, next},
    },
    store::{
        self,
        alerts::{self, AlertThresholds, ExpectedPoll, OpenAlertRow},
        configurations, notifications, order_rate,
    },
};

/// How often the conditions are checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(30);

/// How long a rejected webhook raises an alert, unless one is accepted before.
const REJECTION_WINDOW: chrono::Duration = chrono::Duration::hours(1);

/// Fewer rejected webhooks since the last accepted one raise no alert: anybody can send some, and a shop whose key is wrong sends
/// that many soon. What their webhooks would have said is found by the polls meanwhile.
const MIN_REJECTED: i64 = 10;

/// A poll is late once it has missed three intervals and this in addition.
const POLL_GRACE: Duration = Duration::from_secs(600);

/// Subscriptions are checked every hour; one not seen for this long is gone.
const SUBSCRIPTION_GONE_AFTER: chrono::Duration = chrono::Duration::minutes(150);

/// Checks conditions and sends notifications.
#[derive(Clone)]
pub struct AlertMonitor {
    deps: Arc<Deps>,
    sender: Sender,
}

impl AlertMonitor {
    /// Creates a monitor that does nothing until it is run.
    pub fn new(deps: Deps) -> Self {
        let deps = Arc::new(deps);
        Self { sender: Sender::new(deps.clone()), deps }
    }

    /// Checks and notifies until `soft` is cancelled.
    pub async fn run(&self, soft: CancellationToken) {
        while !soft.is_cancelled() {
            tokio::select! {
                done = self.check_and_notify() => if let Err(error) = done {
                    tracing::warn!(error = %error, "alert check failed, retrying");
                },
                () = soft.cancelled() => return,
            }
            let pause = CHECK_INTERVAL.mul_f64(1.0 + self.deps.entropy.fraction() / 10.0);
            let _ = tokio::time::timeout(pause, soft.cancelled()).await;
        }
    }

    /// Checks once and sends what is due. Tests drive the monitor with it.
    pub async fn check_and_notify(&self) -> store::Result<()> {
        if self.check().await? {
            self.sender.send_due().await?;
        }
        Ok(())
    }

    /// Sends a test message to every channel; returns each channel's name with its result.
    pub async fn test_channels(&self) -> Vec<(String, Result<(), String>)> {
        self.sender.test_channels().await
    }

    /// Brings the alerts up to date with the conditions that hold now. False where that is the business of a process with a
    /// newer configuration: this one would close the alerts of connections that it does not know.
    async fn check(&self) -> store::Result<bool> {
        let Deps { pool, clock, entropy, configuration, .. } = &*self.deps;
        let now = clock.now();
        let mut db = pool.begin().await?;
        if !configurations::is_newest(&mut db, configuration, clock.monotonic()).await? {
            return Ok(false);
        }
        if !alerts::try_lock(&mut db).await? {
            return Ok(true); // another process is checking
        }
        configurations::count_check(&mut db, configuration).await?;
        let conditions = self.conditions(&mut db, now).await?;
        let open = alerts::list_open(&mut db).await?;
        let is_of =
            |alert: &OpenAlertRow, it: &Condition| it.kind == alert.kind && it.connection == alert.connection;
        for alert in &open {
            let condition = conditions.iter().find(|it| is_of(alert, it));
            self.update_alert(&mut db, alert, condition, now).await?;
        }
        for condition in &conditions {
            if !open.iter().any(|alert| is_of(alert, condition)) {
                alerts::insert(&mut db, entropy.id(now), condition, now).await?;
            }
        }
        db.commit().await?;
        Ok(true)
    }

    /// Updates an open alert whose condition holds, or holds no longer, and writes its notifications.
    async fn update_alert(
        &self,
        db: &mut PgConnection,
        alert: &OpenAlertRow,
        condition: Option<&Condition>,
        now: Timestamp,
    ) -> store::Result<()> {
        let Deps { entropy, options, .. } = &*self.deps;
        if let Some(condition) = condition {
            alerts::record_count(db, alert.id, condition).await?;
        }
        let change = match next(Some(alert.status), condition.is_some(), options.grace_period, now) {
            Next::Notify => "opened",
            Next::Remind => "reminded",
            Next::Close => "closed",
            Next::Discard => return alerts::delete_unnotified(db, alert.id).await,
            Next::Open | Next::Keep | Next::Nothing => return Ok(()),
        };
        if change == "closed" {
            alerts::close(db, alert.id, now).await?;
        } else {
            alerts::mark_notified(db, alert.id, now).await?;
        }
        let (connection, kind) = (&alert.connection, alert.kind.as_str());
        tracing::warn!(connection, kind, change, "alert");
        for channel in &options.channels {
            let id = entropy.id(now);
            notifications::insert_notification(db, id, alert.id, &channel.name, change, now).await?;
        }
        Ok(())
    }

    /// Everything that is wrong now.
    async fn conditions(&self, db: &mut PgConnection, now: Timestamp) -> store::Result<Vec<Condition>> {
        let Deps { options, polls, connections, .. } = &*self.deps;
        let expected_poll = |(connection, what, interval): &(String, &'static str, Duration)| ExpectedPoll {
            connection: connection.clone(),
            what,
            after: now - (*interval * 3 + POLL_GRACE),
        };
        let thresholds = AlertThresholds {
            due_before: now - options.backlog_older_than,
            rejected_since: now - REJECTION_WINDOW,
            min_rejected: MIN_REJECTED,
            connections: connections.clone(),
            polls: polls.iter().map(expected_poll).collect(),
            subscriptions_before: now - SUBSCRIPTION_GONE_AFTER,
            waiting_since_before: (!options.waiting_longer_than.is_zero())
                .then(|| now - options.waiting_longer_than),
        };
        let mut conditions = alerts::list_conditions(db, &thresholds).await?;
        conditions.extend(self.silent_connections(db, now).await?);
        Ok(conditions)
    }

    /// The connections from which orders were to be expected by now.
    async fn silent_connections(
        &self,
        db: &mut PgConnection,
        now: Timestamp,
    ) -> store::Result<impl Iterator<Item = Condition>> {
        let known: HashSet<_> = self.deps.connections.iter().collect();
        let mut rows = store::connections::list(db).await?;
        rows.retain(|row| row.paused_at.is_none() && known.contains(&row.name));
        let rates = order_rate::read_all(db, &rows, now).await?.into_iter();
        Ok(rates.filter(|(_, rate)| rate.is_suspicious).map(|(connection, rate)| {
            #[expect(clippy::cast_possible_truncation, reason = "orders of a few weeks")]
            let expected = rate.expected as i64;
            Condition {
                connection,
                kind: AlertKind::Silent,
                count: expected.max(1),
                detail: format!("{} min", rate.silent_seconds / 60),
            }
        }))
    }
}
