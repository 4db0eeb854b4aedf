//! Where a played day keeps its database.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::runtime::clock::Entropy;

/// A directory that is gone with us; after a `kill -9` it stays, as any temporary file does.
pub(crate) struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    /// A new one, named after what it is for.
    pub(crate) fn new(what: &str) -> Result<Self> {
        let name = format!("silta-{what}-{}", hex::encode(Entropy::from_os().bytes::<6>()));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
