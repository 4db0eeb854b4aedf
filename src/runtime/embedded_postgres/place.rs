//! The directories of a private server.
//!
//! As root this process and the server have different accounts, and what the server's account can write must not lead this
//! process elsewhere. So the data directory belongs to root: its lock, its log and the names of its clusters can be replaced by
//! nobody else, and neither can any directory above it. Only the cluster and the directory of the socket belong to the server's
//! account. What is in them is read with the rights of that account ([`Account::read`]).

use std::{
    fs::{self, DirBuilder, File, Metadata},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown},
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use super::account::Account;

/// Names the socket; the server listens to no network.
pub(super) const PORT: u16 = 5432;

/// The longest directory of a socket: a path has at most 107 bytes (unix(7)), and `.s.PGSQL.5432` follows.
const MAX_SOCKET_DIR_BYTES: usize = 90;

/// Only the owner can remove or rename what is in such a directory.
const STICKY: u32 = 0o1000;

/// The directories of a private server.
pub(super) struct Place {
    pub(super) data_dir: PathBuf,
    pub(super) socket_dir: PathBuf,
}

impl Place {
    /// Creates the directories, or checks those that exist.
    pub(super) fn prepare(data_dir: &Path, account: &Account) -> Result<Self> {
        let data_dir = match account.other_ids() {
            Some(ids) => root_dir(data_dir, ids)?,
            None => own_dir(data_dir)?,
        };
        let socket_dir = socket_dir(&data_dir);
        if account.other_ids().is_some() && !socket_dir.starts_with(&data_dir) {
            check_above(&socket_dir)?;
        }
        account.create_dir(&socket_dir)?;
        Ok(Self { data_dir, socket_dir })
    }

    /// Takes the lock of the one owner; `None` while another process has it.
    pub(super) fn try_lock(&self) -> Result<Option<File>> {
        let path = self.data_dir.join("silta.lock");
        let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => bail!("cannot lock {}: {error}", path.display()),
        }
    }

    /// The path of the socket.
    pub(super) fn socket(&self) -> PathBuf {
        self.socket_dir.join(format!(".s.PGSQL.{PORT}"))
    }
}

/// The data directory of an ordinary account, for it alone.
fn own_dir(data_dir: &Path) -> Result<PathBuf> {
    fs::create_dir_all(data_dir).with_context(|| format!("cannot create {}", data_dir.display()))?;
    fs::set_permissions(data_dir, PermissionsExt::from_mode(0o700))?;
    Ok(data_dir.canonicalize()?)
}

/// The data directory of root: root alone can write in it, and the server's account can enter it. An earlier version gave it to
/// that account: then it is taken back, and what is in it must be what Silta puts there.
fn root_dir(data_dir: &Path, (uid, gid): (u32, u32)) -> Result<PathBuf> {
    let data_dir = without_links(data_dir)?;
    if fs::symlink_metadata(&data_dir).is_err() {
        DirBuilder::new().mode(0o700).create(&data_dir)?;
    }
    let found = fs::symlink_metadata(&data_dir)?;
    ensure!(
        found.is_dir() && [0, uid].contains(&found.uid()),
        "{} is no directory of root: choose another [database] data_dir",
        data_dir.display()
    );
    lchown(&data_dir, Some(0), Some(gid))?;
    // From here on nobody can put a link in its place, and nobody but root can change what is in it.
    let found = fs::symlink_metadata(&data_dir)?;
    ensure!(found.is_dir() && found.uid() == 0, "{} was replaced meanwhile", data_dir.display());
    fs::set_permissions(&data_dir, PermissionsExt::from_mode(0o710))?;
    for entry in fs::read_dir(&data_dir)? {
        let entry = entry?;
        let found = entry.metadata()?; // of the entry itself: a link is not followed
        let is_plain = found.is_dir() || found.is_file() && found.nlink() == 1;
        ensure!(
            is_plain,
            "{} is neither a file nor a directory of its own: remove it",
            entry.path().display()
        );
    }
    Ok(data_dir)
}

/// The path without links. Every directory above it is created where it is missing, and checked before it is used.
fn without_links(path: &Path) -> Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    let (mut real, mut names) = (PathBuf::from("/"), absolute.components().skip(1).peekable());
    while let Some(name) = names.next() {
        if name == Component::ParentDir {
            real.pop();
            continue;
        }
        real.push(name);
        check_above(&real)?;
        let is_last = names.peek().is_none();
        match fs::symlink_metadata(&real) {
            Ok(found) if found.is_symlink() && found.uid() == 0 => {
                real = real.canonicalize()?;
                check_above(&real)?;
            }
            Err(_) if !is_last => DirBuilder::new().mode(0o755).create(&real)?,
            Ok(_) | Err(_) => {}
        }
    }
    Ok(real)
}

/// Checks that nobody but root can replace a directory above this path.
fn check_above(path: &Path) -> Result<()> {
    for above in path.ancestors().skip(1) {
        ensure!(
            is_safe_for_root(&fs::symlink_metadata(above)?),
            "{} can be written by others than root, who could lead root elsewhere: choose another [database] data_dir, or run \
             Silta as another account",
            above.display()
        );
    }
    Ok(())
}

/// True where only root can replace what is in a directory and belongs to root.
fn is_safe_for_root(directory: &Metadata) -> bool {
    directory.is_dir()
        && directory.uid() == 0
        && (directory.mode() & 0o022 == 0 || directory.mode() & STICKY != 0)
}

/// The directory of the socket: beside the data, or in the temporary directory where that path is too long.
fn socket_dir(data_dir: &Path) -> PathBuf {
    let beside = data_dir.join("run");
    if beside.as_os_str().len() <= MAX_SOCKET_DIR_BYTES {
        return beside;
    }
    let digest = crate::domain::digest::sha256_hex(data_dir.as_os_str().as_encoded_bytes());
    std::env::temp_dir().join(format!("silta-{}", &digest[..16]))
}
