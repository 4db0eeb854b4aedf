//! Table `connection`: the pause switch, the circuit breaker and the stock brake of each connection.

use sqlx::PgConnection;

use super::{
    Result,
    connection_switches::{ConfiguredConnection, switch_columns},
    tasks, vendor_faults,
};
use crate::domain::{
    Timestamp,
    switch::{Switch, Switches},
    task::reason::Reason,
    vendor::Vendor,
};

/// A connection as pages and the API show it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ConnectionRow {
    /// Its name.
    pub name: String,
    /// When an operator paused it.
    pub paused_at: Option<Timestamp>,
    /// Who paused it.
    pub paused_by: Option<String>,
    /// No claims while set: a vendor refused the credentials or is down. After this time both vendors are
    /// probed.
    pub circuit_open_until: Option<Timestamp>,
    /// Why the circuit is open.
    pub circuit_reason: Option<String>,
    /// Vendors whose writes are held back, and why: they are refused or lost for many subjects alike.
    pub writes_held_back: Option<String>,
    /// When the shop's whole catalogue was last read. Without it no product is sent.
    pub catalogue_read_at: Option<Timestamp>,
    /// Since when no stock figure is set to zero, because too many fell at once.
    pub braked_at: Option<Timestamp>,
    /// How many of how many codes fell.
    pub brake_detail: Option<String>,
    /// Until when the operator lets any number of figures fall to zero.
    pub brake_released_until: Option<Timestamp>,
    /// Whether orders are sent by themselves: automatic, manual or off.
    pub orders_transfer: String,
    /// Whether products are created and changed at the warehouse by themselves.
    pub products_upload: String,
    /// Whether stock figures are written to the shop by themselves.
    pub stock_update: String,
    /// When the configuration first named it, by our clock.
    pub created_at: Timestamp,
    /// The same by the shop's clock, once an answer of the shop has shown that. Older orders are not imported.
    pub connected_at: Timestamp,
}

impl ConnectionRow {
    /// What it writes by itself, as the newest configuration says.
    pub fn switches(&self) -> Switches {
        let read = |word: &str| word.parse().unwrap_or(Switch::Off); // the schema knows no other word
        Switches {
            orders: read(&self.orders_transfer),
            products: read(&self.products_upload),
            stock: read(&self.stock_update),
        }
    }

    /// Its health in one word, the gravest first: paused, `circuit_open`, `writes_held_back`, braked or ok.
    pub const fn health(&self) -> &'static str {
        if self.paused_at.is_some() {
            "paused"
        } else if self.circuit_open_until.is_some() {
            "circuit_open"
        } else if self.writes_held_back.is_some() {
            "writes_held_back"
        } else if self.braked_at.is_some() {
            "braked"
        } else {
            "ok"
        }
    }
}

/// Ensures a row for each configured connection. A new one begins with this whole second, since vendors'
/// times often have no fraction.
pub async fn ensure(
    db: &mut PgConnection,
    configured: &[ConfiguredConnection],
    now: Timestamp,
) -> Result<()> {
    let names: Vec<_> = configured.iter().map(|(name, _)| name.clone()).collect();
    let [orders, products, stock] = switch_columns(configured);
    sqlx::query!(
        "insert into connection (name, orders_transfer, products_upload, stock_update, created_at)
         select name, orders, products, stock, date_trunc('second', $5::timestamptz)
         from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as new (name, orders, products, stock)
         on conflict do nothing",
        &names,
        &orders,
        &products,
        &stock,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Lists all connections by name.
pub async fn list(db: &mut PgConnection) -> Result<Vec<ConnectionRow>> {
    let rows = sqlx::query_as!(
        ConnectionRow,
        "select name, paused_at, paused_by, circuit_open_until, circuit_reason,
                (select string_agg(vendor || ': ' || reason, ', ' order by vendor)
                 from write_circuit where write_circuit.connection = name) as writes_held_back,
                catalogue_read_at, braked_at, brake_detail, brake_released_until, orders_transfer, products_upload,
                stock_update, created_at,
                coalesce(shop_connected_at, created_at) as \"connected_at!\"
         from connection order by name",
    );
    Ok(rows.fetch_all(db).await?)
}

/// Finds one connection; they are few, so it reads the list.
pub async fn find(db: &mut PgConnection, name: &str) -> Result<Option<ConnectionRow>> {
    Ok(list(db).await?.into_iter().find(|row| row.name == name))
}

/// Stops claims for a connection; false if it is paused already or unknown.
pub async fn pause(db: &mut PgConnection, name: &str, actor: &str, now: Timestamp) -> Result<bool> {
    let done = sqlx::query!(
        "update connection set paused_at = $3, paused_by = $2 where name = $1 and paused_at is null",
        name,
        actor,
        now,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// Resumes claims and closes the circuits; false if there was nothing to resume.
pub async fn resume(db: &mut PgConnection, name: &str, now: Timestamp) -> Result<bool> {
    let held_back = vendor_faults::forget(db, name).await?;
    for reason in &held_back {
        tasks::wake_held_back(db, name, *reason, now).await?;
    }
    let done = sqlx::query!(
        "update connection
         set paused_at = null, paused_by = null, circuit_open_until = null, circuit_reason = null, faults = 0
         where name = $1 and (paused_at is not null or circuit_open_until is not null)",
        name,
    );
    Ok(done.execute(db).await?.rows_affected() == 1 || !held_back.is_empty())
}

/// Records that the shop's whole catalogue was read.
pub async fn record_catalogue_read(db: &mut PgConnection, name: &str, now: Timestamp) -> Result<()> {
    sqlx::query!("update connection set catalogue_read_at = $2 where name = $1", name, now)
        .execute(db)
        .await?;
    Ok(())
}

/// Releases the stock brake and keeps it off until a time; false if the connection is unknown.
pub async fn release_brake(db: &mut PgConnection, name: &str, until: Timestamp) -> Result<bool> {
    let done = sqlx::query!(
        "update connection set braked_at = null, brake_detail = null, brake_released_until = $2 where name = $1",
        name,
        until,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// Why a circuit opens.
#[derive(Clone, Copy, Debug)]
pub struct CircuitOpening {
    /// Now.
    pub at: Timestamp,
    /// When both vendors are probed first.
    pub until: Timestamp,
    /// Why.
    pub reason: Reason,
    /// Whose fault it is, where that is known.
    pub vendor: Option<Vendor>,
}

/// Opens the circuit of a connection whose vendor refuses the credentials or is down, and counts a fault; true if it
/// was closed. An open circuit stays as it is: thirty attempts that meet the same fault count once.
pub async fn open_circuit(db: &mut PgConnection, name: &str, opening: &CircuitOpening) -> Result<bool> {
    let done = sqlx::query!(
        "update connection
         set circuit_open_until = $2, circuit_reason = $3, circuit_opened_at = $4, circuit_vendor = $5, faults = faults + 1
         where name = $1 and circuit_open_until is null",
        name,
        opening.until,
        opening.reason.code(),
        opening.at,
        opening.vendor.map(Vendor::as_str),
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// The faults in a row of a connection whose circuit is closed; `None` while it is open.
pub async fn closed_circuit_faults(db: &mut PgConnection, name: &str) -> Result<Option<u32>> {
    let faults = sqlx::query_scalar!(
        "select faults from connection where name = $1 and circuit_open_until is null",
        name,
    );
    Ok(faults.fetch_optional(db).await?.map(i32::unsigned_abs))
}

/// Resets the faults of a connection that works again; a circuit that others opened meanwhile stays open.
pub async fn clear_faults(db: &mut PgConnection, name: &str) -> Result<()> {
    sqlx::query!(
        "update connection set faults = 0 where name = $1 and faults > 0 and circuit_open_until is null",
        name
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A connection to probe.
#[derive(Clone, Debug)]
pub struct ProbeTarget {
    /// Its name.
    pub name: String,
    /// Faults in a row so far.
    pub faults: i32,
}

/// Claims the open circuits among these that are due for a probe. No other process probes them until `until`;
/// if the caller dies, another does then. One that claims to be open beyond `longest` (while a vendor is down, and for
/// any other reason) was opened by a clock that is wrong: it is due.
pub async fn claim_probes(
    db: &mut PgConnection,
    names: &[String],
    now: Timestamp,
    until: Timestamp,
    longest: [Timestamp; 2],
) -> Result<Vec<ProbeTarget>> {
    let rows = sqlx::query_as!(
        ProbeTarget,
        "update connection set circuit_open_until = $3
         where name = any($1) and paused_at is null and (
             circuit_open_until <= $2
             or circuit_open_until > case when circuit_reason = $6 then $4::timestamptz else $5 end
         )
         returning name, faults",
        names,
        now,
        until,
        longest[0],
        longest[1],
        Reason::VendorDown.code(),
    );
    Ok(rows.fetch_all(db).await?)
}

/// Closes a circuit after both vendors answered a probe. Its faults are reset only by an attempt without a
/// fault.
pub async fn close_circuit(db: &mut PgConnection, name: &str) -> Result<()> {
    sqlx::query!(
        "update connection set circuit_open_until = null, circuit_reason = null where name = $1",
        name
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Puts a probe off that could not be made; counts no fault.
pub async fn postpone_probe(db: &mut PgConnection, name: &str, until: Timestamp) -> Result<()> {
    sqlx::query!(
        "update connection set circuit_open_until = $2 where name = $1 and circuit_open_until is not null",
        name,
        until,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps a circuit open after a failed probe, and counts a fault.
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
