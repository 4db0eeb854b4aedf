//! Vendors that are down or refuse us, since when, and how many orders wait for them.

use sqlx::PgConnection;

use crate::domain::{Timestamp, vendor::Vendor};
use crate::store::Result;

/// Orders that are counted as waiting at most; more is said as "at least".
pub const MAX_WAITING: i64 = 10_000;

/// A vendor that is not called, or not written to, until it works again.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct VendorDown {
    /// The connection.
    pub connection: String,
    /// mycashflow or ogoship; `None` where the program that found it did not say.
    pub vendor: Option<String>,
    /// Closed reason code: `vendor_down` or `credentials_refused`.
    pub reason: String,
    /// Since when; `None` where the program that found it did not say.
    pub since: Option<Timestamp>,
    /// True where it is read and only writes are held back.
    pub holds_back_writes: bool,
    /// Orders of the connection that wait for it, up to [`MAX_WAITING`].
    pub orders_waiting: i64,
}

impl VendorDown {
    /// The vendor, where it is one that this program knows.
    pub fn known_vendor(&self) -> Option<Vendor> {
        self.vendor.as_deref()?.parse().ok()
    }
}

/// Lists them, the oldest first.
pub async fn list(db: &mut PgConnection) -> Result<Vec<VendorDown>> {
    let rows = sqlx::query_as!(
        VendorDown,
        r#"
        select connection as "connection!", vendor, reason as "reason!", since,
               holds_back_writes as "holds_back_writes!", orders_waiting as "orders_waiting!"
        from (
            -- Nothing of the connection is claimed, so all of its open orders wait.
            select name as connection, circuit_vendor as vendor, circuit_reason as reason, circuit_opened_at as since,
                   false as holds_back_writes,
                   (select count(*) from (
                       select from task
                       where task.connection = connection.name and kind = 'order'
                         and state in ('pending', 'leased', 'in_doubt')
                       limit $1
                   ) as waiting) as orders_waiting
            from connection where circuit_open_until is not null
            union all
            select connection, vendor, reason, opened_at, true,
                   (select count(*) from (
                       select from task
                       where task.connection = write_circuit.connection and kind = 'order'
                         and state in ('pending', 'leased', 'in_doubt') and task.reason = write_circuit.reason
                       limit $1
                   ) as waiting)
            from write_circuit
        ) down
        order by since nulls first, connection, vendor
        "#,
        MAX_WAITING,
    );
    Ok(rows.fetch_all(db).await?)
}
