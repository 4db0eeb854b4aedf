//! Whoever can say what would be done for a subject now, without doing it.

use std::{collections::HashMap, sync::Arc};

use sqlx::PgPool;

use crate::{
    domain::{Timestamp, event::subject::Subject, order::Intent, task::subject_state::Link},
    flows::{self, Context, Report, Tied},
    runtime::{clock::Clock, failpoints::KillPoints},
    store::{self, connections, subject_states},
    vendors::http::call_log::CallRecord,
    worker::task_store::OnlyReads,
};

/// Rehearses flows for every configured connection.
pub struct Rehearser {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    tied: HashMap<String, Tied>,
}

/// What we remember of a subject.
pub(super) struct Remembered {
    pub link: Link,
    pub intent: Option<Intent>,
}

impl Rehearser {
    /// A rehearser for these connections.
    pub fn new(pool: PgPool, clock: Arc<dyn Clock>, tied: Vec<Tied>) -> Self {
        Self { pool, clock, tied: tied.into_iter().map(|tied| (tied.name.clone(), tied)).collect() }
    }

    pub(super) fn tied(&self, connection: &str) -> Option<&Tied> {
        self.tied.get(connection)
    }

    /// The connections that this process knows.
    pub(super) fn names(&self) -> Vec<String> {
        self.tied.keys().cloned().collect()
    }

    /// When a connection was first configured.
    pub(super) async fn connected_at(&self, connection: &str) -> store::Result<Timestamp> {
        let mut db = self.pool.acquire().await?;
        let row = connections::find(&mut db, connection).await?;
        Ok(row.map_or_else(|| self.clock.now(), |row| row.created_at))
    }

    pub(super) async fn remember(
        &self,
        connection: &str,
        subjects: &[String],
    ) -> store::Result<Vec<Remembered>> {
        let mut db = self.pool.acquire().await?;
        let remembered =
            subject_states::remember(&mut db, &vec![connection; subjects.len()], subjects).await?;
        Ok(remembered.into_iter().map(|(link, intent)| Remembered { link, intent }).collect())
    }

    /// Reads both systems and decides about one subject, with the hands tied. `None` where the connection is not
    /// configured here.
    pub async fn rehearse(
        &self,
        connection: &str,
        subject: &Subject,
    ) -> store::Result<Option<(Report, Vec<CallRecord>)>> {
        let Some(tied) = self.tied.get(connection) else { return Ok(None) };
        let connected_at = self.connected_at(connection).await?;
        let mut remembered = self.remember(connection, &[subject.to_string()]).await?;
        let Remembered { link, intent } = remembered.remove(0);
        let context = Context {
            tied: tied.clone(),
            subject: subject.clone(),
            link,
            intent,
            connected_at,
            clock: self.clock.clone(),
            ledger: Arc::new(OnlyReads::new(self.pool.clone(), connection.to_owned())),
            killpoints: KillPoints::none(),
        };
        Ok(Some(flows::rehearse(context).await))
    }
}
