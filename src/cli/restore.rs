//! `silta restore`: replaces the database by a backup, all of it or nothing.
//!
//! The backup is read by `pg_restore` as a script and executed here, in one transaction: it is committed only once the whole
//! file was read and every statement was executed. Migrations are locked meanwhile, so that a process that starts waits.

use std::{collections::HashSet, path::Path, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use sqlx::{Connection, PgConnection};
use tokio::{sync::mpsc, time::Instant};

use super::{
    archive_schema::{ArchiveSchema, read_schema},
    database::Database,
    print::print_line,
};
use crate::{
    actions::{self, Actor},
    app::config::Config,
    runtime::{
        clock::{Entropy, SystemClock},
        embedded_postgres::{ArchivePrograms, PrivatePostgres, ScriptPiece},
    },
    store::{self, backups, instance},
};

/// What of a backup is restored: our schema, as the account that restores it.
const SELECTION: [&str; 3] = ["--schema=public", "--no-owner", "--no-privileges"];

/// How many pieces of the script are read ahead.
const PIECES_AHEAD: usize = 16;

/// How long sessions that have just been closed may still be shown.
const SESSIONS_END_WITHIN: Duration = Duration::from_secs(3);

/// Restores the configured database, or the private one.
pub(super) async fn run(file: &Path, is_forced: bool, config: &Config, account: &str) -> Result<()> {
    let programs = ArchivePrograms::of_this_machine();
    let schema = tokio::task::block_in_place(|| read_schema(&programs, file))?;
    schema.ensure_restorable(file)?;
    let database = Database::open(config).await?;
    ensure!(
        database.private.as_ref().is_none_or(PrivatePostgres::is_own),
        "another process runs the private database: stop silta serve and every other command first"
    );
    let name = database.describe();
    database.pool.close().await;
    let mut db = PgConnection::connect_with(&database.pool.connect_options()).await?;
    backups::lock_migrations(&mut db).await?;
    ensure_alone(&mut db, &name).await?;
    ensure_replaceable(&mut db, &name, is_forced).await?;
    replace(&mut db, programs, file).await.with_context(|| format!("{name} is unchanged"))?;
    db.close().await?;

    let mut database = Database::open(config).await?;
    finish(&mut database, file, &schema, account).await?;
    print_line(&format!("{name} is restored from {}, with schema {}.", file.display(), schema.newest()));
    print_line(
        "Start silta serve: what was done since the backup is read from both vendors and not done again.",
    );
    Ok(())
}

/// Brings the restored schema up to this version.
async fn finish(database: &mut Database, file: &Path, schema: &ArchiveSchema, account: &str) -> Result<()> {
    store::migrate(&database.pool)
        .await
        .context("it is restored, but its schema cannot be brought up to date")?;
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = database.connect().await?;
    instance::forget_key(&mut db).await?;
    actions::record_restore(&mut db, &actor, &file.display().to_string(), schema.newest()).await?;
    backups::analyze(&mut db).await?;
    Ok(())
}

/// Another process that uses the database would act on what is replaced under it.
async fn ensure_alone(db: &mut PgConnection, name: &str) -> Result<()> {
    let begun = Instant::now();
    loop {
        let others = backups::list_other_sessions(db).await?;
        if others.is_empty() {
            return Ok(());
        }
        if begun.elapsed() > SESSIONS_END_WITHIN {
            bail!("{name} is in use: stop silta serve first, on every machine ({})", others.join(", "));
        }
        #[expect(clippy::disallowed_methods, reason = "waits for what another process does")]
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What is there and not in the backup would be lost.
async fn ensure_replaceable(db: &mut PgConnection, name: &str, is_forced: bool) -> Result<()> {
    let found = backups::list_relations(db).await?;
    let others: Vec<_> = found.iter().filter(|it| !it.is_ours).map(|it| it.name.as_str()).collect();
    ensure!(
        others.is_empty(),
        "{name} has what is not Silta's, or of a newer Silta ({}): restore into a database of its own",
        others.join(", ")
    );
    let filled: Vec<_> = found.iter().filter(|it| it.has_rows).map(|it| it.name.as_str()).collect();
    ensure!(
        filled.is_empty() || is_forced,
        "{name} has data ({}): --force replaces all of it by the backup",
        filled.join(", ")
    );
    Ok(())
}

/// Replaces what is Silta's by the backup, in one transaction.
async fn replace(db: &mut PgConnection, programs: ArchivePrograms, file: &Path) -> Result<()> {
    let settings = backups::list_settings(db).await?;
    let mut tx = db.begin().await?;
    backups::drop_own(&mut tx).await?;
    let (sender, mut pieces) = mpsc::channel(PIECES_AHEAD);
    let file = file.to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        let send = |piece| sender.blocking_send(piece).context("the restore has ended");
        programs.read(&file, &SELECTION, send)
    });
    let executed = execute(&mut tx, &mut pieces, &settings).await;
    drop(pieces);
    let read = reading.await?;
    executed?;
    read?; // before the commit: a backup that is not whole is found at its end
    Ok(tx.commit().await?)
}

async fn execute(
    db: &mut PgConnection,
    pieces: &mut mpsc::Receiver<ScriptPiece>,
    settings: &HashSet<String>,
) -> Result<()> {
    while let Some(piece) = pieces.recv().await {
        match piece {
            ScriptPiece::Statements(text) => {
                backups::run(db, &without_unknown_settings(&text, settings))
                    .await
                    .map_err(|error| explained(&error))?;
            }
            ScriptPiece::Copy(statement) => {
                let mut copy =
                    backups::begin_copy(db, &statement).await.map_err(|error| explained(&error))?;
                while let Some(ScriptPiece::Rows(rows)) = pieces.recv().await {
                    copy.send(rows).await?;
                }
                copy.finish().await?;
            }
            ScriptPiece::Rows(_) | ScriptPiece::CopyEnd => bail!("rows without a table"),
        }
    }
    Ok(())
}

/// The statement that failed is in no message: rows may be in it.
fn explained(error: &store::StoreError) -> anyhow::Error {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    anyhow::anyhow!("{}", cause.unwrap_or_else(|| error.to_string()))
}

/// A newer `pg_dump` also sets what this server does not know yet. None of it matters for the data.
fn without_unknown_settings(script: &str, settings: &HashSet<String>) -> String {
    let is_known = |line: &&str| {
        let name = line.strip_prefix("SET ").and_then(|rest| rest.split([' ', '=']).next());
        name.is_none_or(|name| settings.contains(&name.to_lowercase()))
    };
    script.split_inclusive('\n').filter(is_known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_newer_servers_are_left_out() {
        let settings = HashSet::from(["lock_timeout".to_owned()]);
        let script = "SET lock_timeout = 0;\nSET transaction_timeout = 0;\nCREATE TABLE a (b text);\n";
        let expected = "SET lock_timeout = 0;\nCREATE TABLE a (b text);\n";
        assert_eq!(without_unknown_settings(script, &settings), expected);
    }
}
