//! The machine's PostgreSQL programs, and the account that they run as.

use std::{
    fs, io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::NAME;

/// The machine's PostgreSQL programs.
pub(super) struct Binaries {
    pub(super) dir: PathBuf,
}

impl Binaries {
    /// Debian keeps each version apart and off the path; elsewhere they are on it.
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

    /// Makes the cluster beside its final place and moves it there whole, so that a kill in between leaves no half one.
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
                "initdb failed as account {}: {}\nif it cannot enter {}, choose a [database] data_dir that it can",
                account.name,
                String::from_utf8_lossy(&output.stderr).trim(),
                data_dir.display(),
            );
        }
        fs::rename(&unfinished, cluster)?;
        Ok(())
    }
}

/// The account that the server runs as.
pub(super) struct Account {
    name: String,
    /// `None`: ourselves.
    ids: Option<(u32, u32)>,
}

impl Account {
    pub(super) fn unprivileged() -> Result<Self> {
        if fs::metadata("/proc/self").map_or(1, |it| std::os::unix::fs::MetadataExt::uid(&it)) != 0 {
            return Ok(Self { name: "of this process".to_owned(), ids: None });
        }
        let accounts = fs::read_to_string("/etc/passwd")?;
        let find = |name: &str| {
            let mut fields =
                accounts.lines().find_map(|line| line.strip_prefix(&format!("{name}:")))?.split(':').skip(1);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        };
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| Some(Self { name: (*name).to_owned(), ids: Some(find(name)?) }))
            .context("root needs an account named postgres or nobody to run PostgreSQL as")
    }

    pub(super) fn take_ownership(&self, path: &Path) -> io::Result<()> {
        if let Some((uid, gid)) = self.ids {
            std::os::unix::fs::chown(path, Some(uid), Some(gid))?;
        }
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))
    }

    /// Setting the user id from root also drops root's supplementary groups (`CommandExt::uid`).
    pub(super) fn apply_to(&self, command: &mut Command) {
        if let Some((uid, gid)) = self.ids {
            command.uid(uid).gid(gid);
        }
    }
}
