//! A file that takes its place only once it is whole.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::runtime::clock::Entropy;

/// A new file for its owner alone, beside the one whose place it will take. Removed when dropped before that.
pub(super) struct NewFile {
    target: PathBuf,
    path: PathBuf,
    file: File,
}

impl NewFile {
    /// Creates the new file.
    pub(super) fn create(target: &Path) -> Result<Self> {
        let cannot = || format!("cannot write {}", target.display());
        let name = target.file_name().with_context(|| format!("{} is no file name", target.display()))?;
        let suffix = hex::encode(Entropy::from_os().bytes::<8>());
        let path = target.with_file_name(format!(".{}.{suffix}", name.to_string_lossy()));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        Ok(Self { target: target.to_owned(), file: file.with_context(cannot)?, path })
    }

    /// The file, for a program to write to.
    pub(super) fn writer(&self) -> Result<File> {
        Ok(self.file.try_clone()?)
    }

    /// The path of the file while it is new.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the file in its place, and returns its size.
    pub(super) fn publish(self) -> Result<u64> {
        self.file.sync_all()?;
        let size = self.file.metadata()?.len();
        fs::rename(&self.path, &self.target)
            .with_context(|| format!("cannot write {}", self.target.display()))?;
        let directory = self.target.parent().filter(|it| !it.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(size)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // gone already where it was renamed
    }
}
