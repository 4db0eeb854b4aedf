//! What the alert monitor is built from.

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;

use super::Channel;
use crate::{
    domain::{alert::GracePeriod, configuration_watch::ConfigurationWatch, language::Language},
    runtime::clock::{Clock, Entropy},
};

/// The settings of `[alerts]`.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a condition must hold before its alert is sent, and the time between reminders.
    pub grace_period: GracePeriod,
    /// A task that has been due for longer raises an alert.
    pub backlog_older_than: Duration,
    /// An order that has waited for goods at the warehouse for longer raises an alert; zero is never.
    pub waiting_longer_than: Duration,
    /// The language of messages.
    pub language: Language,
    /// Where messages are sent.
    pub channels: Vec<Channel>,
    /// The address of the dashboard; without one, messages have no link.
    pub public_url: String,
    /// Where the runbook is, whose headings are the kinds of alerts; empty where that is unknown.
    pub runbook_url: String,
}

/// Dependencies of the alert monitor.
pub struct Deps {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and jitter.
    pub entropy: Arc<Entropy>,
    /// The HTTP client of the channels.
    pub client: reqwest::Client,
    /// Whether this configuration is the newest.
    pub configuration: Arc<ConfigurationWatch>,
    /// `[alerts]`
    pub options: Options,
    /// The configured connections: what is wrong with another one concerns nobody any more.
    pub connections: Vec<String>,
    /// How often each list of each connection is polled.
    pub polls: Vec<(String, &'static str, Duration)>,
}
