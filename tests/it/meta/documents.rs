//! Documents match the code: links, facts, API, codes, metrics, dependencies.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use silta::{
    domain::task::reason::Reason,
    web::{api, health, problem::Code},
};

use crate::meta::source::{files, library, read, root};

/// Every Markdown document of the repository.
fn documents() -> Vec<PathBuf> {
    let top =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root().join(name));
    files("docs", "md").into_iter().chain(top).collect()
}

/// The targets of a text's Markdown links.
fn link_targets(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("](").filter_map(|(at, _)| text[at + 2..].split(')').next())
}

/// The files of the repository that a text names in backticks.
fn named_files(text: &str) -> impl Iterator<Item = &str> {
    let folders = ["src/", "tests/", "docs/", "deploy/", "migrations/", "scripts/", "bench/", "fuzz/"];
    let names = text.split('`').skip(1).step_by(2);
    names.filter(move |name| {
        folders.iter().any(|folder| name.starts_with(folder))
            && !name.contains(['<', '*', '{', ' ', ':', '…', '\n'])
    })
}

#[test]
fn every_document_link_resolves() {
    let mut broken = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let folder = document.parent().unwrap_or(Path::new(""));
        let links = link_targets(&text).filter(|link| !link.starts_with("http") && !link.starts_with('#'));
        let targets = links.map(|link| folder.join(link.split('#').next().unwrap()));
        let missing =
            targets.chain(named_files(&text).map(|name| root().join(name))).filter(|path| !path.exists());
        broken.extend(missing.map(|path| format!("{}: {}", document.display(), path.display())));
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn contract_has_every_cited_fact() {
    let page = read("docs/contract.md");
    let mut citing = BTreeSet::new();
    for file in files("src", "rs").into_iter().chain(files("docs/decisions", "md")) {
        let text = fs::read_to_string(&file).unwrap();
        for (at, citation) in text.match_indices("docs/contract.md ") {
            let place: String = text[at + citation.len()..]
                .chars()
                .take_while(|it| it.is_ascii_alphanumeric() || "§.".contains(*it))
                .collect();
            let place = place.trim_end_matches('.');
            let is_known = page.contains(&format!("### {place} ")) || page.contains(&format!("| {place} |"));
            assert!(is_known, "{} cites {place:?}, which docs/contract.md lacks", file.display());
            citing.insert(file.strip_prefix(root()).unwrap().to_owned());
        }
    }
    // The scan sees citations at all: both clients rest on the contract.
    for client in ["src/vendors/mycashflow/wire.rs", "src/vendors/ogoship/wire.rs"] {
        assert!(citing.contains(Path::new(client)), "{client} cites nothing");
    }
}

#[test]
fn contract_names_existing_settings() {
    let page = read("docs/contract.md");
    let defaults: toml::Table = read("deploy/silta.toml").parse().unwrap();
    let defaults = &defaults["connections"][0];
    let unknowns: Vec<_> = page.lines().filter(|line| line.starts_with("| U")).collect();
    assert!(unknowns.iter().any(|row| row.starts_with("| U1 ")), "no table of unknowns");
    for row in unknowns {
        let settings = row.trim_end_matches(" |").rsplit_once(" | ").unwrap().1;
        for setting in settings.split(", ").filter_map(|it| it.split('`').nth(1)) {
            let found = setting.split('.').try_fold(defaults, |at, key| at.get(key));
            assert!(found.is_some(), "{setting} is not a setting: {row}");
        }
    }
}

#[test]
fn openapi_and_router_name_the_same_paths() {
    let document: serde_json::Value = serde_saphyr::from_str(health::OPENAPI).expect("openapi.yaml is YAML");
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            described.insert(format!("{method} {path}"));
        }
    }
    let mut routed: BTreeSet<_> = api::routes().map(|(path, method)| format!("{method} {path}")).collect();
    routed.extend(
        [
            "post /webhooks/mycashflow/{connection}/{token}",
            "post /webhooks/ogoship/{connection}/{token}",
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
fn every_problem_and_reason_code_has_a_heading() {
    let page = read("docs/problems.md");
    let codes =
        Code::ALL.iter().map(|code| code.as_str()).chain(Reason::ALL.iter().map(|reason| reason.code()));
    for code in codes {
        assert!(page.contains(&format!("\n### {code}\n")), "docs/problems.md has no heading {code}");
    }
}

/// Names in code that start like a metric and are channels of PostgreSQL's NOTIFY.
const CHANNELS: [&str; 2] = [silta::store::DUE_CHANNEL, silta::store::SYNC_REQUESTED_CHANNEL];

#[test]
fn every_metric_is_documented() {
    let page = read("docs/telemetry.md");
    let mut documented = 0;
    for file in library() {
        for (at, _) in file.text.match_indices("\"silta_") {
            let name: String = file.text[at + 1..].chars().take_while(|it| *it != '"').collect();
            if !CHANNELS.contains(&name.as_str()) {
                assert!(page.contains(&format!("`{name}`")), "docs/telemetry.md has no row for {name}");
                documented += 1;
            }
        }
    }
    assert_ne!(documented, 0, "the scan finds no metric");
}

/// The values of a key anywhere in a document.
fn values_of<'a>(document: &'a serde_json::Value, key: &str, found: &mut Vec<&'a str>) {
    match document {
        serde_json::Value::Object(members) => {
            found.extend(members.get(key).and_then(|value| value.as_str()));
            members.values().for_each(|value| values_of(value, key, found));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|value| values_of(value, key, found)),
        _ => {}
    }
}

#[test]
fn alert_rules_and_grafana_use_existing_metrics() {
    let telemetry = read("docs/telemetry.md");
    for file in ["deploy/prometheus/alerts.yaml", "deploy/grafana/silta.json"] {
        let document: serde_json::Value =
            serde_saphyr::from_str(&read(file)).expect("YAML, or JSON, which is YAML");
        let mut queries = Vec::new();
        values_of(&document, "expr", &mut queries);
        assert!(!queries.is_empty(), "{file} has no query");
        for query in queries {
            let names = query.match_indices("silta_").map(|(at, _)| {
                query[at..].chars().take_while(|it| it.is_ascii_lowercase() || *it == '_').collect::<String>()
            });
            let names: Vec<_> = names.collect();
            // `up` is Prometheus' own: the process cannot report that it is gone.
            assert!(
                !names.is_empty() || query.contains("up{job="),
                "{file}: {query} uses no metric of Silta"
            );
            for name in names {
                let stem = name.trim_end_matches("_total").trim_end_matches("_bucket");
                assert!(telemetry.contains(&format!("`{stem}")), "{file} uses {name}");
            }
        }
    }
}

#[test]
fn each_dependency_has_its_reason() {
    let (manifest, page) = (read("Cargo.toml"), read("docs/dependencies.md"));
    let mut section = "";
    let mut crates: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for line in manifest.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if section.ends_with("dependencies")
            && let Some((name, _)) = line.split_once(" = ")
            && !name.starts_with(['#', ' '])
        {
            crates.entry(section).or_default().push(name);
        }
    }
    assert_eq!(crates.keys().copied().collect::<Vec<_>>(), ["dependencies", "dev-dependencies"]);
    for name in crates.into_values().flatten() {
        assert!(page.contains(&format!("`{name}`")), "docs/dependencies.md does not say why {name} is used");
    }
}
