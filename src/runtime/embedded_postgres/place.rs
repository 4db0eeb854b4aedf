//! The directories of a private server.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::account::Account;

/// The longest directory of a socket: a path has at most 107 bytes (unix(7)), and `.s.PGSQL.5432` follows.
const MAX_SOCKET_DIR_BYTES: usize = 90;

/// The directories of a private server.
pub(super) struct Place {
    pub(super) data_dir: PathBuf,
    pub(super) socket_dir: PathBuf,
}

impl Place {
    pub(super) fn prepare(data_dir: &Path) -> Result<Self> {
        fs::create_dir_all(data_dir).with_context(|| format!("cannot create {}", data_dir.display()))?;
        let data_dir = data_dir.canonicalize()?;
        let socket_dir = socket_dir(&data_dir)?;
        Ok(Self { data_dir, socket_dir })
    }

    /// Takes the lock of the one owner; `None` while another process has it.
    pub(super) fn try_lock(&self) -> Result<Option<File>> {
        let path = self.data_dir.join("silta.lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => bail!("cannot lock {}: {error}", path.display()),
        }
    }

    pub(super) fn give_to(&self, account: &Account) -> Result<()> {
        account.take_ownership(&self.data_dir)?;
        account.take_ownership(&self.socket_dir)?;
        Ok(())
    }

    /// The path of the socket.
    pub(super) fn socket(&self) -> PathBuf {
        self.socket_dir.join(".s.PGSQL.5432")
    }
}

/// The directory of the socket: beside the data, or in the temporary directory where that path is too long.
fn socket_dir(data_dir: &Path) -> Result<PathBuf> {
    let beside = data_dir.join("run");
    let dir = if beside.as_os_str().len() <= MAX_SOCKET_DIR_BYTES {
        beside
    } else {
        let digest = crate::domain::digest::sha256_hex(data_dir.as_os_str().as_encoded_bytes());
        std::env::temp_dir().join(format!("silta-{}", &digest[..16]))
    };
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    Ok(dir)
}
