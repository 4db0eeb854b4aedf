//! The errors of a configuration, collected so that all are reported together.

use std::{
    cell::RefCell,
    fmt, io,
    path::{Path, PathBuf},
};

use super::key_lines::KeyLines;

/// An error of the configuration, with its key and a remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The path of the key.
    pub key: String,
    /// What is wrong, and what to do; never the value of a secret.
    pub problem: String,
    /// Where the key stands in the file; `None` where it is missing or comes from the environment.
    pub line: Option<usize>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.problem)
    }
}

/// The errors found so far, and the files that were read.
#[derive(Default)]
pub(super) struct ConfigErrors {
    errors: RefCell<Vec<ConfigError>>,
    lines: RefCell<KeyLines>,
    /// Where the configuration file lies.
    directory: PathBuf,
    secret_files: RefCell<Vec<PathBuf>>,
}

impl ConfigErrors {
    /// For a configuration file in this directory.
    pub(super) fn in_directory(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), ..Self::default() }
    }

    /// Reads the file of a secret. A relative path is looked for as it is written, then from the configuration file on, and
    /// last by its name alone beside that file: systemd's credentials and the secrets of containers lie there.
    pub(super) fn read_secret(&self, file: &str) -> std::io::Result<String> {
        let written = Path::new(file);
        let by_name = written.file_name().map(|name| self.directory.join(name));
        let places = [Some(written.to_owned()), Some(self.directory.join(written)), by_name];
        let mut places = places.into_iter().flatten();
        let found = if written.is_absolute() { None } else { places.find(|place| place.exists()) };
        let found = found.unwrap_or_else(|| written.to_owned());
        let text = std::fs::read_to_string(&found)?;
        self.secret_files.borrow_mut().push(found);
        Ok(text)
    }

    /// The files of secrets that were read.
    pub(super) fn take_secret_files(&self) -> Vec<PathBuf> {
        self.secret_files.take()
    }

    pub(super) fn add(&self, key: &str, problem: &str) {
        let line = self.lines.borrow().find(key);
        self.errors.borrow_mut().push(ConfigError { key: key.to_owned(), problem: problem.to_owned(), line });
    }

    /// The line of a key in the file.
    pub(super) fn line_of(&self, key: &str) -> Option<usize> {
        self.lines.borrow().find(key)
    }

    /// Says where the keys stand in the file, for every error from now on.
    pub(super) fn set_lines(&self, lines: KeyLines) {
        self.lines.replace(lines);
    }

    pub(super) fn into_result<T>(self, config: T) -> Result<T, Vec<ConfigError>> {
        let errors = self.errors.into_inner();
        if errors.is_empty() { Ok(config) } else { Err(errors) }
    }
}

/// Says what is wrong with the file of a secret. A path that does not look like one may be the secret itself.
pub(super) fn unreadable_file(file: &str, error: &io::Error) -> String {
    let is_path = ["/", "./", "../", "secrets/"].iter().any(|start| file.starts_with(start));
    let named = if is_path { format!(" {file}") } else { " that it names".to_owned() };
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file{named}: write the secret into it"),
        io::ErrorKind::PermissionDenied => {
            format!("the file{named} cannot be read: this account may not ({})", error.kind())
        }
        kind => format!("the file{named} cannot be read: {kind}"),
    }
}
