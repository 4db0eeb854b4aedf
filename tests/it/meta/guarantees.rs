//! The guarantees and the threat model name existing tests, each by its full path.

use crate::meta::source::{read, root};

/// The rows of a page's tables: every line of a table except its header and rule.
fn rows(text: &str) -> Vec<&str> {
    let lines: Vec<_> = text.lines().collect();
    let is_header = |at: usize| lines.get(at + 1).is_some_and(|next| next.starts_with("|--"));
    let in_tables = (0..lines.len()).filter(|at| lines[*at].starts_with("| ") && !is_header(*at));
    in_tables.map(|at| lines[at]).collect()
}

/// The tests that the last column of a row names, as `inbox::webhook::every_flipped_byte_is_refused`.
fn named_tests(row: &str) -> Vec<&str> {
    let (_, last) = row.trim_end_matches('|').trim().rsplit_once('|').unwrap();
    last.split('`').filter(|name| name.contains("::")).collect()
}

/// Whether a file of `tests/it`, `src` or `fuzz` at this module path has this test.
pub fn exists(test: &str) -> bool {
    let Some((module, function)) = test.rsplit_once("::") else { return false };
    let path = module.replace("::", "/");
    let places = ["tests/it", "src", "fuzz/src"].into_iter();
    let files = places.flat_map(|place| [format!("{place}/{path}.rs"), format!("{place}/{path}/mod.rs")]);
    let texts = files
        .chain([format!("{path}.rs")])
        .filter_map(|file| std::fs::read_to_string(root().join(file)).ok());
    let definition = format!("fn {function}(");
    let row_of_rules = format!("    {function}:"); // `orders::policy` generates its tests from a table
    texts.into_iter().any(|text| text.contains(&definition) || text.contains(&row_of_rules))
}

/// What a page promises without an existing test.
fn unproven(page: &str) -> Vec<String> {
    let rows = rows(page);
    assert!(!rows.is_empty(), "a page without a table");
    let is_proven = |row: &&str| {
        let tests = named_tests(row);
        !tests.is_empty() && tests.into_iter().all(exists)
    };
    rows.into_iter().filter(|row| !is_proven(row)).map(ToOwned::to_owned).collect()
}

#[test]
fn each_guarantee_names_existing_tests() {
    let page = read("docs/guarantees.md");
    let (promised, _) =
        page.split_once("## What is not guaranteed").expect("a section on what is not guaranteed");
    for section in promised.split("\n## ").skip(1) {
        assert_eq!(unproven(section), Vec::<String>::new());
    }
}

#[test]
fn each_threat_names_an_existing_test() {
    assert_eq!(unproven(&read("docs/threats.md")), Vec::<String>::new());
}
