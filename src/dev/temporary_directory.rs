//! A directory for the database of a demo or a chaos run.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::runtime::clock::Entropy;

/// A temporary directory, removed when dropped. After a `kill -9` it stays, as any temporary file does.
pub(super) struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    /// Creates a directory named after its purpose.
    pub(super) fn new(purpose: &str) -> Result<Self> {
        let name = format!("silta-{purpose}-{}", hex::encode(Entropy::from_os().bytes::<6>()));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }

    /// The path of the directory.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
