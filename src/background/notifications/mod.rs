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

pub use channel::{Channel, Kind};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{
        Timestamp,
        alert::{AlertKind, Condition, Next, Patience, next},
        language::Language,
        task::retry::RetryPolicy,
    },
    runtime::clock::{Clock, Entropy},
    store::{
        self,
        alerts::{self, Bounds},
        connections,
        notifications::{self, DueNotice, Tried},
        order_rate,
    },
};

/// How often it is looked what is wrong.
const EVERY: Duration = Duration::from_secs(30);

/// A message that is being sent is nobody else's for so long: longer than any channel may take.
const SENDING: Duration = Duration::from_secs(120);

/// A message is tried for so long.
const GIVEN_UP_AFTER: chrono::Duration = chrono::Duration::days(1);

/// A refused webhook is wrong for so long, unless one is taken.
const REFUSED_FOR: chrono::Duration = chrono::Duration::hours(1);

/// A sweep is late when it has missed three turns, and this in addition.
const SWEEP_GRACE: Duration = Duration::from_secs(600);

/// A subscription is looked for every hour, and is gone when it was not seen for so long.
const SUBSCRIPTION_GONE_AFTER: chrono::Duration = chrono::Duration::minutes(150);

/// Between two tries of a message.
const RETRIES: RetryPolicy = RetryPolicy {
    base: Duration::from_secs(10),
    cap: Duration::from_secs(3600),
    attempts: u32::MAX,
    look_again: Duration::ZERO,
    unknown_for: Duration::ZERO,
};

/// `[alerts]`
#[derive(Clone, Debug)]
pub struct Options {
    /// Before an alert is told, and between reminders.
    pub patience: Patience,
    /// A delivery that has been due for longer is an alert.
    pub backlog_older_than: Duration,
    /// What messages are written in.
    pub language: Language,
    /// Where they go.
    pub channels: Vec<Channel>,
    /// Where the dashboard is; empty: messages have no link.
    pub public_url: String,
}

/// What the alerts are made of.
pub struct Parts {
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
    /// How often each list of each connection is swept.
    pub sweeps: Vec<(String, &'static str, Duration)>,
}

/// Looks what is wrong, and tells.
#[derive(Clone)]
pub struct Alerts(Arc<Parts>);

impl Alerts {
    /// At rest.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Looks and tells until told to stop.
    pub async fn run(&self, soft: CancellationToken) {
        while !soft.is_cancelled() {
            tokio::select! {
                done = self.look_and_tell() => if let Err(error) = done {
                    tracing::warn!(error = %error, "cannot look what is wrong");
                },
                () = soft.cancelled() => return,
            }
            let pause = EVERY.mul_f64(1.0 + self.0.entropy.fraction() / 10.0);
            let _ = tokio::time::timeout(pause, soft.cancelled()).await;
        }
    }

    /// Looks once, and sends what is due. The crank of the tests.
    pub async fn look_and_tell(&self) -> store::Result<()> {
        self.look().await?;
        self.tell().await
    }

    async fn look(&self) -> store::Result<()> {
        let Parts { pool, clock, entropy, options, .. } = &*self.0;
        let now = clock.now();
        let mut db = pool.begin().await?;
        if !alerts::take_turn(&mut db).await? {
            return Ok(()); // another process looks just now
        }
        let wrong = self.conditions(&mut db, now).await?;
        let open = alerts::open(&mut db).await?;
        for alert in &open {
            let still = wrong.iter().find(|it| it.kind == alert.kind && it.connection == alert.connection);
            if let Some(condition) = still {
                alerts::keep(&mut db, alert.id, condition).await?;
            }
            let word = match next(Some(alert.standing), still.is_some(), options.patience, now) {
                Next::Tell => "opened",
                Next::Remind => "reminded",
                Next::Close => "closed",
                Next::Forget => {
                    alerts::forget(&mut db, alert.id).await?;
                    continue;
                }
                Next::Begin | Next::Keep | Next::Nothing => continue,
            };
            if word == "closed" {
                alerts::close(&mut db, alert.id, now).await?;
            } else {
                alerts::note_told(&mut db, alert.id, now).await?;
            }
            let (connection, kind) = (&alert.connection, alert.kind.as_str());
            tracing::warn!(connection, kind, word, "alert");
            for channel in &options.channels {
                let id = entropy.id(now);
                notifications::write_notice(&mut db, id, alert.id, &channel.name, word, now).await?;
            }
        }
        for condition in &wrong {
            let is_known =
                open.iter().any(|it| it.kind == condition.kind && it.connection == condition.connection);
            if !is_known {
                alerts::begin(&mut db, entropy.id(now), condition, now).await?;
            }
        }
        db.commit().await?;
        Ok(())
    }

    async fn conditions(&self, db: &mut sqlx::PgConnection, now: Timestamp) -> store::Result<Vec<Condition>> {
        let Parts { options, sweeps, .. } = &*self.0;
        let late = |(connection, what, interval): &(String, &'static str, Duration)| {
            (connection.clone(), *what, now - (*interval * 3 + SWEEP_GRACE))
        };
        let bounds = Bounds {
            due_before: now - options.backlog_older_than,
            refused_since: now - REFUSED_FOR,
            sweeps: sweeps.iter().map(late).collect(),
            subscriptions_before: now - SUBSCRIPTION_GONE_AFTER,
        };
        let mut wrong = alerts::conditions(db, &bounds).await?;
        for row in connections::list(db).await?.iter().filter(|row| row.paused_at.is_none()) {
            let rhythm = order_rate::read(db, &row.name, row.created_at, now).await?;
            if rhythm.is_suspicious {
                #[expect(clippy::cast_possible_truncation, reason = "orders of a few weeks")]
                let expected = rhythm.expected as i64;
                wrong.push(Condition {
                    connection: row.name.clone(),
                    kind: AlertKind::Silent,
                    count: expected.max(1),
                    detail: format!("{} min", rhythm.silent_seconds / 60),
                });
            }
        }
        Ok(wrong)
    }

    /// Sends what is due, each message beside the others: a channel that hangs must not keep the rest waiting.
    async fn tell(&self) -> store::Result<()> {
        let Parts { pool, clock, .. } = &*self.0;
        loop {
            let now = clock.now();
            let mut db = pool.acquire().await?;
            let due = notifications::take_due(&mut db, now, now + SENDING).await?;
            drop(db); // never held across the network
            if due.is_empty() {
                return Ok(());
            }
            let mut sending = tokio::task::JoinSet::new();
            for notice in due {
                let alerts = self.clone();
                sending.spawn(async move { alerts.send(&notice).await });
            }
            while let Some(sent) = sending.join_next().await {
                sent.unwrap_or(Ok(()))?; // one that panicked is due again by itself
            }
        }
    }

    async fn send(&self, notice: &DueNotice) -> store::Result<()> {
        let Parts { pool, clock, entropy, client, options, .. } = &*self.0;
        let channel = options.channels.iter().find(|channel| channel.name == notice.channel);
        let answer = match channel {
            None => Err("the channel is no longer configured".to_owned()),
            Some(channel) => {
                let message = message::of(notice, options.language, &options.public_url);
                channel.send(client, &message, clock.now()).await
            }
        };
        let now = clock.now();
        let tried = match &answer {
            Ok(()) => Tried::Sent,
            Err(error) if channel.is_none() || now > notice.created_at + GIVEN_UP_AFTER => {
                tracing::error!(channel = notice.channel, error, "a message about an alert is given up");
                Tried::GivenUp(error)
            }
            Err(error) => {
                tracing::warn!(channel = notice.channel, error, "a message about an alert was not taken");
                let tries = u32::try_from(notice.tries).unwrap_or(1);
                Tried::Again(now + RETRIES.backoff(tries, entropy.fraction()), error)
            }
        };
        let mut db = pool.acquire().await?;
        notifications::note_tried(&mut db, notice.id, tried, now).await
    }

    /// Sends a message of no meaning to every channel, to see whether it arrives; answers each channel's name with what
    /// went wrong.
    pub async fn try_channels(&self) -> Vec<(String, Result<(), String>)> {
        let Parts { clock, entropy, client, options, .. } = &*self.0;
        let mut answers = Vec::new();
        for channel in &options.channels {
            let now = clock.now();
            let message = message::trial(entropy.id(now), options.language, now);
            answers.push((channel.name.clone(), channel.send(client, &message, now).await));
        }
        answers
    }
}
