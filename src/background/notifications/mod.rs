//! Alerts: people are told what is wrong, in one message however much of it there is, and that it is right again.
//!
//! Every half minute, in one process at a time, everything that is wrong is read from the tables (`store::alerts`), and
//! [`domain::alert::next`](crate::domain::alert::next) says what follows for each: seen, told, reminded of, closed,
//! forgotten. What is told is written as a message to each channel, in the same transaction, and sent from there: **at
//! least once**, under an id that stays the same, until the channel has taken it. A channel that takes nothing for a
//! day is given up for that message and told of in the log.
//!
//! Channels are webhooks signed as Standard Webhooks says, Slack-compatible webhooks, and e-mail (`channel`). Messages
//! name connections, counts and codes, and no person.

mod channel;
mod message;

use std::{sync::Arc, time::Duration};

pub use channel::{Channel, ChannelKind};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{
        Timestamp,
        alert::{AlertKind, Condition, GracePeriod, Next, next},
        language::Language,
        task::retry::RetryPolicy,
    },
    runtime::clock::{Clock, Entropy},
    store::{
        self,
        alerts::{self, AlertThresholds, ExpectedPoll},
        connections,
        notifications::{self, DueNotification, SendResult},
        order_rate,
    },
};

/// How often it is looked what is wrong.
const CHECK_INTERVAL: Duration = Duration::from_secs(30);

/// A message that is being sent is nobody else's for so long: longer than any channel may take.
const SEND_LEASE: Duration = Duration::from_secs(120);

/// A message is send_result for so long.
const GIVE_UP_AFTER: chrono::Duration = chrono::Duration::days(1);

/// A refused webhook is wrong for so long, unless one is taken.
const REJECTION_WINDOW: chrono::Duration = chrono::Duration::hours(1);

/// A poll is late when it has missed three turns, and this in addition.
const POLL_GRACE: Duration = Duration::from_secs(600);

/// A subscription is looked for every hour, and is gone when it was not seen for so long.
const SUBSCRIPTION_GONE_AFTER: chrono::Duration = chrono::Duration::minutes(150);

/// Between two attempts of a message.
const RETRY_POLICY: RetryPolicy = RetryPolicy {
    base: Duration::from_secs(10),
    cap: Duration::from_secs(3600),
    attempts: u32::MAX,
    recheck_delay: Duration::ZERO,
    unknown_for: Duration::ZERO,
};

/// `[alerts]`
#[derive(Clone, Debug)]
pub struct Options {
    /// Before an alert is told, and between reminders.
    pub grace_period: GracePeriod,
    /// A task that has been due for longer is an alert.
    pub backlog_older_than: Duration,
    /// What messages are written in.
    pub language: Language,
    /// Where they go.
    pub channels: Vec<Channel>,
    /// Where the dashboard is; empty: messages have no link.
    pub public_url: String,
}

/// What the alerts are made of.
pub struct Deps {
    /// Where everything is.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and jitter.
    pub entropy: Arc<Entropy>,
    /// The way out.
    pub client: reqwest::Client,
    /// `[alerts]`
    pub options: Options,
    /// How often each list of each connection is polled.
    pub polls: Vec<(String, &'static str, Duration)>,
}

/// Looks what is wrong, and tells.
#[derive(Clone)]
pub struct AlertMonitor(Arc<Deps>);

impl AlertMonitor {
    /// At rest.
    pub fn new(deps: Deps) -> Self {
        Self(Arc::new(deps))
    }

    /// Looks and tells until told to stop.
    pub async fn run(&self, soft: CancellationToken) {
        while !soft.is_cancelled() {
            tokio::select! {
                done = self.check_and_notify() => if let Err(error) = done {
                    tracing::warn!(error = %error, "cannot look what is wrong");
                },
                () = soft.cancelled() => return,
            }
            let pause = CHECK_INTERVAL.mul_f64(1.0 + self.0.entropy.fraction() / 10.0);
            let _ = tokio::time::timeout(pause, soft.cancelled()).await;
        }
    }

    /// Looks once, and sends what is due. The crank of the tests.
    pub async fn check_and_notify(&self) -> store::Result<()> {
        self.check().await?;
        self.send_due().await
    }

    async fn check(&self) -> store::Result<()> {
        let Deps { pool, clock, entropy, options, .. } = &*self.0;
        let now = clock.now();
        let mut db = pool.begin().await?;
        if !alerts::try_lock(&mut db).await? {
            return Ok(()); // another process looks just now
        }
        let conditions = self.conditions(&mut db, now).await?;
        let open = alerts::list_open(&mut db).await?;
        for alert in &open {
            let still =
                conditions.iter().find(|it| it.kind == alert.kind && it.connection == alert.connection);
            if let Some(condition) = still {
                alerts::record_count(&mut db, alert.id, condition).await?;
            }
            let change = match next(Some(alert.status), still.is_some(), options.grace_period, now) {
                Next::Notify => "opened",
                Next::Remind => "reminded",
                Next::Close => "closed",
                Next::Discard => {
                    alerts::delete_unnotified(&mut db, alert.id).await?;
                    continue;
                }
                Next::Open | Next::Keep | Next::Nothing => continue,
            };
            if change == "closed" {
                alerts::close(&mut db, alert.id, now).await?;
            } else {
                alerts::mark_notified(&mut db, alert.id, now).await?;
            }
            let (connection, kind) = (&alert.connection, alert.kind.as_str());
            tracing::warn!(connection, kind, change, "alert");
            for channel in &options.channels {
                let id = entropy.id(now);
                notifications::insert_notification(&mut db, id, alert.id, &channel.name, change, now).await?;
            }
        }
        for condition in &conditions {
            let is_known =
                open.iter().any(|it| it.kind == condition.kind && it.connection == condition.connection);
            if !is_known {
                alerts::insert(&mut db, entropy.id(now), condition, now).await?;
            }
        }
        db.commit().await?;
        Ok(())
    }

    async fn conditions(&self, db: &mut sqlx::PgConnection, now: Timestamp) -> store::Result<Vec<Condition>> {
        let Deps { options, polls, .. } = &*self.0;
        let expected_poll = |(connection, what, interval): &(String, &'static str, Duration)| ExpectedPoll {
            connection: connection.clone(),
            what,
            after: now - (*interval * 3 + POLL_GRACE),
        };
        let thresholds = AlertThresholds {
            due_before: now - options.backlog_older_than,
            rejected_since: now - REJECTION_WINDOW,
            polls: polls.iter().map(expected_poll).collect(),
            subscriptions_before: now - SUBSCRIPTION_GONE_AFTER,
        };
        let mut conditions = alerts::list_conditions(db, &thresholds).await?;
        for row in connections::list(db).await?.iter().filter(|row| row.paused_at.is_none()) {
            let order_rate = order_rate::read(db, &row.name, row.created_at, now).await?;
            if order_rate.is_suspicious {
                #[expect(clippy::cast_possible_truncation, reason = "orders of a few weeks")]
                let expected = order_rate.expected as i64;
                conditions.push(Condition {
                    connection: row.name.clone(),
                    kind: AlertKind::Silent,
                    count: expected.max(1),
                    detail: format!("{} min", order_rate.silent_seconds / 60),
                });
            }
        }
        Ok(conditions)
    }

    /// Sends what is due, each message beside the others: a channel that hangs must not keep the rest waiting.
    async fn send_due(&self) -> store::Result<()> {
        let Deps { pool, clock, .. } = &*self.0;
        loop {
            let now = clock.now();
            let mut db = pool.acquire().await?;
            let due = notifications::claim_due(&mut db, now, now + SEND_LEASE).await?;
            drop(db); // never held across the network
            if due.is_empty() {
                return Ok(());
            }
            let mut sending = tokio::task::JoinSet::new();
            for notification in due {
                let alerts = self.clone();
                sending.spawn(async move { alerts.send(&notification).await });
            }
            while let Some(sent) = sending.join_next().await {
                sent.unwrap_or(Ok(()))?; // one that panicked is due again by itself
            }
        }
    }

    async fn send(&self, notification: &DueNotification) -> store::Result<()> {
        let Deps { pool, clock, entropy, client, options, .. } = &*self.0;
        let channel = options.channels.iter().find(|channel| channel.name == notification.channel);
        let answer = match channel {
            None => Err("the channel is no longer configured".to_owned()),
            Some(channel) => {
                let message = message::for_notification(notification, options.language, &options.public_url);
                channel.send(client, &message, clock.now()).await
            }
        };
        let now = clock.now();
        let send_result = match &answer {
            Ok(()) => SendResult::Sent,
            Err(error) if channel.is_none() || now > notification.created_at + GIVE_UP_AFTER => {
                tracing::error!(
                    channel = notification.channel,
                    error,
                    "a message about an alert is given up"
                );
                SendResult::GivenUp(error)
            }
            Err(error) => {
                tracing::warn!(
                    channel = notification.channel,
                    error,
                    "a message about an alert was not taken"
                );
                let attempts = u32::try_from(notification.attempts).unwrap_or(1);
                SendResult::RetryAt(now + RETRY_POLICY.backoff(attempts, entropy.fraction()), error)
            }
        };
        let mut db = pool.acquire().await?;
        notifications::record_send_result(&mut db, notification.id, send_result, now).await
    }

    /// Sends a message of no meaning to every channel, to see whether it arrives; answers each channel's name with what
    /// went wrong.
    pub async fn test_channels(&self) -> Vec<(String, Result<(), String>)> {
        let Deps { clock, entropy, client, options, .. } = &*self.0;
        let mut answers = Vec::new();
        for channel in &options.channels {
            let now = clock.now();
            let message = message::test_message(entropy.id(now), options.language, now);
            answers.push((channel.name.clone(), channel.send(client, &message, now).await));
        }
        answers
    }
}
