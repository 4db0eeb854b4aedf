//! Table `in_flight`: pieces of our orders that the warehouse has taken off its free stock while the shop still counts them
//! as reserved.

use sqlx::PgConnection;

use super::Result;
use crate::domain::product::CodeKey;

/// Sums the pieces in flight of each code, in any spelling: in orders at the warehouse that the shop still has open.
/// Returns them in the order of `codes`.
pub async fn sum_in_flight(db: &mut PgConnection, connection: &str, codes: &[String]) -> Result<Vec<i64>> {
    let pieces = sqlx::query_scalar!(
        r#"
        select (
            select coalesce(sum(pieces), 0)::bigint from in_flight
            where in_flight.connection = $1 and coalesce(in_flight.code_key, lower(in_flight.code)) = requested.key
        ) as "pieces!"
        from unnest($2::text[]) with ordinality as requested (key, position)
        order by position
        "#,
        connection,
        &codes.iter().map(|code| CodeKey::of(code).into_string()).collect::<Vec<_>>(),
    );
    Ok(pieces.fetch_all(db).await?)
}

/// A code whose pieces in flight changed with an order: the figure that the shop should show may differ now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The order's connection.
    pub connection: String,
    /// The order.
    pub subject: String,
    /// The code.
    pub code: String,
}

/// The pieces in flight of an order: all of them.
pub(super) struct InFlight<'a> {
    pub(super) connection: &'a str,
    pub(super) subject: &'a str,
    /// By code.
    pub(super) pieces: &'a [(String, i64)],
}

/// Replaces the pieces in flight of orders. Called inside the settle
/// transaction, after their subject states are written.
pub(super) async fn replace(db: &mut PgConnection, orders: &[InFlight<'_>]) -> Result<Vec<Changed>> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let (connections, subjects): (Vec<_>, Vec<_>) =
        orders.iter().map(|it| (it.connection, it.subject)).unzip();
    let mut rows = Rows::default();
    for InFlight { connection, subject, pieces } in orders {
        pieces.iter().for_each(|(code, count)| rows.push(connection, subject, code, *count));
    }
    let changed = sqlx::query_as!(
        Changed,
        r#"
        with ordered as (select * from unnest($1::text[], $2::text[]) as ordered (connection, subject)),
        new as (
            select * from unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[])
                as new (connection, subject, code, pieces, code_key)
        ),
        removed as (
            delete from in_flight using ordered
            where in_flight.connection = ordered.connection and in_flight.subject = ordered.subject
              and not exists (
                  select from new
                  where new.connection = in_flight.connection and new.subject = in_flight.subject
                    and new.code = in_flight.code
              )
            returning in_flight.connection, in_flight.subject, in_flight.code
        ),
        written as (
            insert into in_flight (connection, subject, code, pieces, code_key)
            select connection, subject, code, pieces, code_key from new
            on conflict (connection, subject, code) do update set pieces = excluded.pieces
            where in_flight.pieces <> excluded.pieces
            returning connection, subject, code
        )
        select connection as "connection!", subject as "subject!", code as "code!"
        from (select * from removed union select * from written) changed
        order by 1, 2, 3
        "#,
        &connections as &[&str],
        &subjects as &[&str],
        &rows.connections as &[&str],
        &rows.subjects as &[&str],
        &rows.codes as &[&str],
        &rows.pieces,
        &rows.keys,
    );
    Ok(changed.fetch_all(db).await?)
}

/// Pieces by order and code as columns, as `unnest` takes them.
#[derive(Default)]
struct Rows<'a> {
    connections: Vec<&'a str>,
    subjects: Vec<&'a str>,
    codes: Vec<&'a str>,
    pieces: Vec<i64>,
    keys: Vec<String>,
}

impl<'a> Rows<'a> {
    fn push(&mut self, connection: &'a str, subject: &'a str, code: &'a str, pieces: i64) {
        self.connections.push(connection);
        self.subjects.push(subject);
        self.codes.push(code);
        self.pieces.push(pieces);
        self.keys.push(CodeKey::of(code).into_string());
    }
}
