//! The shape of the source: sizes, where code may stand, what a module may know.

use super::source::{SourceFile, files, library};

#[test]
fn no_file_exceeds_300_lines_without_tests() {
    for file in library().into_iter().filter(|file| !file.path.ends_with("tests.rs")) {
        let lines = file.code().lines().count();
        assert!(lines <= 300, "{} has {lines} lines", file.path.display());
    }
}

/// A `mod.rs` holds documentation, `mod` lines and re-exports; code stands in files named after what they hold.
#[test]
fn mod_files_hold_no_code() {
    let starts = [
        "//",
        "mod ",
        "pub mod ",
        "pub(crate) mod ",
        "use ",
        "pub use ",
        "pub(crate) use ",
        "pub(super) use ",
        "#[",
    ];
    let mut found = Vec::new();
    for file in library().into_iter().filter(SourceFile::is_mod_rs) {
        let code = file.code().lines().filter(|line| !line.is_empty() && !line.starts_with([' ', '}']));
        let code = code.filter(|line| !starts.iter().any(|start| line.starts_with(start)));
        found.extend(code.map(|line| format!("{}: {line}", file.path.display())));
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn domain_has_no_io_sql_or_clock() {
    for file in library().into_iter().filter(|file| file.top_module() == "domain") {
        for word in ["sqlx", "axum", "reqwest", "tokio", "async fn", "Utc::now"] {
            assert!(!file.text.contains(word), "{} contains {word}", file.path.display());
        }
    }
}

/// One exception: the embedded PostgreSQL asks its server whether it is up.
#[test]
fn all_sql_is_in_store() {
    for file in library().into_iter().filter(|file| file.top_module() != "store") {
        let has_sql =
            ["sqlx::query", "sqlx::raw_sql", "QueryBuilder"].iter().any(|it| file.text.contains(it));
        let is_exempt = file.module.starts_with("runtime::embedded_postgres");
        assert!(!has_sql || is_exempt, "{} has SQL", file.path.display());
    }
}

/// Words for things that have another name here, see docs/glossary.md.
#[test]
fn no_vague_word_is_in_a_name() {
    let starts = ["pub fn ", "fn ", "pub struct ", "struct ", "pub enum ", "enum ", "mod ", "pub mod "];
    let words = ["tenant", "integration", "job", "redeliver", "resend", "utils", "helper"];
    for file in library() {
        for line in file.text.lines().map(str::trim_start) {
            let name = line.to_lowercase();
            let is_definition = starts.iter().any(|start| line.starts_with(start));
            let is_vague = is_definition && words.iter().any(|word| name.contains(word));
            assert!(!is_vague, "{}: {line}", file.path.display());
        }
    }
}

/// A file that no module names is not compiled: its tests never run, although documents may name them.
#[test]
fn every_test_file_is_a_module() {
    let mut missing = Vec::new();
    for file in files("tests/it", "rs") {
        let (name, folder) = (file.file_stem().unwrap().to_str().unwrap(), file.parent().unwrap());
        let is_root = folder.ends_with("tests/it");
        if name == "main" && is_root {
            continue;
        }
        let (named, parent) = if name == "mod" {
            (folder.file_name().unwrap().to_str().unwrap(), folder.parent().unwrap())
        } else {
            (name, folder)
        };
        let main = parent.join(if parent.ends_with("tests/it") { "main.rs" } else { "mod.rs" });
        let modules = std::fs::read_to_string(main).unwrap_or_default();
        if !modules.lines().any(|line| line.trim().ends_with(&format!("mod {named};"))) {
            missing.push(file.display().to_string());
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}
