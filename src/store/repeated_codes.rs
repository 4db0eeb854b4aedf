//! Table `repeated_code`: codes that several items of the catalogue have. For people: what is sent is decided by the register.

use sqlx::PgConnection;

use super::Result;

/// Brings these code keys up to date. Called after the commit of what changed: of two processes that register the same code at
/// once, the later one sees the other.
pub async fn refresh(db: &mut PgConnection, connection: &str, keys: &[String]) -> Result<()> {
    sqlx::query!(
        "
        with repeated as (
            select code_key from item
            where connection = $1 and code_key = any($2)
            group by code_key having count(*) > 1 and bool_or(stored)
        ),
        gone as (
            delete from repeated_code
            where connection = $1 and code_key = any($2) and code_key not in (select code_key from repeated)
        )
        insert into repeated_code (connection, code_key)
        select $1, code_key from repeated order by code_key
        on conflict (connection, code_key) do nothing
        ",
        connection,
        keys,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Brings all codes of a connection up to date, once its whole catalogue was read.
pub async fn refresh_all(db: &mut PgConnection, connection: &str) -> Result<()> {
    sqlx::query!(
        "
        with repeated as (
            select code_key from item
            where connection = $1 and code_key is not null
            group by code_key having count(*) > 1 and bool_or(stored)
        ),
        gone as (
            delete from repeated_code
            where connection = $1 and code_key not in (select code_key from repeated)
        )
        insert into repeated_code (connection, code_key)
        select $1, code_key from repeated order by code_key
        on conflict (connection, code_key) do nothing
        ",
        connection,
    )
    .execute(db)
    .await?;
    Ok(())
}
