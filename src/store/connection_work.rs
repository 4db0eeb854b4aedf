//! Table `connection_work`: tests of connections that are asked for from a page, and registrations of their webhooks.

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::{Timestamp, connection_work::WorkKind};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct NewWork<'a> {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Its connection.
    pub connection: &'a str,
    /// What is done.
    pub kind: WorkKind,
    /// Who asks.
    pub actor: &'a str,
    /// When.
    pub at: Timestamp,
}

/// Begins it, in the place of the one before; false while that one runs. One whose process has died does not: it has not ended in
/// time, or claims to last longer than any, by a clock that was wrong.
pub async fn begin(db: &mut PgConnection, new: &NewWork<'_>) -> Result<bool> {
    let longest = new.kind.longest();
    let done = sqlx::query!(
        "insert into connection_work (connection, kind, id, requested_by, requested_at, ends_by)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (connection, kind) do update set
             id = excluded.id, requested_by = excluded.requested_by, requested_at = excluded.requested_at,
             ends_by = excluded.ends_by, finished_at = null, checks = null
         where connection_work.finished_at is not null
            or connection_work.ends_by <= excluded.requested_at or connection_work.ends_by > $7",
        new.connection,
        new.kind.as_str(),
        new.id,
        new.actor,
        new.at,
        new.at + longest,
        new.at + longest * 2,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// Writes what was found; false if another one has taken its place.
pub async fn finish(
    db: &mut PgConnection,
    (connection, kind, id): (&str, WorkKind, Uuid),
    checks: &Value,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query!(
        "update connection_work set finished_at = $4, checks = $5
         where connection = $1 and kind = $2 and id = $3 and finished_at is null",
        connection,
        kind.as_str(),
        id,
        now,
        checks,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// Removes work that has not ended, so that another one can begin; false if another one has taken its place.
pub async fn withdraw(db: &mut PgConnection, (connection, kind, id): (&str, WorkKind, Uuid)) -> Result<bool> {
    let done = sqlx::query!(
        "delete from connection_work where finished_at is null and connection = $1 and kind = $2 and id = $3",
        connection,
        kind.as_str(),
        id,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// The newest of a kind.
#[derive(Clone, Debug)]
pub struct WorkRow {
    /// test or register.
    pub kind: String,
    /// Who asked.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// When its process has died, if nothing was found by then.
    pub ends_by: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What was found, as its process wrote it.
    pub checks: Option<Value>,
}

impl WorkRow {
    /// Whether it runs.
    pub fn is_running(&self, now: Timestamp) -> bool {
        self.finished_at.is_none() && now < self.ends_by
    }
}

/// Lists a connection's, at most one of each kind.
pub async fn list(db: &mut PgConnection, connection: &str) -> Result<Vec<WorkRow>> {
    let rows = sqlx::query_as!(
        WorkRow,
        "select kind, requested_by, requested_at, ends_by, finished_at, checks from connection_work
         where connection = $1",
        connection,
    );
    Ok(rows.fetch_all(db).await?)
}
