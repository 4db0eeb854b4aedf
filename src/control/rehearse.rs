//! A rehearsal: what would be done for a subject now, shown before anybody does it.
//!
//! Control asks for it and knows nothing of how: the composition root hands in somebody who can run a flow with its
//! hands tied.

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;

use crate::{
    domain::{difference::difference, subject::Subject},
    store::{StoreError, attempts},
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

impl Rehearsed {
    /// Compares the request with the last one that was sent for the subject by the same call. Apart from the
    /// rehearsal itself, so that no connection to the database is held across its calls.
    pub async fn compared(
        mut self,
        db: &mut PgConnection,
        connection: &str,
        subject: &str,
    ) -> Result<Self, StoreError> {
        let call = self.calls.last().and_then(|call| call["call"].as_str());
        if let Some((call, request)) = call.zip(self.request.as_ref()) {
            let last = attempts::last_request(db, connection, subject, call).await?;
            self.differs = last.map(|last| difference(&last, request));
        }
        Ok(self)
    }
}
