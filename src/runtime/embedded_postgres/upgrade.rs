//! Moves a cluster to the newest PostgreSQL of the machine, with `pg_upgrade`.
//!
//! The old cluster is copied and kept, so that the way back is a rename. The new one takes its place only once it is whole.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use super::{
    account::Account,
    cluster::ClusterDirs,
    launch::Launch,
    place::Place,
    programs::{NAME, Programs, cluster_version, run},
};

/// The first version whose `initdb` makes checksums unless an option says otherwise.
const CHECKSUMS_BY_DEFAULT: u32 = 18;

/// What an upgrade came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// The cluster has the newest version of this machine.
    AlreadyNewest {
        /// That version.
        version: u32,
    },
    /// The cluster has a newer version now.
    Done {
        /// The version before.
        from: u32,
        /// The version now.
        to: u32,
        /// The old cluster as it was; it can be removed.
        kept: PathBuf,
    },
}

impl Launch {
    /// Upgrades the cluster to the newest PostgreSQL of this machine. No process may use it. Blocks.
    pub fn upgrade(&self) -> Result<Upgrade> {
        let account = Account::unprivileged()?;
        let place = Place::prepare(&self.data_dir, &account)?;
        let Some(lock) = place.try_lock()? else {
            bail!("the private PostgreSQL is running: stop silta serve first");
        };
        let dirs = ClusterDirs::of(&place.data_dir);
        dirs.finish_upgrade()?;
        let Some(from) = cluster_version(&dirs.current, &account)? else {
            bail!("there is no cluster in {}: nothing to upgrade", place.data_dir.display());
        };
        let old = self.installations.for_cluster(&dirs.current, &account)?;
        let new = self.installations.newest()?;
        let to = new.version;
        if from >= to {
            return Ok(Upgrade::AlreadyNewest { version: from });
        }
        let kept = dirs.kept(from);
        if kept.exists() {
            bail!("{} is in the way: an earlier upgrade kept it; move or remove it", kept.display());
        }
        // Recovers it, if it crashed, and ends it cleanly: pg_upgrade demands that.
        drop(self.start_server(&place, &dirs.current, (old, &account), lock.try_clone()?)?);
        (self.wait.report)(&format!("copying the cluster of PostgreSQL {from} to PostgreSQL {to}"));
        make_upgraded(&place, &dirs, old, new)?;
        let kept = dirs.replace_current(from)?;
        self.analyze(&place, &dirs, new, lock)?;
        Ok(Upgrade::Done { from, to, kept })
    }

    /// Collects the planner's statistics, which an upgrade leaves behind.
    fn analyze(&self, place: &Place, dirs: &ClusterDirs, new: &Programs, lock: fs::File) -> Result<()> {
        let account = Account::unprivileged()?;
        let server = self.start_server(place, &dirs.current, (new, &account), lock)?;
        let mut analyze = new.command("vacuumdb", &account);
        analyze.args(["--all", "--analyze-only", "--username", NAME, "--host"]).arg(&place.socket_dir);
        let analyzed = run(analyze);
        drop(server);
        analyzed
            .context("the upgrade is done, but its statistics are missing; autovacuum collects them")
            .map(drop)
    }
}

/// Makes the upgraded copy beside the current cluster.
fn make_upgraded(place: &Place, dirs: &ClusterDirs, old: &Programs, new: &Programs) -> Result<()> {
    let account = Account::unprivileged()?;
    dirs.clear_unfinished()?;
    let checksums = checksum_option(old, new, dirs, &account)?;
    account.create_dir(&dirs.unfinished)?;
    new.init_cluster(&dirs.unfinished, &account, checksums)?;
    // pg_upgrade writes its notes and sockets where it runs.
    let notes = place.data_dir.join("upgrade");
    account.create_dir(&notes)?;
    let mut upgrade = new.command("pg_upgrade", &account);
    upgrade.current_dir(&notes).args(["--username", NAME]);
    for (option, path) in [
        ("--old-bindir", &old.dir),
        ("--new-bindir", &new.dir),
        ("--old-datadir", &dirs.current),
        ("--new-datadir", &dirs.unfinished),
        ("--socketdir", &place.socket_dir),
    ] {
        upgrade.arg(option).arg(path);
    }
    run(upgrade).context("the cluster is unchanged")?;
    fs::rename(&dirs.unfinished, &dirs.upgraded)?;
    fs::remove_dir_all(&notes)?;
    Ok(())
}

/// Both clusters must agree on checksums, and the default of `initdb` has changed.
fn checksum_option(
    old: &Programs,
    new: &Programs,
    dirs: &ClusterDirs,
    account: &Account,
) -> Result<Option<&'static str>> {
    let mut ask = old.command("pg_controldata", account);
    ask.arg(&dirs.current).env("LC_ALL", "C");
    let printed = run(ask)?;
    let line = printed.lines().find_map(|line| line.strip_prefix("Data page checksum version:"));
    let has_checksums =
        line.context("pg_controldata does not say whether there are checksums")?.trim() != "0";
    if has_checksums {
        return Ok(Some("--data-checksums"));
    }
    Ok((new.version >= CHECKSUMS_BY_DEFAULT).then_some("--no-data-checksums"))
}
