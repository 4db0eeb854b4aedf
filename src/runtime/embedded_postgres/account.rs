//! The account that a private server runs as.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, lchown},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

/// The directories in which the server's programs look for others, as `sh` and `cat`.
const PROGRAM_DIRS: &str = "/usr/local/bin:/usr/bin:/bin";

/// What a file's mode allows to other accounts.
const OF_OTHERS: u32 = 0o077;

/// The account that the server runs as.
pub(super) struct Account {
    pub(super) name: String,
    /// `None` for the account of this process.
    ids: Option<(u32, u32)>,
}

impl Account {
    /// The account of this process, or under root an unprivileged one.
    pub(super) fn unprivileged() -> Result<Self> {
        if fs::metadata("/proc/self").map_or(1, |it| it.uid()) != 0 {
            return Ok(Self::own());
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

    /// The account of this process itself.
    pub(super) fn own() -> Self {
        Self { name: "of this process".to_owned(), ids: None }
    }

    /// The ids of the account, where this process is root and runs the server as another one.
    pub(super) const fn other_ids(&self) -> Option<(u32, u32)> {
        self.ids
    }

    /// A program that runs as this account, outside of any directory that it may not enter. Of the environment it gets nothing
    /// but where programs are, and a plain language: what else is there may be a secret.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let dir = program.parent().unwrap_or(Path::new("/bin")).display();
        command.env_clear().env("PATH", format!("{dir}:{PROGRAM_DIRS}")).env("LANG", "C");
        command.current_dir("/").stdin(Stdio::null());
        if let Some((uid, gid)) = self.ids {
            // Setting the user id as root also drops the supplementary groups (`CommandExt::uid`).
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Creates a directory for this account alone, in one where nobody else can write. An existing one must be such already.
    pub(super) fn create_dir(&self, path: &Path) -> Result<()> {
        let cannot = || format!("cannot create {}", path.display());
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {
                if let Some((uid, gid)) = self.ids {
                    lchown(path, Some(uid), Some(gid)).with_context(cannot)?;
                }
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.check_dir(path),
            Err(error) => Err(error).with_context(cannot),
        }
    }

    /// Checks that a directory is one of this account alone, and no link to another.
    fn check_dir(&self, path: &Path) -> Result<()> {
        let found = fs::symlink_metadata(path)?;
        let owner =
            self.ids.map_or_else(|| fs::metadata("/proc/self").map(|own| own.uid()), |(uid, _)| Ok(uid));
        ensure!(
            found.is_dir() && found.uid() == owner? && found.mode() & OF_OTHERS == 0,
            "{} is no directory of account {} alone: remove it",
            path.display(),
            self.name
        );
        Ok(())
    }

    /// Reads a small file of this account, with its rights: under root, whatever the account has put in its place.
    pub(super) fn read(&self, path: &Path) -> io::Result<String> {
        if self.ids.is_none() {
            return fs::read_to_string(path);
        }
        if !fs::symlink_metadata(path)?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let output = self.command(Path::new("/bin/cat")).arg("--").arg(path).output()?;
        if !output.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        String::from_utf8(output.stdout).map_err(|_| io::ErrorKind::InvalidData.into())
    }
}
