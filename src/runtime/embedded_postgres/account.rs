//! The account that a private server runs as.

use std::{fs, io, os::unix::process::CommandExt, path::Path, process::Command};

use anyhow::{Context, Result};

/// The account that the server runs as.
pub(super) struct Account {
    pub(super) name: String,
    /// `None` for the account of this process.
    ids: Option<(u32, u32)>,
}

impl Account {
    /// The account of this process, or under root an unprivileged one.
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

    /// Gives a directory to this account alone.
    pub(super) fn take_ownership(&self, path: &Path) -> io::Result<()> {
        if let Some((uid, gid)) = self.ids {
            std::os::unix::fs::chown(path, Some(uid), Some(gid))?;
        }
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))
    }

    /// Makes a command run as this account. Setting the user id as root also drops the supplementary groups
    /// (`CommandExt::uid`).
    pub(super) fn apply_to(&self, command: &mut Command) {
        if let Some((uid, gid)) = self.ids {
            command.uid(uid).gid(gid);
        }
    }
}
