//! The list of mutants fits the source: what each removes is in its file once, and the tests that must fail exist. Whether
//! they fail, `make mutants` finds out.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{
    guarantees::exists,
    source::{read, root},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    mutant: Vec<Mutant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    /// What the guard prevents, in one sentence.
    guards: String,
    /// The tests that must fail without it.
    test: Vec<String>,
    /// The guard's places; several where one guard covers another.
    edit: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    find: String,
    replace: String,
}

/// What is wrong with a mutant.
fn problems(Mutant { name, guards, test, edit }: &Mutant) -> Vec<String> {
    let mut found = Vec::new();
    if !guards.ends_with('.') || guards.contains('\n') {
        found.push("`guards` is no sentence".to_owned());
    }
    if test.is_empty() || edit.is_empty() {
        found.push("it names no test or changes nothing".to_owned());
    }
    found.extend(test.iter().filter(|test| !exists(test)).map(|test| format!("there is no test {test}")));
    for Edit { file, find, replace } in edit {
        let count = if root().join(file).is_file() { read(file).matches(find.as_str()).count() } else { 0 };
        if !file.starts_with("src/") || count != 1 || find == replace {
            found.push(format!("{file} has {find:?} {count} times, or it is not changed"));
        }
    }
    found.into_iter().map(|problem| format!("{name}: {problem}")).collect()
}

#[test]
fn each_mutant_fits_the_source_and_its_tests_exist() {
    let List { mutant: mutants } = toml::from_str(&read("tests/mutants.toml")).unwrap();
    let names: BTreeSet<_> = mutants.iter().map(|mutant| &mutant.name).collect();
    assert_eq!(names.len(), mutants.len(), "names are unique");
    assert_eq!(mutants.iter().flat_map(problems).collect::<Vec<_>>(), Vec::<String>::new());
}
