//! Table `reference_prefix`: which connection gave its references which prefix, now and before.

use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// A prefix that a connection of a merchant has, or had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedPrefix {
    /// A digest of the merchant's name.
    pub merchant: String,
    /// The prefix.
    pub prefix: String,
    /// Its connection.
    pub connection: String,
}

/// Registers prefixes, each with the connection whose place its own has taken, if any. Where another connection has the prefix,
/// nothing is changed, unless it is that one. No two of them may be equal within a merchant.
pub async fn register(db: &mut PgConnection, new: &[(OwnedPrefix, &str)], now: Timestamp) -> Result<()> {
    let column =
        |of: fn(&OwnedPrefix) -> &String| new.iter().map(|(it, _)| of(it).clone()).collect::<Vec<_>>();
    let replaced: Vec<_> = new.iter().map(|(_, replaced)| (*replaced).to_owned()).collect();
    sqlx::query!(
        "with new as (
             select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])
                 as new (merchant, prefix, connection, replaced)
         ),
         taken_over as (
             update reference_prefix known set connection = new.connection
             from new
             where known.merchant = new.merchant and lower(known.prefix) = lower(new.prefix)
               and known.connection = new.replaced
         )
         insert into reference_prefix (merchant, prefix, connection, created_at)
         select merchant, prefix, connection, $5 from new
         on conflict (merchant, lower(prefix)) do nothing",
        &column(|it| &it.merchant),
        &column(|it| &it.prefix),
        &column(|it| &it.connection),
        &replaced,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Lists every prefix of these merchants' connections.
pub async fn list(db: &mut PgConnection, merchants: &[String]) -> Result<Vec<OwnedPrefix>> {
    let rows = sqlx::query_as!(
        OwnedPrefix,
        "select merchant, prefix, connection from reference_prefix
         where merchant = any($1) order by created_at, prefix",
        merchants,
    );
    Ok(rows.fetch_all(db).await?)
}
