//! Tables `call_fault` and `write_circuit`: suspicions of a vendor's fault, and vendors whose writes are held back.

use sqlx::PgConnection;

use super::{Result, StoreError};
use crate::domain::{
    Timestamp,
    task::{
        fault::{CallKind, Fault},
        reason::Reason,
    },
    vendor::Vendor,
};

/// Lets one settle at a time write suspicions about a connection.
pub async fn lock(db: &mut PgConnection, connection: &str) -> Result<()> {
    sqlx::query!("select 1 as one from connection where name = $1 for no key update", connection)
        .fetch_optional(db)
        .await?;
    Ok(())
}

/// Records a fault that a subject met; returns how many subjects have failed alike since a call of that kind last
/// succeeded.
pub async fn record(
    db: &mut PgConnection,
    connection: &str,
    subject: &str,
    fault: Fault,
    now: Timestamp,
) -> Result<i64> {
    let Fault { vendor, call, kind } = fault;
    let others = sqlx::query_scalar!(
        r#"
        with recorded as (
            insert into call_fault (connection, vendor, call, subject, kind, seen_at)
            values ($1, $2, $3, $4, $5, $6)
            on conflict on constraint call_fault_pkey do update set kind = $5, seen_at = $6
        )
        select count(*) as "others!" from call_fault
        where connection = $1 and vendor = $2 and call = $3 and subject <> $4 and kind = $5
        "#,
        connection,
        vendor.as_str(),
        call.as_str(),
        subject,
        kind.as_str(),
        now,
    );
    Ok(others.fetch_one(db).await? + 1)
}

/// Removes the suspicion of a kind of call.
pub async fn clear(db: &mut PgConnection, connection: &str, vendor: Vendor, call: CallKind) -> Result<()> {
    sqlx::query!(
        "delete from call_fault where connection = $1 and vendor = $2 and call = $3",
        connection,
        vendor.as_str(),
        call.as_str(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Holds back writes to a vendor, unless they are already; true if they were not.
pub async fn open_write_circuit(
    db: &mut PgConnection,
    connection: &str,
    vendor: Vendor,
    (reason, now, until): (Reason, Timestamp, Timestamp),
) -> Result<bool> {
    let done = sqlx::query!(
        "insert into write_circuit (connection, vendor, reason, open_until, opened_at) values ($1, $2, $3, $4, $5)
         on conflict on constraint write_circuit_pkey do nothing",
        connection,
        vendor.as_str(),
        reason.code(),
        until,
        now,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// Lets writes through again; why they were held back, if they were.
pub async fn close_write_circuit(
    db: &mut PgConnection,
    connection: &str,
    vendor: Vendor,
) -> Result<Option<Reason>> {
    let closed = sqlx::query_scalar!(
        "delete from write_circuit where connection = $1 and vendor = $2 returning reason",
        connection,
        vendor.as_str(),
    );
    closed.fetch_optional(db).await?.map(|code| parse_reason(&code)).transpose()
}

/// Whether writes to either vendor are held back for this reason.
pub async fn is_held_back(db: &mut PgConnection, connection: &str, reason: Reason) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"select exists (select 1 from write_circuit where connection = $1 and reason = $2) as "found!""#,
        connection,
        reason.code(),
    );
    Ok(found.fetch_one(db).await?)
}

/// Why writes are held back, from a row.
fn parse_reason(code: &str) -> Result<Reason> {
    Reason::parse(code).ok_or(StoreError::Inconsistent { table: "write_circuit", column: "reason" })
}

/// Holds back writes for longer after a failed trial.
pub async fn extend_write_circuit(
    db: &mut PgConnection,
    connection: &str,
    vendor: Vendor,
    until: Timestamp,
    reason: Reason,
) -> Result<()> {
    sqlx::query!(
        "update write_circuit
         set reason = $3, open_until = $4, trial_until = null, failed_trials = failed_trials + 1
         where connection = $1 and vendor = $2",
        connection,
        vendor.as_str(),
        reason.code(),
        until,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How often in a row a trial of a vendor's writes has failed.
pub async fn failed_trials(db: &mut PgConnection, connection: &str, vendor: Vendor) -> Result<u32> {
    let count = sqlx::query_scalar!(
        "select failed_trials from write_circuit where connection = $1 and vendor = $2",
        connection,
        vendor.as_str(),
    );
    Ok(count.fetch_optional(db).await?.unwrap_or_default().unsigned_abs())
}

/// What a write finds at the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteCircuit {
    /// Closed: it may go.
    Closed,
    /// It is the trial: it alone may go.
    Trial,
    /// It must wait.
    Open {
        /// Why.
        reason: Reason,
        /// Until when.
        until: Timestamp,
    },
}

/// The times of a trial.
#[derive(Clone, Copy, Debug)]
pub struct TrialTimes {
    /// The current time.
    pub now: Timestamp,
    /// When another task may try if this one never comes back.
    pub trial_until: Timestamp,
    /// A circuit that claims to be open beyond this was opened by a clock that is wrong: it is due.
    pub longest: Timestamp,
}

/// Asks whether a write may go; where the circuit has been open long enough, this one becomes the trial.
pub async fn enter_write_circuit(
    db: &mut PgConnection,
    connection: &str,
    vendor: Vendor,
    times: TrialTimes,
) -> Result<WriteCircuit> {
    let row = sqlx::query!(
        r#"
        with trial as (
            update write_circuit set trial_until = $4
            where connection = $1 and vendor = $2
              and (open_until <= $3 or open_until > $5)
              and (trial_until is null or trial_until <= $3 or trial_until > $5)
            returning vendor
        )
        select c.reason, c.open_until, trial.vendor is not null as "is_trial!"
        from write_circuit c left join trial using (vendor)
        where c.connection = $1 and c.vendor = $2
        "#,
        connection,
        vendor.as_str(),
        times.now,
        times.trial_until,
        times.longest,
    );
    let Some(row) = row.fetch_optional(db).await? else { return Ok(WriteCircuit::Closed) };
    if row.is_trial {
        return Ok(WriteCircuit::Trial);
    }
    Ok(WriteCircuit::Open { reason: parse_reason(&row.reason)?, until: row.open_until })
}

/// Forgets all suspicions about a connection and lets its writes through; returns why they were held back.
pub async fn forget(db: &mut PgConnection, connection: &str) -> Result<Vec<Reason>> {
    sqlx::query!("delete from call_fault where connection = $1", connection).execute(&mut *db).await?;
    let closed =
        sqlx::query_scalar!("delete from write_circuit where connection = $1 returning reason", connection);
    closed.fetch_all(db).await?.iter().map(|code| parse_reason(code)).collect()
}
