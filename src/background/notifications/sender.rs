//! Sends the notifications that are due.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;

use super::{
    Deps, Options,
    message::{self, Links},
};
use crate::{
    domain::task::retry::RetryPolicy,
    store::{
        self,
        notifications::{self, DueNotification, SendResult},
    },
};

/// How long a notification that is being sent is not sent by another process: longer than any channel may take.
const SEND_LEASE: Duration = Duration::from_secs(120);

/// How long a notification is retried.
const GIVE_UP_AFTER: chrono::Duration = chrono::Duration::days(1);

/// The time between retries.
const RETRY_POLICY: RetryPolicy = RetryPolicy {
    base: Duration::from_secs(10),
    cap: Duration::from_secs(3600),
    attempts: u32::MAX,
    recheck_delay: Duration::ZERO,
    unknown_for: Duration::ZERO,
};

/// Sends notifications.
#[derive(Clone)]
pub(super) struct Sender(Arc<Deps>);

impl Sender {
    pub(super) const fn new(deps: Arc<Deps>) -> Self {
        Self(deps)
    }

    /// Sends what is due, all at once: a channel that hangs must not delay the others.
    pub(super) async fn send_due(&self) -> store::Result<()> {
        let Deps { pool, clock, .. } = &*self.0;
        loop {
            let now = clock.now();
            let mut db = pool.acquire().await?;
            let due = notifications::claim_due(&mut db, now, now + SEND_LEASE).await?;
            drop(db); // never held during a call
            if due.is_empty() {
                return Ok(());
            }
            let mut sending = JoinSet::new();
            for notification in due {
                let sender = self.clone();
                sending.spawn(async move { sender.send(&notification).await });
            }
            while let Some(sent) = sending.join_next().await {
                sent.unwrap_or(Ok(()))?; // one that panicked is due again once its lease runs out
            }
        }
    }

    /// Sends a test message to every channel; returns each channel's name with its result.
    pub(super) async fn test_channels(&self) -> Vec<(String, Result<(), String>)> {
        let Deps { clock, entropy, client, options, .. } = &*self.0;
        let mut results = Vec::new();
        for channel in &options.channels {
            let now = clock.now();
            let message = message::test_message(entropy.id(now), options.language, now);
            results.push((channel.name.clone(), channel.send(client, &message, now).await));
        }
        results
    }

    async fn send(&self, notification: &DueNotification) -> store::Result<()> {
        let Deps { pool, clock, entropy, client, options, .. } = &*self.0;
        let channel = options.channels.iter().find(|channel| channel.name == notification.channel);
        let sent = match channel {
            None => Err("the channel is no longer configured".to_owned()),
            Some(channel) => {
                let message = {
                    let Options { language, public_url, runbook_url, .. } = options;
                    message::for_notification(notification, *language, Links { public_url, runbook_url })
                };
                channel.send(client, &message, clock.now()).await
            }
        };
        let now = clock.now();
        let channel_name = &notification.channel;
        let result = match &sent {
            Ok(()) => SendResult::Sent,
            Err(error) if channel.is_none() || now > notification.created_at + GIVE_UP_AFTER => {
                tracing::error!(channel = channel_name, error, "notification given up");
                SendResult::GivenUp(error)
            }
            Err(error) => {
                tracing::warn!(channel = channel_name, error, "notification not sent, retrying");
                let attempts = u32::try_from(notification.attempts).unwrap_or(1);
                SendResult::RetryAt(now + RETRY_POLICY.backoff(attempts, entropy.fraction()), error)
            }
        };
        let mut db = pool.acquire().await?;
        notifications::record_send_result(&mut db, notification.id, result, now).await
    }
}
