//! Table `order_line`: the lines of orders, for people. Written with what attempts observed, and only where a line is not
//! what it was.

use sqlx::PgConnection;

use super::Result;
use crate::domain::{
    order::{LineFacts, ShippedBy},
    product::CodeKey,
};

/// The lines of an order: all of them.
pub(super) struct OrderLines<'a> {
    pub(super) connection: &'a str,
    pub(super) subject: &'a str,
    pub(super) lines: &'a [LineFacts],
}

/// Replaces the lines of orders. Called inside the settle transaction, after their subject states are written. What is not
/// known of a line stays as it was, as long as the line has the same code.
pub(super) async fn replace(db: &mut PgConnection, orders: &[OrderLines<'_>]) -> Result<()> {
    if orders.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::default();
    let mut ordered = (Vec::new(), Vec::new(), Vec::new());
    for OrderLines { connection, subject, lines } in orders {
        ordered.0.push(*connection);
        ordered.1.push(*subject);
        ordered.2.push(saturated(lines.len()));
        for (position, line) in lines.iter().enumerate() {
            rows.push(connection, subject, position, line);
        }
    }
    write(db, &rows).await?;
    sqlx::query!(
        "
        delete from order_line
        using unnest($1::text[], $2::text[], $3::integer[]) as ordered (connection, subject, lines)
        where order_line.connection = ordered.connection and order_line.subject = ordered.subject
          and order_line.position >= ordered.lines
        ",
        &ordered.0 as &[&str],
        &ordered.1 as &[&str],
        &ordered.2,
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn write(db: &mut PgConnection, rows: &Rows<'_>) -> Result<()> {
    sqlx::query!(
        "
        with new as (
            select connection, subject, position, code, code_key, name, quantity::numeric as quantity, shipped_by,
                   shipped::numeric as shipped, returned::numeric as returned
            from unnest(
                $1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::text[], $10::text[]
            ) as new (connection, subject, position, code, code_key, name, quantity, shipped_by, shipped, returned)
        ),
        merged as (
            select new.connection, new.subject, new.position, state.first_task_id, new.code, new.code_key,
                   coalesce(new.name, was.name) as name, new.quantity, coalesce(new.shipped_by, was.shipped_by) as shipped_by,
                   coalesce(new.shipped, was.shipped) as shipped, coalesce(new.returned, was.returned) as returned
            from new
            join subject_state state on state.connection = new.connection and state.subject = new.subject
            left join order_line was
                on was.connection = new.connection and was.subject = new.subject and was.position = new.position
                and was.code_key = new.code_key
        )
        insert into order_line
        select merged.* from merged
        left join order_line was
            on was.connection = merged.connection and was.subject = merged.subject and was.position = merged.position
        -- A row that is as it was is not even locked.
        where was.position is null
           or (was.code, was.name, was.quantity, was.shipped_by, was.shipped, was.returned) is distinct from
              (merged.code, merged.name, merged.quantity, merged.shipped_by, merged.shipped, merged.returned)
        on conflict (connection, subject, position) do update set
            code = excluded.code, code_key = excluded.code_key, name = excluded.name, quantity = excluded.quantity,
            shipped_by = excluded.shipped_by, shipped = excluded.shipped, returned = excluded.returned
        ",
        &rows.connections as &[&str],
        &rows.subjects as &[&str],
        &rows.positions,
        &rows.codes as &[&str],
        &rows.keys,
        &rows.names as &[Option<&str>],
        &rows.quantities,
        &rows.shipped_by as &[Option<&str>],
        &rows.shipped as &[Option<String>],
        &rows.returned as &[Option<String>],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Lines as columns, as `unnest` takes them. Quantities are texts: exact, and PostgreSQL's own numbers.
#[derive(Default)]
struct Rows<'a> {
    connections: Vec<&'a str>,
    subjects: Vec<&'a str>,
    positions: Vec<i32>,
    codes: Vec<&'a str>,
    keys: Vec<String>,
    names: Vec<Option<&'a str>>,
    quantities: Vec<String>,
    shipped_by: Vec<Option<&'static str>>,
    shipped: Vec<Option<String>>,
    returned: Vec<Option<String>>,
}

impl<'a> Rows<'a> {
    fn push(&mut self, connection: &'a str, subject: &'a str, position: usize, line: &'a LineFacts) {
        self.connections.push(connection);
        self.subjects.push(subject);
        self.positions.push(saturated(position));
        self.codes.push(&line.code);
        self.keys.push(CodeKey::of(&line.code).into_string());
        self.names.push(line.name.as_deref());
        self.quantities.push(line.quantity.to_string());
        self.shipped_by.push(line.shipped_by.map(ShippedBy::as_str));
        self.shipped.push(line.shipped.map(|it| it.to_string()));
        self.returned.push(line.returned.map(|it| it.to_string()));
    }
}

fn saturated(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
