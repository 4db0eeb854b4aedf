//! `silta backup`: a copy of the whole database at one moment.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use bytesize::ByteSize;

use super::{
    archive_schema::read_schema, database::Database, new_file::NewFile, print::print_line,
    server_access::server_access,
};
use crate::{
    app::config::{Config, Environment},
    runtime::embedded_postgres::ArchivePrograms,
    store::backups,
};

/// Backs up the configured database, or the private one.
pub(super) async fn run(file: &Path, config: &Config, environment: &Environment) -> Result<()> {
    let cluster = config.database.data_dir.join("cluster");
    ensure!(
        config.database.url.is_some() || cluster.exists(),
        "there is no private database in {}: nothing to back up",
        config.database.data_dir.display()
    );
    let programs = ArchivePrograms::of_this_machine();
    let new = NewFile::create(file)?;
    let database = Database::open(config).await?;
    let mut db = database.connect().await?;
    let is_silta = backups::list_relations(&mut db).await?.iter().any(|it| it.name == backups::MIGRATIONS);
    ensure!(is_silta, "{} has nothing of Silta: nothing to back up", database.describe());
    let version = backups::server_version(&mut db).await?;
    drop(db);
    let dumped = tokio::task::block_in_place(|| match (&database.private, &config.database.url) {
        (Some(private), _) => programs.dump_private(private, new.writer()?),
        (None, url) => {
            let url = url.as_ref().map_or("", |url| url.expose());
            programs.dump_server(&server_access(url, environment)?, version, new.writer()?)
        }
    });
    dumped.with_context(|| format!("cannot back up {}", database.describe()))?;
    // What cannot be read back is no backup.
    let schema = tokio::task::block_in_place(|| read_schema(&programs, new.path()))?;
    let size = ByteSize(new.publish()?);
    let newest = schema.newest();
    print_line(&format!(
        "{} is backed up to {}: {size}, schema {newest}",
        database.describe(),
        file.display()
    ));
    print_line("The keys of [secrets] are not in it: keep the configuration and its secrets, too.");
    Ok(())
}
