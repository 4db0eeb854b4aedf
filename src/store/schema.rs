//! Migrations, and whether they are applied.

use sqlx::{PgPool, migrate::Migrator};

use super::Result;

/// The migrations, compiled in.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// Applies missing migrations. A newer schema is left as it is: during a rollout this version may start
/// beside the next one, and migrations only add.
pub async fn migrate(pool: &PgPool) -> std::result::Result<(), sqlx::migrate::MigrateError> {
    let mut migrator = Migrator::with_migrations(MIGRATOR.iter().cloned().collect());
    migrator.set_ignore_missing(true).run(pool).await
}

/// True if the database answers and has every migration of this version.
pub async fn is_ready(pool: &PgPool) -> Result<bool> {
    let applied = sqlx::query_scalar!(
        r#"select exists (select 1 from _sqlx_migrations where version = $1 and success) as "applied!""#,
        MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or_default(),
    );
    Ok(applied.fetch_one(pool).await?)
}
