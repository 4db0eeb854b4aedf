//! The PostgreSQL programs of this machine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::account::Account;

/// The name of the superuser and of the database.
pub(super) const NAME: &str = "silta";

/// The directory of the PostgreSQL programs.
pub(super) struct Programs {
    pub(super) dir: PathBuf,
}

impl Programs {
    /// Finds the programs. Debian keeps each version in a directory of its own; elsewhere they are on the path.
    pub(super) fn find() -> Result<Self> {
        let mut dirs: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
            .collect();
        dirs.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        let debian = dirs.into_iter().map(|(_, dir)| dir);
        let usual =
            ["/usr/local/bin", "/usr/bin", "/usr/local/pgsql/bin", "/opt/homebrew/bin"].map(PathBuf::from);
        let found =
            debian.chain(usual).find(|dir| dir.join("initdb").exists() && dir.join("postgres").exists());
        let dir = found.context(
            "no PostgreSQL on this machine: install it (Debian: apt-get install postgresql), or set [database] url",
        )?;
        Ok(Self { dir })
    }

    /// Creates the cluster beside its final path and moves it there, so that an interruption leaves no half of one.
    pub(super) fn init_cluster(&self, data_dir: &Path, cluster: &Path, account: &Account) -> Result<()> {
        if cluster.join("PG_VERSION").exists() {
            return Ok(());
        }
        let unfinished = data_dir.join("cluster.unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        let mut initdb = Command::new(self.dir.join("initdb"));
        initdb
            .args(["--username", NAME, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--pgdata"])
            .arg(&unfinished)
            .current_dir("/")
            .stdin(Stdio::null());
        account.apply_to(&mut initdb);
        let output = initdb.output().context("cannot run initdb")?;
        if !output.status.success() {
            bail!(
                "initdb failed as account {}: {}\nif it cannot enter {}, choose another [database] data_dir",
                account.name,
                String::from_utf8_lossy(&output.stderr).trim(),
                data_dir.display(),
            );
        }
        fs::rename(&unfinished, cluster)?;
        Ok(())
    }
}
