//! The directories of a cluster and of its upgrade. Each step ends with a rename, so that an interruption leaves either the
//! state before or the state after it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use super::{account::Account, programs::Programs};

/// Where a cluster is, and where its successor is made.
pub(super) struct ClusterDirs {
    data_dir: PathBuf,
    /// The cluster in use.
    pub(super) current: PathBuf,
    /// A cluster that is being made, perhaps by half.
    pub(super) unfinished: PathBuf,
    /// A whole cluster of a newer version, to take the place of the current one.
    pub(super) upgraded: PathBuf,
}

impl ClusterDirs {
    pub(super) fn of(data_dir: &Path) -> Self {
        let [current, unfinished, upgraded] =
            ["cluster", "cluster.unfinished", "cluster.upgraded"].map(|name| data_dir.join(name));
        Self { data_dir: data_dir.to_owned(), current, unfinished, upgraded }
    }

    /// Where the cluster of an older version is kept after an upgrade.
    pub(super) fn kept(&self, version: u32) -> PathBuf {
        self.data_dir.join(format!("cluster.of-{version}"))
    }

    /// Creates the first cluster of a data directory.
    pub(super) fn init(&self, programs: &Programs, account: &Account) -> Result<()> {
        // An empty database in place of a lost one would look like a shop without orders.
        let kept = self.find_kept()?;
        ensure!(
            kept.is_empty(),
            "{} is missing beside {}: move that one back, or choose another [database] data_dir",
            self.current.display(),
            kept.join(", ")
        );
        self.clear_unfinished()?;
        account.create_dir(&self.unfinished)?;
        programs.init_cluster(&self.unfinished, account, None)?;
        fs::rename(&self.unfinished, &self.current)?;
        Ok(())
    }

    /// Removes a cluster that was made by half.
    pub(super) fn clear_unfinished(&self) -> Result<()> {
        if self.unfinished.exists() {
            let path = self.unfinished.display();
            fs::remove_dir_all(&self.unfinished).with_context(|| format!("cannot remove {path}"))?;
        }
        Ok(())
    }

    /// Puts an upgraded cluster in the place of the current one, which is kept.
    pub(super) fn replace_current(&self, old_version: u32) -> Result<PathBuf> {
        let kept = self.kept(old_version);
        fs::rename(&self.current, &kept)?;
        fs::rename(&self.upgraded, &self.current)?;
        Ok(kept)
    }

    /// Finishes an upgrade that was interrupted between its last two renames. One that was interrupted before them is
    /// undone: the cluster in use has gone on, and the copy is old.
    pub(super) fn finish_upgrade(&self) -> Result<()> {
        match (self.current.exists(), self.upgraded.exists()) {
            (_, false) => {}
            (false, true) => fs::rename(&self.upgraded, &self.current)?,
            (true, true) => fs::remove_dir_all(&self.upgraded)?,
        }
        Ok(())
    }

    /// Names of clusters that earlier upgrades kept.
    fn find_kept(&self) -> Result<Vec<String>> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.data_dir)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with("cluster.of-") {
                kept.push(name);
            }
        }
        Ok(kept)
    }
}
