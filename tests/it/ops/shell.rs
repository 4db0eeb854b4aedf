//! A person's shell in a folder, with the program.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use silta::dev::sandbox::Sandbox;

use crate::harness::process::BINARY;

/// A shell in a folder.
pub struct Shell<'a> {
    pub folder: &'a Path,
    /// `None`: Silta starts a PostgreSQL of its own.
    pub database: Option<String>,
    pub listen: String,
}

impl<'a> Shell<'a> {
    /// A shell whose Silta has a PostgreSQL of its own.
    pub fn with_own_database(folder: &'a Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { folder, database: None, listen: format!("127.0.0.1:{port}") }
    }

    /// A shell whose Silta uses this database.
    pub fn with_database(folder: &'a Path, url: String) -> Self {
        Self { database: Some(url), ..Self::with_own_database(folder) }
    }

    /// A command of the program, as it is typed. Nobody answers its questions.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(BINARY);
        let words = line.strip_prefix("silta ").unwrap().split(' ');
        command.args(words).current_dir(self.folder).stdin(Stdio::null());
        match &self.database {
            Some(url) => command.env("DATABASE_URL", url),
            None => command.env_remove("DATABASE_URL"),
        };
        command.env("SILTA__HTTP__LISTEN", &self.listen);
        command
    }

    /// Runs a command line; returns its status and output.
    pub fn run(&self, line: &str) -> (i32, String) {
        let output = self.command(line).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8_lossy(&text).into_owned())
    }

    pub fn run_ok(&self, line: &str) -> String {
        let (status, output) = self.run(line);
        assert_eq!(status, 0, "{line}: {output}");
        output
    }
}

/// The value of a key in the sandbox's configuration.
pub fn sandbox_value(sandbox: &Sandbox, key: &str) -> String {
    let toml = sandbox.connection_toml("kauppa");
    let line = toml.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap().to_owned();
    line.split('"').nth(1).unwrap().to_owned()
}
