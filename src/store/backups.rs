//! The database that a backup is restored into: what is in it, and how it is replaced. The caller owns the transaction.

use std::collections::HashSet;

use sqlx::{
    AssertSqlSafe, PgConnection,
    migrate::{Migrate, MigrateError},
    postgres::PgCopyIn,
};

use super::{MIGRATOR, Result};

/// What the statements of our migrations begin with that make something, besides `create table`.
const CREATES: [&str; 4] = ["create table ", "create unlogged table ", "create view ", "create sequence "];

/// The table of the migrations that were applied.
pub const MIGRATIONS: &str = "_sqlx_migrations";

/// A table, view or sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Its name in the schema `public`.
    pub name: String,
    /// True for one of Silta's.
    pub is_ours: bool,
    /// True for a table with rows.
    pub has_rows: bool,
}

/// The major version of the server.
pub async fn server_version(db: &mut PgConnection) -> Result<u32> {
    let number = sqlx::query_scalar!(r#"select current_setting('server_version_num')::int as "number!""#);
    Ok(number.fetch_one(db).await?.unsigned_abs() / 10_000)
}

/// Keeps migrations, and so the start of every other process, waiting for as long as this connection is open.
pub async fn lock_migrations(db: &mut PgConnection) -> std::result::Result<(), MigrateError> {
    db.lock().await
}

/// Who else is connected to this database, in words.
pub async fn list_other_sessions(db: &mut PgConnection) -> Result<Vec<String>> {
    let rows = sqlx::query_scalar!(
        r#"select format('process %s of %s%s', pid, usename, ' (' || nullif(application_name, '') || ')') as "session!"
           from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid() and usename is not null
             and leader_pid is null
           order by pid"#,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Lists what is in the schema `public`; what belongs to an extension or to a column is not listed.
pub async fn list_relations(db: &mut PgConnection) -> Result<Vec<Relation>> {
    let own = own_names();
    let rows = sqlx::query!(
        r#"select relname::text as "name!", relkind in ('r', 'p') as "is_table!"
           from pg_class
           where relnamespace = to_regnamespace('public') and relkind in ('r', 'p', 'v', 'm', 'S', 'f')
             and not exists (select 1 from pg_depend where objid = pg_class.oid and deptype in ('a', 'e', 'i'))
           order by relname"#,
    );
    let mut found = Vec::new();
    for row in rows.fetch_all(&mut *db).await? {
        let has_rows = row.is_table && row.name != MIGRATIONS && has_rows(db, &row.name).await?;
        found.push(Relation { is_ours: own.contains(row.name.as_str()), name: row.name, has_rows });
    }
    Ok(found)
}

async fn has_rows(db: &mut PgConnection, table: &str) -> Result<bool> {
    let sql = format!("select exists (select 1 from public.{})", quoted(table));
    Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(db).await?)
}

/// Removes everything of Silta's. What others have made to depend on it keeps it from being removed.
pub async fn drop_own(db: &mut PgConnection) -> Result<()> {
    let found = list_relations(db).await?;
    let own: HashSet<_> = found.iter().filter(|it| it.is_ours).map(|it| it.name.as_str()).collect();
    let (mut views, mut tables, mut sequences) = (Vec::new(), Vec::new(), Vec::new());
    for (create, name) in creations() {
        if own.contains(name) {
            match create {
                "create view " => views.push(quoted(name)),
                "create sequence " => sequences.push(quoted(name)),
                _ => tables.push(quoted(name)),
            }
        }
    }
    if own.contains(MIGRATIONS) {
        tables.push(quoted(MIGRATIONS));
    }
    for (what, names) in [("view", views), ("table", tables), ("sequence", sequences)] {
        if !names.is_empty() {
            run(db, &format!("drop {what} {}", names.join(", "))).await?;
        }
    }
    // Where no table is ours, a function of such a name is another's.
    if !own.is_empty() {
        for name in functions() {
            run(db, &format!("drop function if exists public.{}", quoted(name))).await?;
        }
    }
    Ok(())
}

/// The names of the server's settings.
pub async fn list_settings(db: &mut PgConnection) -> Result<HashSet<String>> {
    let names = sqlx::query_scalar!(r#"select name as "name!" from pg_settings"#);
    Ok(names.fetch_all(db).await?.into_iter().collect())
}

/// Runs the statements of a backup's script.
pub async fn run(db: &mut PgConnection, statements: &str) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(db).await?;
    Ok(())
}

/// Begins a `COPY … FROM stdin` of a backup's script.
pub async fn begin_copy<'db>(
    db: &'db mut PgConnection,
    statement: &str,
) -> Result<PgCopyIn<&'db mut PgConnection>> {
    Ok(db.copy_in_raw(statement).await?)
}

/// Collects the planner's statistics, which a backup does not have.
pub async fn analyze(db: &mut PgConnection) -> Result<()> {
    run(db, "analyze").await
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What our migrations make: how, and its name.
fn creations() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = MIGRATOR.iter().flat_map(|migration| migration.sql.as_str().lines());
    lines.filter_map(|line| {
        let create = CREATES.into_iter().find(|create| line.starts_with(create))?;
        let name = line[create.len()..].split([' ', '(', ';']).next()?;
        Some((create, name))
    })
}

/// The functions that our migrations make: each has a name of its own.
fn functions() -> impl Iterator<Item = &'static str> {
    let lines = MIGRATOR.iter().flat_map(|migration| migration.sql.as_str().lines());
    lines.filter_map(|line| line.strip_prefix("create function ")?.split('(').next())
}

fn own_names() -> HashSet<&'static str> {
    creations().map(|(_, name)| name).chain([MIGRATIONS]).collect()
}
