//! Whoever can say what would be done for a subject now, without doing it.

use std::{collections::HashMap, sync::Arc};

use sqlx::PgPool;

use crate::{
    domain::{Timestamp, event::subject::Subject, order::Intent, task::subject_state::SubjectState},
    flows::{self, AttemptResult, ConnectionClients, Context},
    runtime::{clock::Clock, failpoints::Failpoints},
    store::{self, connections, subject_states},
    vendors::http::call_log::CallRecord,
    worker::task_store::ReadOnlyLedger,
};

/// Rehearses flows for every configured connection.
pub struct DryRunner {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    clients: HashMap<String, ConnectionClients>,
}

/// What we remember of a subject.
pub(super) struct KnownState {
    pub subject_state: SubjectState,
    pub intent: Option<Intent>,
}

impl DryRunner {
    /// A dry_runner for these connections.
    pub fn new(pool: PgPool, clock: Arc<dyn Clock>, clients: Vec<ConnectionClients>) -> Self {
        Self {
            pool,
            clock,
            clients: clients.into_iter().map(|clients| (clients.name.clone(), clients)).collect(),
        }
    }

    pub(super) fn clients(&self, connection: &str) -> Option<&ConnectionClients> {
        self.clients.get(connection)
    }

    /// The connections that this process knows.
    pub(super) fn names(&self) -> Vec<String> {
        self.clients.keys().cloned().collect()
    }

    /// When a connection was first configured.
    pub(super) async fn connected_at(&self, connection: &str) -> store::Result<Timestamp> {
        let mut db = self.pool.acquire().await?;
        let row = connections::find(&mut db, connection).await?;
        Ok(row.map_or_else(|| self.clock.now(), |row| row.created_at))
    }

    pub(super) async fn load_states(
        &self,
        connection: &str,
        subjects: &[String],
    ) -> store::Result<Vec<KnownState>> {
        let mut db = self.pool.acquire().await?;
        let known_states =
            subject_states::load_with_intents(&mut db, &vec![connection; subjects.len()], subjects).await?;
        Ok(known_states
            .into_iter()
            .map(|(subject_state, intent)| KnownState { subject_state, intent })
            .collect())
    }

    /// Reads both vendors and decides about one subject, with the hands clients. `None` where the connection is not
    /// configured here.
    pub async fn dry_run(
        &self,
        connection: &str,
        subject: &Subject,
    ) -> store::Result<Option<(AttemptResult, Vec<CallRecord>)>> {
        let Some(clients) = self.clients.get(connection) else { return Ok(None) };
        let connected_at = self.connected_at(connection).await?;
        let mut known_states = self.load_states(connection, &[subject.to_string()]).await?;
        let KnownState { subject_state, intent } = known_states.remove(0);
        let context = Context {
            clients: clients.clone(),
            subject: subject.clone(),
            known: subject_state,
            intent,
            connected_at,
            clock: self.clock.clone(),
            ledger: Arc::new(ReadOnlyLedger::new(self.pool.clone(), connection.to_owned())),
            failpoints: Failpoints::disabled(),
        };
        Ok(Some(flows::dry_run(context).await))
    }
}
