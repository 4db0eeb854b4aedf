//! Names that people type: an unknown one is an error that says which there are.

use anyhow::{Result, bail, ensure};
use clap::builder::PossibleValuesParser;
use sqlx::PgConnection;

use crate::{
    app::config::Config,
    domain::{
        event::subject::Subject,
        order::OrderStatus,
        suggestion::did_you_mean,
        task::{reason::Reason, state::TaskState},
    },
    store::connections,
};

/// The states of tasks.
pub(super) fn task_states() -> PossibleValuesParser {
    PossibleValuesParser::new(TaskState::NAMES)
}

/// The statuses of orders.
pub(super) fn order_statuses() -> PossibleValuesParser {
    PossibleValuesParser::new(OrderStatus::ALL.iter().map(|status| status.as_str()))
}

/// The reason codes.
pub(super) fn reasons() -> PossibleValuesParser {
    PossibleValuesParser::new(Reason::ALL.iter().map(|reason| reason.code()))
}

/// A subject as people write it.
pub(super) fn subject(text: &str) -> Result<String, String> {
    text.parse::<Subject>().map(|subject| subject.to_string()).map_err(|error| error.to_string())
}

/// The names of the configured connections.
pub(super) fn configured(config: &Config) -> Vec<String> {
    config.connections.iter().map(|connection| connection.name.clone()).collect()
}

/// Checks that the configuration has this connection, or the database still has one of this name.
pub(super) async fn ensure_connection(
    db: &mut PgConnection,
    configured: &[String],
    name: &str,
) -> Result<()> {
    if configured.iter().any(|known| known == name) {
        return Ok(());
    }
    let mut known: Vec<_> = connections::list(db).await?.into_iter().map(|row| row.name).collect();
    if known.iter().any(|known| known == name) {
        return Ok(());
    }
    known.extend(configured.iter().cloned());
    known.sort();
    known.dedup();
    unknown_connection(name, &known)
}

/// Checks that the configuration has this connection.
pub(super) fn ensure_configured(configured: &[String], name: &str) -> Result<()> {
    if configured.iter().any(|known| known == name) { Ok(()) } else { unknown_connection(name, configured) }
}

fn unknown_connection(name: &str, known: &[String]) -> Result<()> {
    let known: Vec<_> = known.iter().map(String::as_str).collect();
    bail!("there is no connection {name:?}: {}", did_you_mean(name, &known))
}

/// Checks what is meant to be an order's number.
pub(super) fn ensure_order_number(text: &str) -> Result<()> {
    let is_number = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    ensure!(is_number, "{text:?} is no order number of the shop: it has digits only, as 1042");
    Ok(())
}
