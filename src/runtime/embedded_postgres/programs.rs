//! The PostgreSQL programs of a machine, by version.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use super::account::Account;

/// The name of the superuser and of the database.
pub(super) const NAME: &str = "silta";

/// Directories that have one directory of programs for each version, as (parent, start of the name, rest of the path).
const VERSIONED_DIRS: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),          // Debian
    ("/usr", "pgsql-", "bin"),                   // PostgreSQL's own packages for RHEL
    ("/usr/libexec", "postgresql", ""),          // Alpine
    ("/opt/homebrew/opt", "postgresql@", "bin"), // Homebrew
    ("/usr/local/opt", "postgresql@", "bin"),    // Homebrew on Intel
];

/// Directories that have the programs of one version.
const USUAL_DIRS: [&str; 4] = ["/usr/local/bin", "/usr/bin", "/usr/local/pgsql/bin", "/opt/homebrew/bin"];

/// The PostgreSQL programs of one major version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Programs {
    pub(super) version: u32,
    pub(super) dir: PathBuf,
}

/// Every PostgreSQL of a machine, the newest first.
#[derive(Clone, Debug)]
pub struct Installations(Vec<Programs>);

impl Installations {
    /// Finds the installations of this machine.
    pub fn of_this_machine() -> Self {
        Self::in_dirs(dirs_of_this_machine())
    }

    /// Finds the installations in these directories.
    pub fn in_dirs(dirs: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(find_programs(dirs, ["postgres", "initdb"]))
    }

    /// The newest one, for a cluster that is yet to be created.
    pub(super) fn newest(&self) -> Result<&Programs> {
        self.0.first().context(
            "no PostgreSQL on this machine: install it (Debian: apt-get install postgresql), or set [database] url",
        )
    }

    /// The programs of a cluster's own version: no other version can run it.
    pub(super) fn for_cluster(&self, cluster: &Path, account: &Account) -> Result<&Programs> {
        let Some(version) = cluster_version(cluster, account)? else { return self.newest() };
        let Some(programs) = self.0.iter().find(|programs| programs.version == version) else {
            bail!(
                "{} belongs to PostgreSQL {version}, whose programs are not on this machine ({}): install them \
                 (Debian: apt-get install postgresql-{version}); with both versions installed, \
                 `silta migrate --postgres` moves it to the newer one",
                cluster.display(),
                self.describe(),
            );
        };
        Ok(programs)
    }

    /// The versions found, for messages.
    fn describe(&self) -> String {
        describe_versions(&self.0)
    }
}

/// The directories in which a machine may have programs of PostgreSQL.
pub(super) fn dirs_of_this_machine() -> impl Iterator<Item = PathBuf> {
    let versioned = VERSIONED_DIRS.into_iter().flat_map(|(parent, start, rest)| {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let of_version = entries.filter(move |entry| {
            let name = entry.file_name();
            name.to_str()
                .and_then(|name| name.strip_prefix(start))
                .is_some_and(|it| it.parse::<f32>().is_ok())
        });
        of_version.map(move |entry| entry.path().join(rest))
    });
    versioned.chain(USUAL_DIRS.map(PathBuf::from))
}

/// The directories that have both of these programs, the newest version first. The first program itself says which it is.
pub(super) fn find_programs(
    dirs: impl IntoIterator<Item = PathBuf>,
    [first, second]: [&str; 2],
) -> Vec<Programs> {
    let is_complete = |dir: &PathBuf| dir.join(first).exists() && dir.join(second).exists();
    let programs = dirs.into_iter().filter(is_complete);
    let mut found: Vec<_> =
        programs.filter_map(|dir| Some(Programs { version: version_of(&dir, first)?, dir })).collect();
    found.sort_by_key(|programs| std::cmp::Reverse(programs.version)); // stable: the first directory wins
    found
}

/// The versions found, for messages.
pub(super) fn describe_versions(found: &[Programs]) -> String {
    if found.is_empty() {
        return "there are none".to_owned();
    }
    let versions: Vec<_> = found.iter().map(|programs| programs.version.to_string()).collect();
    format!("it has {}", versions.join(", "))
}

/// The major version that a cluster was made by; `None` where there is no cluster.
pub(super) fn cluster_version(cluster: &Path, account: &Account) -> Result<Option<u32>> {
    let file = cluster.join("PG_VERSION");
    if !cluster.exists() {
        return Ok(None);
    }
    let text = account
        .read(&file)
        .with_context(|| format!("cannot read {}: is this a PostgreSQL cluster?", file.display()))?;
    let version = parse_major(&text);
    version.map(Some).with_context(|| format!("{} has no version: {:?}", file.display(), text.trim()))
}

/// Asks a program of a directory for its version.
fn version_of(dir: &Path, program: &str) -> Option<u32> {
    let mut program = Account::unprivileged().ok()?.command(&dir.join(program));
    let output = program.arg("--version").output().ok()?;
    // As "postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)".
    let text = String::from_utf8(output.stdout).ok()?;
    parse_major(text.split(')').nth(1)?)
}

/// The leading number: 15 of "15.8", 18 of "18beta1".
fn parse_major(text: &str) -> Option<u32> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

impl Programs {
    /// A program, run as this account.
    pub(super) fn command(&self, program: &str, account: &Account) -> Command {
        account.command(&self.dir.join(program))
    }

    /// Creates a cluster with our settings, and perhaps another option of `initdb`, in an empty directory.
    pub(super) fn init_cluster(&self, cluster: &Path, account: &Account, option: Option<&str>) -> Result<()> {
        let mut initdb = self.command("initdb", account);
        initdb
            .args(["--username", NAME, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"])
            .args(option)
            .arg("--pgdata")
            .arg(cluster);
        run(initdb).with_context(|| {
            format!(
                "as account {}; if it cannot enter {}, choose another [database] data_dir",
                account.name,
                cluster.display()
            )
        })?;
        Ok(())
    }
}

/// Runs a program to its end and returns what it printed.
pub(super) fn run(mut command: Command) -> Result<String> {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().display().to_string();
    let output = command.output().with_context(|| format!("cannot run {name}"))?;
    let (printed, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // pg_upgrade explains its failures on standard output.
    ensure!(output.status.success(), "{name} failed: {}\n{}", errors.trim(), printed.trim());
    Ok(printed.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_version_is_read_from_every_spelling() {
        let table = [
            ("15\n", Some(15)),
            (" 15.8 (Debian)", Some(15)),
            ("18beta1", Some(18)),
            ("", None),
            ("x", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_major(text), expected, "{text:?}");
        }
    }
}
