//! The log of a private server: the lines of one start.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use anyhow::{Context, Result};

/// The log of a server from one start on. The file goes on from start to start, and what an earlier one wrote says nothing
/// about this one.
pub(super) struct ServerLog {
    path: PathBuf,
    start: u64,
}

impl ServerLog {
    /// Opens the log for a new start; returns the file to write to as well.
    pub(super) fn open(path: PathBuf) -> Result<(Self, File)> {
        let file = File::options().create(true).append(true).mode(0o600).open(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        let start = fs::metadata(&path)?.len();
        Ok((Self { path, start }, file))
    }

    /// What this start has logged.
    fn text(&self) -> String {
        let mut bytes = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.start))?;
            file.read_to_end(&mut bytes)
        });
        if read.is_err() {
            bytes.clear(); // it only explains
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The last lines of this start.
    pub(super) fn tail(&self) -> String {
        let text = self.text();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    /// The bytes that the server logged about its own start. That it refuses connections meanwhile is no progress.
    pub(super) fn progress(&self) -> usize {
        self.own_lines(&self.text()).map(str::len).sum()
    }

    /// The last line about its own start.
    pub(super) fn last_line(&self) -> String {
        let text = self.text();
        self.own_lines(&text).last().map(ToOwned::to_owned).unwrap_or_default()
    }

    #[expect(clippy::unused_self, reason = "what counts as a line of the start belongs to the log")]
    fn own_lines<'a>(&self, text: &'a str) -> impl Iterator<Item = &'a str> {
        text.lines().filter(|line| !line.contains("FATAL:"))
    }
}
