//! Table `instance`: the key by which a process shows that it works on this database.

use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// The key of this database, drawn at the first call. PostgreSQL draws it, so that all processes have one.
pub async fn find_or_create_key(db: &mut PgConnection, now: Timestamp) -> Result<Vec<u8>> {
    sqlx::query!(
        "insert into instance (key, created_at)
         values (sha256((gen_random_uuid()::text || gen_random_uuid()::text)::bytea), $1)
         on conflict do nothing",
        now,
    )
    .execute(&mut *db)
    .await?;
    Ok(sqlx::query_scalar!("select key from instance").fetch_one(db).await?)
}

/// Forgets the key: a restored copy is another Silta than the one that was backed up.
pub async fn forget_key(db: &mut PgConnection) -> Result<()> {
    sqlx::query!("delete from instance").execute(db).await?;
    Ok(())
}
