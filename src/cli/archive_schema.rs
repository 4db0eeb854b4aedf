//! Which schema a backup has, read before anything is changed.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::{
    runtime::embedded_postgres::{ArchivePrograms, ScriptPiece},
    store::{MIGRATOR, backups::MIGRATIONS},
};

/// The migrations that a backup's database had, each with its checksum in hex.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ArchiveSchema(Vec<(i64, String)>);

/// Reads the schema of a backup. Fails where the file is none of Silta's.
pub(super) fn read_schema(programs: &ArchivePrograms, file: &Path) -> Result<ArchiveSchema> {
    let is_none = || format!("{} is no backup of Silta", file.display());
    let contents = programs.list(file).with_context(is_none)?;
    let has = |entry: &str| contents.lines().any(|line| line.contains(entry));
    ensure!(
        has(&format!(" TABLE DATA public {MIGRATIONS} ")) && has(" TABLE public task "),
        "{}: it has no tables of Silta",
        is_none()
    );
    let mut script = Vec::new();
    let table = format!("--table={MIGRATIONS}");
    let keep = |piece| {
        script.push(piece);
        Ok(())
    };
    programs.read(file, &["--data-only", "--schema=public", &table], keep).with_context(is_none)?;
    parse(&script).with_context(is_none)
}

/// Reads the rows of the migrations' table.
fn parse(script: &[ScriptPiece]) -> Option<ArchiveSchema> {
    let (mut columns, mut found) = (Vec::new(), Vec::new());
    for piece in script {
        match piece {
            ScriptPiece::Copy(statement) => {
                let list = statement.split_once('(')?.1.split_once(')')?.0;
                columns = list.split(", ").collect();
            }
            ScriptPiece::Rows(rows) => {
                for row in std::str::from_utf8(rows).ok()?.lines() {
                    let cells: Vec<_> = row.split('\t').collect();
                    let cell = |name| cells.get(columns.iter().position(|column| *column == name)?).copied();
                    let checksum = cell("checksum")?.trim_start_matches("\\\\x");
                    found.push((cell("version")?.parse().ok()?, checksum.to_owned()));
                }
            }
            ScriptPiece::Statements(_) | ScriptPiece::CopyEnd => {}
        }
    }
    (!found.is_empty()).then_some(ArchiveSchema(found))
}

impl ArchiveSchema {
    /// The newest migration.
    pub(super) fn newest(&self) -> i64 {
        self.0.iter().map(|(version, _)| *version).max().unwrap_or_default()
    }

    /// Checks that this version of Silta knows every migration that the backup has.
    pub(super) fn ensure_restorable(&self, file: &Path) -> Result<()> {
        let known = MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or_default();
        let (file, newest) = (file.display(), self.newest());
        ensure!(
            newest <= known,
            "{file} was made by a newer Silta: its schema is {newest}, this one's is {known}. Install that version first"
        );
        for (version, checksum) in &self.0 {
            let own = MIGRATOR.iter().find(|migration| migration.version == *version);
            let is_same = own.is_some_and(|own| hex::encode(&own.checksum) == *checksum);
            ensure!(
                is_same,
                "{file} has another migration {version} than this Silta: it is not of a release"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(rows: &str) -> Vec<ScriptPiece> {
        let copy = "COPY public._sqlx_migrations (version, description, checksum) FROM stdin;\n";
        vec![
            ScriptPiece::Statements("SET a = 0;\n".to_owned()),
            ScriptPiece::Copy(copy.to_owned()),
            ScriptPiece::Rows(rows.as_bytes().to_vec()),
            ScriptPiece::CopyEnd,
        ]
    }

    #[test]
    fn migrations_of_a_backup_are_compared_with_our_own() {
        let own: Vec<_> = MIGRATOR.iter().collect();
        let row = |version: i64, checksum: &str| format!("{version}\ta word\t\\\\x{checksum}\n");
        let checksum = |at: usize| hex::encode(&own[at].checksum);
        let error = |rows: &str| {
            let schema = parse(&script(rows)).expect("rows");
            schema.ensure_restorable(Path::new("file")).err().map(|error| error.to_string())
        };
        assert_eq!(error(&row(own[0].version, &checksum(0))), None, "an older one");
        assert!(
            error(&row(9999, "00")).expect("newer").contains("made by a newer Silta: its schema is 9999")
        );
        assert!(error(&row(own[0].version, &checksum(1))).expect("other").contains("another migration"));
        let all: String = own.iter().map(|it| row(it.version, &hex::encode(&it.checksum))).collect();
        assert_eq!(error(&all), None);
        assert_eq!(parse(&script("")), None, "a backup without migrations");
    }
}
