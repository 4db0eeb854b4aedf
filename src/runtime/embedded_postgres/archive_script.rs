//! The script that `pg_restore` makes of a backup, piece by piece: statements, and the rows of one table after the other.

use std::io::BufRead;

use anyhow::{Result, ensure};

/// How many bytes of rows are handed over at once.
const ROWS_BYTES: usize = 64 << 10;

/// A piece of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptPiece {
    /// Statements without rows.
    Statements(String),
    /// A `COPY … FROM stdin`, whose rows follow.
    Copy(String),
    /// Whole rows of it.
    Rows(Vec<u8>),
    /// It has no more rows.
    CopyEnd,
}

/// Splits a script. The commands to `psql` in it are left out.
pub(super) fn split(
    mut script: impl BufRead,
    mut consume: impl FnMut(ScriptPiece) -> Result<()>,
) -> Result<()> {
    let (mut statements, mut rows, mut is_copying) = (Vec::new(), Vec::new(), false);
    let mut line = Vec::new();
    while script.read_until(b'\n', &mut line)? > 0 {
        if is_copying && line == b"\\.\n" {
            consume(ScriptPiece::Rows(std::mem::take(&mut rows)))?;
            consume(ScriptPiece::CopyEnd)?;
            is_copying = false;
        } else if is_copying {
            rows.append(&mut line);
            if rows.len() >= ROWS_BYTES {
                consume(ScriptPiece::Rows(std::mem::take(&mut rows)))?;
            }
        } else if is_copy(&line) {
            consume(ScriptPiece::Statements(text(&std::mem::take(&mut statements))))?;
            consume(ScriptPiece::Copy(text(&line)))?;
            is_copying = true;
        } else if !line.starts_with(b"\\") {
            statements.append(&mut line);
        }
        line.clear();
    }
    ensure!(!is_copying, "the backup ends within the rows of a table");
    consume(ScriptPiece::Statements(text(&statements)))
}

fn is_copy(line: &[u8]) -> bool {
    line.starts_with(b"COPY ") && line.ends_with(b" FROM stdin;\n")
}

/// Only rows may hold anything but UTF-8, and they are no text to us.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_statements_are_separated() {
        let script =
            b"\\restrict x\nSET a = 0;\nCOPY public.a (id) FROM stdin;\n1\n\\\\.\n\\.\n\n\\unrestrict x\n\
                       COPY public.b (id) FROM stdin;\n\\.\nCREATE INDEX i;\n";
        let mut pieces = Vec::new();
        split(&script[..], |piece| {
            pieces.push(piece);
            Ok(())
        })
        .expect("whole");
        let statements = |text: &str| ScriptPiece::Statements(text.to_owned());
        let copy = |table: &str| ScriptPiece::Copy(format!("COPY public.{table} (id) FROM stdin;\n"));
        assert_eq!(
            pieces,
            [
                statements("SET a = 0;\n"),
                copy("a"),
                ScriptPiece::Rows(b"1\n\\\\.\n".to_vec()),
                ScriptPiece::CopyEnd,
                statements("\n"),
                copy("b"),
                ScriptPiece::Rows(Vec::new()),
                ScriptPiece::CopyEnd,
                statements("CREATE INDEX i;\n"),
            ]
        );
    }

    #[test]
    fn script_that_breaks_off_within_rows_fails() {
        let error = split(&b"COPY public.a (id) FROM stdin;\n1\n"[..], |_| Ok(())).expect_err("half");
        assert!(error.to_string().contains("within the rows"), "{error}");
    }
}
