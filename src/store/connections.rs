//! Table `connection`: may we act for it now?

use sqlx::PgConnection;

use super::Result;
use crate::domain::{Timestamp, task::outcome::Reason};

/// A connection's switch and hold, as people see it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ConnectionRow {
    /// Its name.
    pub name: String,
    /// When a person paused it.
    pub paused_at: Option<Timestamp>,
    /// Who did.
    pub paused_by: Option<String>,
    /// Not claimed for: a vendor refused our credentials, or is down. Then both are probed.
    pub circuit_open_until: Option<Timestamp>,
    /// Why it is held.
    pub circuit_reason: Option<String>,
    /// When the shop's whole catalogue was last read; nothing where it never was, and then no product is sent.
    pub catalogue_read_at: Option<Timestamp>,
    /// Since when no stock figure is set to zero: too many fell at once.
    pub braked_at: Option<Timestamp>,
    /// How many of how many.
    pub brake_detail: Option<String>,
    /// A person has looked: until then figures may fall to zero however many.
    pub brake_released_until: Option<Timestamp>,
    /// When the configuration first named it: what is older is history.
    pub created_at: Timestamp,
}

impl ConnectionRow {
    /// Does it flow? In one word, the gravest first: paused, held, braked or flowing.
    pub const fn health(&self) -> &'static str {
        if self.paused_at.is_some() {
            "paused"
        } else if self.circuit_open_until.is_some() {
            "circuit_open"
        } else if self.braked_at.is_some() {
            "braked"
        } else {
            "ok"
        }
    }
}

/// Makes sure that each configured connection has its row. A new one begins with this whole second: the vendors'
/// own times often have no fraction.
pub async fn ensure(db: &mut PgConnection, names: &[String], now: Timestamp) -> Result<()> {
    sqlx::query!(
        "insert into connection (name, created_at)
         select name, date_trunc('second', $2::timestamptz) from unnest($1::text[]) as name
         on conflict do nothing",
        names,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// All of them, by name.
pub async fn list(db: &mut PgConnection) -> Result<Vec<ConnectionRow>> {
    let rows = sqlx::query_as!(
        ConnectionRow,
        "select name, paused_at, paused_by, circuit_open_until, circuit_reason, catalogue_read_at, braked_at, brake_detail,
                brake_released_until, created_at
         from connection order by name",
    );
    Ok(rows.fetch_all(db).await?)
}

/// One of them; they are few, so one way of reading serves both.
pub async fn find(db: &mut PgConnection, name: &str) -> Result<Option<ConnectionRow>> {
    Ok(list(db).await?.into_iter().find(|row| row.name == name))
}

/// Stops claims for a connection; false where it was paused already or is not known.
pub async fn pause(db: &mut PgConnection, name: &str, actor: &str, now: Timestamp) -> Result<bool> {
    let done = sqlx::query!(
        "update connection set paused_at = $3, paused_by = $2 where name = $1 and paused_at is null",
        name,
        actor,
        now,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// Lets claims go on, and ends a hold too; false where there was neither.
pub async fn resume(db: &mut PgConnection, name: &str) -> Result<bool> {
    let done = sqlx::query!(
        "update connection
         set paused_at = null, paused_by = null, circuit_open_until = null, circuit_reason = null, faults = 0
         where name = $1 and (paused_at is not null or circuit_open_until is not null)",
        name,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// The shop's whole catalogue was read into the register of codes.
pub async fn record_catalogue_read(db: &mut PgConnection, name: &str, now: Timestamp) -> Result<()> {
    sqlx::query!("update connection set catalogue_read_at = $2 where name = $1", name, now)
        .execute(db)
        .await?;
    Ok(())
}

/// Lets stock figures fall to zero again, however many, until then; false where the connection is not known.
pub async fn release_brake(db: &mut PgConnection, name: &str, until: Timestamp) -> Result<bool> {
    let done = sqlx::query!(
        "update connection set braked_at = null, brake_detail = null, brake_released_until = $2 where name = $1",
        name,
        until,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// Holds a connection whose vendor refuses our credentials or is down, and counts the hold. One that is held already
/// stays as it is: thirty attempts that meet the same fault are one fault.
pub async fn open_circuit(db: &mut PgConnection, name: &str, until: Timestamp, reason: Reason) -> Result<()> {
    sqlx::query!(
        "update connection
         set circuit_open_until = $2, circuit_reason = $3, faults = faults + 1
         where name = $1 and circuit_open_until is null",
        name,
        until,
        reason.code(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets the faults of a connection that works again; a hold that others have begun meanwhile stays.
pub async fn clear_faults(db: &mut PgConnection, name: &str) -> Result<()> {
    sqlx::query!(
        "update connection set faults = 0 where name = $1 and faults > 0 and circuit_open_until is null",
        name
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A connection to be probed.
#[derive(Clone, Debug)]
pub struct ProbeTarget {
    /// Its name.
    pub name: String,
    /// Holds in a row so far.
    pub faults: i32,
}

/// Takes the held connections among these whose hold is over, to be probed by the caller alone: until `until` nobody
/// else will, and should the caller die, somebody else does then.
pub async fn claim_probes(
    db: &mut PgConnection,
    names: &[String],
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<ProbeTarget>> {
    let rows = sqlx::query_as!(
        ProbeTarget,
        "update connection set circuit_open_until = $3
         where name = any($1) and circuit_open_until <= $2 and paused_at is null
         returning name, faults",
        names,
        now,
        until,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Ends a hold: both vendors have answered a probe. Its faults are forgotten only once a task has met none.
pub async fn close_circuit(db: &mut PgConnection, name: &str) -> Result<()> {
    sqlx::query!(
        "update connection set circuit_open_until = null, circuit_reason = null where name = $1",
        name
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A probe was not answered: the hold goes on, and is counted.
pub async fn extend_circuit_open(
    db: &mut PgConnection,
    name: &str,
    until: Timestamp,
    reason: Reason,
) -> Result<()> {
    sqlx::query!(
        "update connection set circuit_open_until = $2, circuit_reason = $3, faults = faults + 1
         where name = $1 and circuit_open_until is not null",
        name,
        until,
        reason.code(),
    )
    .execute(db)
    .await?;
    Ok(())
}
