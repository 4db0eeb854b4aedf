//! The house's laws, held by a scan: who may import whom, one word per thing, and no document that nobody checks.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use silta::{domain::task::reason::Reason, web::problem::Code};

/// Who may import whom: a room, and what it may name behind `crate::` besides itself. Every room has its row.
/// Finer than a room where a law says so: flows never see the store, the inbox and the worker never meet.
const IMPORT_RULES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("clock", &["domain"]),
    ("store", &["domain"]),
    ("problem", &[]),
    ("vendors", &["domain", "clock"]),
    ("flows", &["domain", "clock", "failpoints", "vendors"]),
    ("failpoints", &[]),
    ("group_commit", &[]),
    (
        "inbox",
        &[
            "domain",
            "clock",
            "group_commit",
            "failpoints",
            "problem",
            "server",
            "store",
            "auth_throttle",
            "vendors",
            "key_usage",
            "secret_store",
        ],
    ),
    ("ledger", &["domain", "clock", "flows", "store"]),
    (
        "worker",
        &["domain", "clock", "flows", "group_commit", "failpoints", "ledger", "store", "vendors::call_log"],
    ),
    ("control", &["domain", "clock", "store"]),
    ("explain", &["domain", "store"]),
    (
        "sync",
        &["domain", "clock", "flows", "failpoints", "ledger", "store", "vendors::call", "vendors::call_log"],
    ),
    ("admin", &["domain", "clock", "problem", "store", "control", "explain", "key_usage"]),
    (
        "dashboard",
        &["admin", "domain", "clock", "server", "store", "auth_throttle", "key_usage", "control", "explain"],
    ),
    ("alerts", &["clock", "domain", "explain", "store", "vendors::signature"]),
    (
        "subscriptions",
        &[
            "clock",
            "domain",
            "flows::ConnectionClients",
            "inbox::subscription_key_context",
            "store",
            "vendors::call",
            "vendors::signature",
            "secret_store",
        ],
    ),
    ("server", &[]),
    ("auth_throttle", &["domain"]),
    ("key_usage", &["domain", "store"]),
    ("secret_store", &["clock"]),
    ("retention", &["clock", "domain", "store"]),
    ("ops", &["clock", "problem", "store", "worker::Heartbeat"]),
    ("sandbox", &["clock"]),
    ("embedded_postgres", &["domain::fingerprint"]),
    ("telemetry", &[]),
    ("lifecycle", &[]),
    // `config` collects each room's options; `app`, `demo` and `cli` put everything together.
    (
        "config",
        &[
            "admin",
            "alerts",
            "domain",
            "inbox",
            "retention",
            "server",
            "sync",
            "vendors",
            "telemetry",
            "secret_store",
        ],
    ),
    ("app", &["*"]),
    ("demo", &["*"]),
    ("fuzz", &["admin", "config", "domain", "vendors"]),
    ("proof", &["*"]),
    ("cli", &["*"]),
];

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn files(dir: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(dir)];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn module_of(file: &Path) -> String {
    let first = file.strip_prefix(root().join("src")).unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// Every path behind `crate::` in a file, groups opened: `crate::{a::b, c}` names `a::b` and `c`.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        collect(rest, String::new(), &mut found);
    }
    found
}

fn collect(text: &str, prefix: String, found: &mut BTreeSet<String>) {
    let word: String = text.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect();
    let rest = &text[word.len()..];
    if let Some(group) = rest.strip_prefix('{').filter(|_| word.is_empty()) {
        let (mut depth, mut start) = (0, 0);
        for (at, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => return collect(group[start..at].trim_start(), prefix, found),
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    collect(group[start..at].trim_start(), prefix.clone(), found);
                    start = at + 1;
                }
                _ => {}
            }
        }
        return;
    }
    if word.is_empty() {
        return; // behind a trailing comma
    }
    let path = if prefix.is_empty() { word } else { format!("{prefix}::{word}") };
    match rest.strip_prefix("::") {
        Some(rest) => collect(rest, path, found),
        None => drop(found.insert(path)),
    }
}

/// Is an import of this, or of something in it?
fn is_within(import: &str, room: &str) -> bool {
    import.strip_prefix(room).is_some_and(|behind| behind.is_empty() || behind.starts_with("::"))
}

/// What each room names of the others.
fn imports_by_module() -> BTreeMap<String, BTreeSet<String>> {
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files("src", "rs") {
        let room = module_of(&file);
        if room == "lib" || room == "main" {
            continue;
        }
        let others = imports(&fs::read_to_string(&file).unwrap());
        let others = others.into_iter().filter(|it| !it.is_empty() && !is_within(it, &room));
        named.entry(room.clone()).or_default().extend(others);
    }
    named
}

#[test]
fn import_rules_hold() {
    let law: BTreeMap<_, _> = IMPORT_RULES.iter().copied().collect();
    let mut broken = Vec::new();
    for (room, imports) in imports_by_module() {
        let allowed = law.get(room.as_str()).unwrap_or_else(|| panic!("room {room} has no law"));
        for import in imports {
            if !allowed.iter().any(|it| *it == "*" || is_within(&import, it)) {
                broken.push(format!("{room} may not import {import}"));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn import_rules_allow_nothing_unused() {
    let named = imports_by_module();
    for (room, allowed) in IMPORT_RULES {
        let used = named.get(*room).unwrap_or_else(|| panic!("there is no room {room}"));
        for it in allowed.iter().filter(|it| **it != "*") {
            assert!(used.iter().any(|import| is_within(import, it)), "{room} does not use {it}");
        }
    }
}

#[test]
fn import_scan_expands_groups() {
    let text = "use crate::{\n    a::{b, c::D},\n    e,\n};\nlet x = crate::f::g();";
    let seen: Vec<_> = imports(text).into_iter().collect();
    assert_eq!(seen, ["a::b", "a::c::D", "e", "f::g"]);
}

#[test]
fn domain_has_no_io_sql_or_clock() {
    for file in files("src/domain", "rs") {
        let text = fs::read_to_string(&file).unwrap();
        for word in ["sqlx", "axum", "reqwest", "tokio", "async fn", "Utc::now"] {
            assert!(!text.contains(word), "{} says {word}", file.display());
        }
    }
}

#[test]
fn all_sql_is_in_store() {
    for file in files("src", "rs") {
        let room = module_of(&file);
        let text = fs::read_to_string(&file).unwrap();
        let has_sql = text.contains("sqlx::query");
        assert!(!has_sql || room == "store" || room == "embedded_postgres", "{}", file.display());
    }
}

/// The glossary's "say not" words that would be a second name for a thing of ours.
#[test]
fn no_replaced_word_is_left() {
    for file in files("src", "rs") {
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines().filter(|line| {
            let line = line.trim_start();
            ["pub fn ", "fn ", "pub struct ", "struct ", "pub enum ", "enum ", "mod ", "pub mod "]
                .iter()
                .any(|start| line.starts_with(start))
        }) {
            let name = line.to_lowercase();
            for word in [
                "provider",
                "tenant",
                "integration",
                "job",
                "reconcile",
                "redeliver",
                "resend",
                "utils",
                "helper",
            ] {
                assert!(!name.contains(word), "{}: {line}", file.display());
            }
        }
    }
}

#[test]
fn no_file_exceeds_300_lines_without_tests() {
    for file in files("src", "rs").into_iter().filter(|file| !file.ends_with("tests.rs")) {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.split("#[cfg(test)]\nmod tests").next().unwrap().lines().count();
        assert!(lines <= 300, "{} has {lines} lines", file.display());
    }
}

#[test]
fn openapi_and_router_name_the_same_paths() {
    let document: serde_json::Value =
        serde_saphyr::from_str(silta::web::health::OPENAPI).expect("openapi.yaml is YAML");
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            described.insert(format!("{method} {path}"));
        }
    }
    let mut routed: BTreeSet<_> =
        silta::web::api::routes().map(|(path, method)| format!("{method} {path}")).collect();
    routed.extend(
        [
            "post /webhooks/mycashflow/{connection}/{token}",
            "post /webhooks/ogoship/{connection}",
            "get /livez",
            "get /readyz",
            "get /metrics",
            "get /openapi.yaml",
        ]
        .map(ToOwned::to_owned),
    );
    assert_eq!(described, routed);
    let codes =
        document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"].as_array().unwrap();
    let codes: Vec<_> = codes.iter().map(|code| code.as_str().unwrap()).collect();
    assert_eq!(codes, Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>());
}

#[test]
fn problem_codes_reasons_and_metrics_are_documented() {
    let problems = fs::read_to_string(root().join("docs/problems.md")).unwrap();
    let codes =
        Code::ALL.iter().map(|code| code.as_str()).chain(Reason::ALL.iter().map(|reason| reason.code()));
    for code in codes {
        assert!(problems.contains(&format!("\n### {code}\n")), "docs/problems.md has no heading {code}");
    }
    let telemetry = fs::read_to_string(root().join("docs/telemetry.md")).unwrap();
    for file in files("src", "rs") {
        let text = fs::read_to_string(file).unwrap();
        for (at, _) in text.match_indices("\"silta_") {
            let name: String = text[at + 1..].chars().take_while(|it| *it != '"').collect();
            let known = telemetry.contains(&format!("`{name}"))
                || ["silta_due", "silta_sync_requested"].contains(&name.as_str());
            assert!(known, "docs/telemetry.md has no row for {name}");
        }
    }
}

#[test]
fn each_guarantee_names_existing_tests() {
    let page = fs::read_to_string(root().join("docs/guarantees.md")).unwrap();
    let sources = files("tests", "rs").into_iter().chain(files("src", "rs"));
    let tests: String = sources.map(|file| fs::read_to_string(file).unwrap()).collect();
    let mut shown = 0;
    for line in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| guarantee")) {
        let (_, names) = line.trim_end_matches('|').trim().rsplit_once('|').unwrap();
        let names: Vec<_> = names.split('`').filter(|name| name.contains("::")).collect();
        assert!(!names.is_empty(), "nothing shows: {line}");
        for name in names {
            let (_, function) = name.rsplit_once("::").unwrap();
            assert!(tests.contains(&format!("fn {function}(")), "no test named {name}");
            shown += 1;
        }
    }
    assert!(shown >= 25, "{shown}");
}

#[test]
fn each_promise_names_an_existing_test() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let tests: String = files("tests", "rs").iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let promises: Vec<_> = readme
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- [")?.split_once(']'))
        .map(|(promise, _)| promise)
        .collect();
    assert!(promises.len() >= 8, "{promises:?}");
    for promise in promises {
        let name: String = promise
            .to_lowercase()
            .chars()
            .filter(|it| it.is_alphanumeric() || *it == ' ' || *it == '-')
            .map(|it| if it == ' ' || it == '-' { '_' } else { it })
            .collect();
        assert!(tests.contains(&format!("fn {name}(")), "no test named {name}");
    }
}

#[test]
fn modules_do_not_import_in_a_circle() {
    let room = |import: &String| import.split("::").next().unwrap_or_default().to_owned();
    let mut ways: BTreeMap<_, BTreeSet<_>> = imports_by_module()
        .into_iter()
        .map(|(from, named)| (from, named.iter().map(room).collect()))
        .collect();
    // Rooms from which nothing leads on are taken away, again and again: what stays goes in a circle.
    loop {
        let ends: Vec<_> =
            ways.iter().filter(|(_, to)| to.is_empty()).map(|(room, _)| room.clone()).collect();
        if ends.is_empty() {
            break;
        }
        for end in ends {
            ways.remove(&end);
            for to in ways.values_mut() {
                to.remove(&end);
            }
        }
    }
    let known: BTreeSet<_> = ways.keys().cloned().collect();
    for to in ways.values_mut() {
        to.retain(|room| known.contains(room));
    }
    ways.retain(|_, to| !to.is_empty());
    assert!(ways.is_empty(), "in a circle, or into one: {ways:?}");
}
