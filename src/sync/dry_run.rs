//! Dry runs: decides what would be done for a subject now, and changes nothing.

use std::sync::Arc;

use sqlx::PgPool;

use super::{error::SyncError, task_store::ReadOnlyTaskStore};
use crate::{
    domain::{Timestamp, event::subject::Subject, task::subject_state::KnownSubject},
    flows::{AllClients, AttemptResult, ConnectionClients, Context, flow_for},
    runtime::{clock::Clock, failpoints::Failpoints},
    store::{self, connections, subject_states},
    vendors::http::call_log::{CallLog, CallRecord},
};

/// Runs the flows of every configured connection without changing anything.
pub struct DryRunner {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    clients: AllClients,
}

/// What a dry run came to.
pub struct PlannedAttempt {
    /// What the attempt would come to.
    pub result: AttemptResult,
    /// The reads that were made and, last, the call that would be made.
    pub calls: Vec<CallRecord>,
}

impl DryRunner {
    /// Creates a runner for these connections.
    pub const fn new(pool: PgPool, clock: Arc<dyn Clock>, clients: AllClients) -> Self {
        Self { pool, clock, clients }
    }

    /// Runs a subject's flow: it reads both vendors and decides, and its first changing call is recorded instead of sent.
    /// `None` where the connection is not configured here.
    pub async fn plan(&self, connection: &str, subject: &Subject) -> store::Result<Option<PlannedAttempt>> {
        let Some(clients) = self.clients(connection) else { return Ok(None) };
        let connected_at = self.known_start(connection).await?;
        let known = self.load_known(connection, &[subject.to_string()]).await?.remove(0);
        let KnownSubject { state: known, ledger, intent, leaves_at, confirmed, asked: _ } = known;
        let call_log = CallLog::dry_run();
        let context = Context {
            clients: clients.with_call_log(&call_log),
            subject: subject.clone(),
            ledger,
            known,
            intent,
            leaves_at,
            confirmed,
            is_asked: false, // shows what a task would do by itself
            connected_at,
            clock: self.clock.clone(),
            task_store: Arc::new(ReadOnlyTaskStore::new(self.pool.clone(), connection.to_owned())),
            failpoints: Failpoints::disabled(),
        };
        let result = flow_for(subject.kind).run(&context).await;
        Ok(Some(PlannedAttempt { result, calls: call_log.calls() }))
    }

    pub(super) fn clients(&self, connection: &str) -> Option<&ConnectionClients> {
        self.clients.find(connection).map(|clients| &**clients)
    }

    /// The connections that this process is configured with.
    pub(super) fn connections(&self) -> Vec<String> {
        self.clients.names()
    }

    /// When a connection began, once the shop has answered.
    pub(super) async fn connected_at(&self, clients: &ConnectionClients) -> Result<Timestamp, SyncError> {
        match clients.shop.connected_at()? {
            Some(at) => Ok(at),
            None => Ok(self.known_start(&clients.name).await?),
        }
    }

    /// When a connection began, as far as it is known.
    async fn known_start(&self, connection: &str) -> store::Result<Timestamp> {
        let mut db = self.pool.acquire().await?;
        let row = connections::find(&mut db, connection).await?;
        Ok(row.map_or_else(|| self.clock.now(), |row| row.connected_at))
    }

    /// What is known of each subject.
    pub(super) async fn load_known(
        &self,
        connection: &str,
        subjects: &[String],
    ) -> store::Result<Vec<KnownSubject>> {
        let mut db = self.pool.acquire().await?;
        subject_states::load(&mut db, &vec![connection; subjects.len()], subjects).await
    }
}
