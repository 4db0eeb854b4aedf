//! Which module may import which, and no circle between modules or files.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{SourceFile, imports, library};

/// For each top-level module, what it may import of the others: a module, or one item of it where that is all it needs.
/// ARCHITECTURE.md explains the table. `app`, `cli` and `dev` put everything together.
const IMPORT_RULES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("runtime", &["domain"]),
    ("store", &["domain"]),
    ("vendors", &["domain", "runtime"]),
    ("flows", &["domain", "runtime", "vendors"]),
    ("security", &["domain", "runtime", "store"]),
    (
        "inbox",
        &[
            "domain",
            "runtime",
            "security",
            "store",
            "vendors",
            "web::client_ip",
            "web::problem",
            "web::request_body",
        ],
    ),
    ("worker", &["domain", "flows", "runtime", "store", "vendors"]),
    ("sync", &["domain", "flows", "runtime", "store", "vendors"]),
    ("actions", &["domain", "runtime", "store"]),
    ("explain", &["domain", "store"]),
    (
        "background",
        &[
            "domain",
            "explain",
            "flows::ConnectionClients",
            "runtime",
            "security",
            "store",
            "vendors::http::error",
        ],
    ),
    ("web", &["actions", "domain", "explain", "runtime", "security", "store"]),
    ("app", &["*"]),
    ("cli", &["*"]),
    ("dev", &["*"]),
];

/// Whether an import names this module or something in it.
fn is_within(import: &str, module: &str) -> bool {
    import.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Code only: a comment may name anything.
fn without_comments(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.to_owned() + "\n").collect()
}

/// What each top-level module imports of the others.
fn imports_by_module() -> BTreeMap<String, BTreeSet<String>> {
    let mut by_module: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in library() {
        let others = imports(&without_comments(&file.text), "crate::").into_iter();
        let others = others.filter(|it| !it.is_empty() && !is_within(it, file.top_module()));
        by_module.entry(file.top_module().to_owned()).or_default().extend(others);
    }
    by_module
}

#[test]
fn import_rules_hold() {
    let rules: BTreeMap<_, _> = IMPORT_RULES.iter().copied().collect();
    let mut violations = Vec::new();
    for (module, imports) in imports_by_module() {
        let allowed = rules.get(module.as_str()).unwrap_or_else(|| panic!("no import rule for {module}"));
        for import in imports {
            if !allowed.iter().any(|it| *it == "*" || is_within(&import, it)) {
                violations.push(format!("{module} may not import {import}"));
            }
        }
    }
    assert_eq!(violations, Vec::<String>::new());
}

#[test]
fn import_rules_allow_nothing_unused() {
    let by_module = imports_by_module();
    for (module, allowed) in IMPORT_RULES {
        let used = by_module.get(*module).unwrap_or_else(|| panic!("there is no module {module}"));
        for it in allowed.iter().filter(|it| **it != "*") {
            assert!(used.iter().any(|import| is_within(import, it)), "{module} does not use {it}");
        }
    }
}

#[test]
fn modules_do_not_import_in_a_circle() {
    let top = |import: &String| import.split("::").next().unwrap_or_default().to_owned();
    let edges = imports_by_module().into_iter();
    let edges = edges.map(|(module, imports)| (module, imports.iter().map(top).collect())).collect();
    assert_eq!(circles(edges), Vec::<Vec<String>>::new());
}

/// `mod.rs` files count as what they re-export: they hold no code of their own (`shape::mod_files_hold_no_code`).
#[test]
fn files_do_not_import_in_a_circle() {
    let library = library();
    let known: BTreeSet<_> = library.iter().map(|file| file.module.as_str()).collect();
    let exported = exports(&library);
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in library.iter().filter(|file| !file.is_mod_rs()) {
        let named = named_modules(file).into_iter().filter_map(|path| resolve(&path, &known, &exported));
        edges.insert(file.module.clone(), named.filter(|it| *it != file.module).collect());
    }
    for to in edges.values_mut() {
        to.retain(|it| !library.iter().any(|file| file.is_mod_rs() && file.module == *it));
    }
    assert_eq!(circles(edges), Vec::<Vec<String>>::new());
}

/// The full paths that a file names, of `crate::` and of `super::`.
fn named_modules(file: &SourceFile) -> BTreeSet<String> {
    let parent =
        |module: &str| module.rsplit_once("::").map_or(String::new(), |(parent, _)| parent.to_owned());
    let code = without_comments(file.code());
    let mut found = imports(&code, "crate::");
    let (above, grandparent) = (parent(&file.module), parent(&parent(&file.module)));
    let code = code.replace("super::super::", "grandparent::");
    found.extend(imports(&code, "super::").into_iter().map(|path| format!("{above}::{path}")));
    found.extend(imports(&code, "grandparent::").into_iter().map(|path| format!("{grandparent}::{path}")));
    found
}

/// Where each `pub use` of a `mod.rs` leads: `inbox::Endpoint` to `inbox::webhook::endpoint::Endpoint`.
fn exports(library: &[SourceFile]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for file in library.iter().filter(|file| file.is_mod_rs()) {
        for statement in file.code().split(';') {
            let Some((_, tree)) = statement.split_once("use ").filter(|(before, _)| before.ends_with("pub "))
            else {
                continue;
            };
            for path in imports(&format!("crate::{tree}"), "crate::") {
                let name = path.rsplit("::").next().unwrap_or_default();
                found.insert(format!("{}::{name}", file.module), format!("{}::{path}", file.module));
            }
        }
    }
    found
}

/// The file in which a path is defined.
fn resolve(path: &str, known: &BTreeSet<&str>, exported: &BTreeMap<String, String>) -> Option<String> {
    let path = exported.get(path).map_or(path, String::as_str);
    let ends = path.match_indices("::").map(|(at, _)| at).chain([path.len()]).collect::<Vec<_>>();
    ends.into_iter().rev().map(|end| &path[..end]).find(|it| known.contains(it)).map(ToOwned::to_owned)
}

/// Groups that reach each other, each once.
fn circles(edges: BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let mut reached = edges;
    loop {
        let before: usize = reached.values().map(BTreeSet::len).sum();
        let further =
            |to: &BTreeSet<String>| to.iter().filter_map(|it| reached.get(it)).flatten().cloned().collect();
        let next: BTreeMap<_, BTreeSet<String>> =
            reached.iter().map(|(from, to)| (from.clone(), to | &further(to))).collect();
        reached = next;
        if reached.values().map(BTreeSet::len).sum::<usize>() == before {
            break;
        }
    }
    let together = |a: &String| {
        let group = reached.iter().filter(|(b, to)| to.contains(a) && reached[a].contains(*b));
        group.map(|(b, _)| b.clone()).collect::<Vec<_>>()
    };
    let groups: BTreeSet<_> = reached.keys().map(together).filter(|group| !group.is_empty()).collect();
    groups.into_iter().collect()
}
