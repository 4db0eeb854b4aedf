//! Backups: `pg_dump` writes one, `pg_restore` reads it.
//!
//! A backup holds everything, and the server's password opens everything. So a backup goes into a file that this process has
//! opened, whatever account the program runs as; and the password goes to the program through a pipe, as a libpq service file:
//! arguments and variables of a process can be seen by others.

use std::{
    fs::File,
    io::{BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

use super::{
    account::Account,
    archive_script::{ScriptPiece, split},
    private_postgres::PrivatePostgres,
    programs::{NAME, Programs, cluster_version, describe_versions, dirs_of_this_machine, find_programs},
};

/// The section of the service file.
pub(super) const SERVICE: &str = "silta";

/// How a server is reached that is not our own. Not printable: it has the password.
pub struct ServerAccess {
    /// The lines of a libpq service file, without its header.
    pub settings: String,
    /// The variables that name files of libpq, as `HOME`; no secrets.
    pub environment: Vec<(String, String)>,
}

/// `pg_dump` and `pg_restore` of this machine, the newest version first.
pub struct ArchivePrograms(Vec<Programs>);

impl ArchivePrograms {
    /// Finds the programs of this machine.
    pub fn of_this_machine() -> Self {
        Self::in_dirs(dirs_of_this_machine())
    }

    /// Finds the programs in these directories.
    pub fn in_dirs(dirs: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(find_programs(dirs, ["pg_dump", "pg_restore"]))
    }

    /// Backs up a database of a private server, as it is at one moment. Blocks.
    pub fn dump_private(&self, server: &PrivatePostgres, to: File) -> Result<()> {
        let account = Account::unprivileged()?;
        let (cluster, socket_dir) = server.cluster_and_socket_dir();
        let version = cluster_version(&cluster, &account)?.context("there is no cluster")?;
        let mut dump = self.for_server(version)?.command("pg_dump", &account);
        dump.args(["--format=custom", "--no-password", "--username", NAME, "--dbname", NAME, "--host"]);
        dump.arg(socket_dir);
        run(dump, None, to)
    }

    /// Backs up a database of another server of this version, as it is at one moment. Blocks.
    pub fn dump_server(&self, server: &ServerAccess, version: u32, to: File) -> Result<()> {
        let mut dump = self.for_server(version)?.command("pg_dump", &Account::own());
        dump.args(["--format=custom", "--no-password", "--dbname", &format!("service={SERVICE}")]);
        dump.env("PGSERVICEFILE", "/dev/stdin");
        dump.envs(server.environment.iter().map(|(name, value)| (name, value)));
        run(dump, Some(&format!("[{SERVICE}]\n{}", server.settings)), to)
    }

    /// What is in a backup, one entry a line. Blocks.
    pub fn list(&self, archive: &Path) -> Result<String> {
        let mut reading = self.restore(archive, &["--list"])?;
        let mut text = String::new();
        output_of(&mut reading)?.read_to_string(&mut text)?;
        end(reading)?;
        Ok(text)
    }

    /// Reads a backup as a script, with these options of `pg_restore`. Fails at its end where the backup is not whole. Blocks.
    pub fn read(
        &self,
        archive: &Path,
        options: &[&str],
        consume: impl FnMut(ScriptPiece) -> Result<()>,
    ) -> Result<()> {
        let mut reading = self.restore(archive, &[options, &["--file=-"]].concat())?;
        let consumed = split(BufReader::new(output_of(&mut reading)?), consume);
        if consumed.is_err() {
            let _ = reading.kill();
        }
        let ended = end(reading);
        // What the program says of the file explains more than where the script broke off.
        if consumed.is_ok() { ended } else { consumed.map_err(|error| ended.err().unwrap_or(error)) }
    }

    /// A `pg_restore` that reads a file. Under root it has the rights of another account: what is in the file may be anything.
    fn restore(&self, archive: &Path, options: &[&str]) -> Result<Child> {
        let Some(programs) = self.0.first() else { bail!("no pg_restore on this machine: {INSTALL})") };
        let file = File::open(archive).with_context(|| format!("cannot read {}", archive.display()))?;
        ensure!(file.metadata()?.is_file(), "{} is no file", archive.display());
        let mut restore = programs.command("pg_restore", &Account::unprivileged()?);
        restore.args(options).stdin(file).stdout(Stdio::piped()).stderr(Stdio::piped());
        restore.spawn().context("cannot run pg_restore")
    }

    /// The oldest programs that can dump this server: what they write, the most others can read.
    fn for_server(&self, version: u32) -> Result<&Programs> {
        let found = self.0.iter().rfind(|programs| programs.version >= version);
        found.with_context(|| {
            format!(
                "pg_dump of PostgreSQL {version} or newer is not on this machine ({}): {INSTALL}-{version})",
                describe_versions(&self.0)
            )
        })
    }
}

const INSTALL: &str = "install it (Debian: apt-get install postgresql-client";

fn output_of(child: &mut Child) -> Result<std::process::ChildStdout> {
    child.stdout.take().context("its output is a pipe")
}

/// Runs a program to its end, with this text for its input.
fn run(mut command: Command, input: Option<&str>, to: File) -> Result<()> {
    command.stdout(to).stderr(Stdio::piped());
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().context("cannot run pg_dump")?;
    if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
        // Where it has ended already, its own message says why.
        let _ = pipe.write_all(input.as_bytes());
    }
    end(child)
}

/// Waits for the end of a program; fails with what it said.
fn end(child: Child) -> Result<()> {
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
