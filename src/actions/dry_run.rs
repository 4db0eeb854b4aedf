//! A rehearsal: what would be done for a subject now, shown before anybody does it.
//!
//! Control asks for it and knows nothing of how: the composition root hands in somebody who can run a flow with its
//! hands tied.

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;
use sqlx::PgPool;

use super::{Declined, WrongState};
use crate::{
    domain::{difference::difference, event::subject::Subject, id::DeliveryId},
    store::{
        StoreError, attempts, tasks,
        views::overview::{self, DeliveryRow},
    },
};

/// What would be done.
#[derive(Clone, Debug, Serialize)]
pub struct Rehearsed {
    /// What the attempt would come to.
    pub outcome: &'static str,
    /// Closed reason code.
    pub reason: Option<&'static str>,
    /// The one thing that would be done.
    pub deed: Option<&'static str>,
    /// Plain words.
    pub detail: Option<String>,
    /// Every call in order: the reads that were made, and last the one that would be.
    pub calls: Vec<Value>,
    /// The request that would be sent, masked; `None` where nothing would be.
    pub request: Option<Value>,
    /// How it differs from the last one sent for the subject by the same call; `None` where there was none.
    pub differs: Option<Vec<String>>,
}

/// Somebody who can rehearse.
#[async_trait]
pub trait Rehearse: Send + Sync {
    /// Reads both systems and decides, without doing anything. `None` for a connection that is not configured here.
    async fn rehearse(&self, connection: &str, subject: &Subject) -> Result<Option<Rehearsed>, StoreError>;
}

/// What a replay of this delivery would do now, `by` somebody who can tell: the row, and the rehearsal of its subject.
/// No connection to the database is held across its calls.
pub async fn rehearse_delivery(
    pool: &PgPool,
    by: &dyn Rehearse,
    id: DeliveryId,
) -> Result<(DeliveryRow, Rehearsed), Declined> {
    let mut db = pool.acquire().await.map_err(StoreError::from)?;
    let row = overview::find_delivery(&mut db, id).await?.ok_or(Declined::NotFound)?;
    drop(db);
    let rehearsed = by.rehearse(&row.connection, &tasks::subject(&row.subject)?).await?;
    let mut rehearsed = rehearsed.ok_or(Declined::WrongState(WrongState::NotConfiguredHere))?;
    let call = rehearsed.calls.last().and_then(|call| call["call"].as_str());
    if let Some((call, request)) = call.zip(rehearsed.request.as_ref()) {
        let mut db = pool.acquire().await.map_err(StoreError::from)?;
        let last = attempts::last_request(&mut db, &row.connection, &row.subject, call).await?;
        rehearsed.differs = last.map(|last| difference(&last, request));
    }
    Ok((row, rehearsed))
}
