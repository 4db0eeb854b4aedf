//! The papers say what is: links lead somewhere, outside facts have their place, threats have their tests, the mapping has
//! every field, and what watches us watches metrics that there are.

use std::{collections::BTreeSet, fs, path::Path};

use crate::architecture::{files, root};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The targets of a text's Markdown links.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("](").filter_map(|(at, _)| text[at + 2..].split(')').next())
}

#[test]
fn every_reference_in_the_docs_resolves() {
    let mut papers = files("docs", "md");
    papers.extend(
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root().join(name)),
    );
    let mut broken = Vec::new();
    for paper in papers {
        let text = fs::read_to_string(&paper).unwrap();
        for link in links(&text).filter(|link| !link.starts_with("http") && !link.starts_with('#')) {
            let target = link.split('#').next().unwrap();
            if !paper.parent().unwrap_or(Path::new("")).join(target).exists() {
                broken.push(format!("{}: {link}", paper.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn contract_has_every_cited_fact_and_real_settings() {
    let page = read("docs/contract.md");
    let mut cited = 0;
    for file in files("src", "rs").into_iter().chain(files("docs/decisions", "md")) {
        let text = fs::read_to_string(&file).unwrap();
        for (at, citation) in text.match_indices("docs/contract.md ") {
            let place: String = text[at + citation.len()..]
                .chars()
                .take_while(|it| it.is_ascii_alphanumeric() || "§.".contains(*it))
                .collect();
            let place = place.trim_end_matches('.');
            let known = page.contains(&format!("### {place} ")) || page.contains(&format!("| {place} |"));
            assert!(known, "{} cites {place:?}, which docs/contract.md does not have", file.display());
            cited += 1;
        }
    }
    assert!(cited > 30, "{cited}");

    let defaults: toml::Table = read("deploy/silta.toml").parse().unwrap();
    let defaults = &defaults["connections"][0];
    for row in page.lines().filter(|line| line.starts_with("| U")) {
        let settings = row.trim_end_matches(" |").rsplit_once(" | ").unwrap().1;
        for setting in settings.split(", ").filter_map(|it| it.split('`').nth(1)) {
            let found = setting.split('.').try_fold(defaults, |at, key| at.get(key));
            assert!(found.is_some(), "{setting} is no setting: {row}");
        }
    }
}

#[test]
fn each_threat_names_an_existing_test() {
    let page = read("docs/threats.md");
    let mut shown = 0;
    for line in page.lines().filter(|line| line.starts_with("| ") && line.contains("](")) {
        let (name, file) = line.rsplit_once('[').unwrap().1.split_once("](").unwrap();
        let file = root().join("docs").join(file.split(')').next().unwrap());
        let function: String = name
            .to_lowercase()
            .replace([' ', '-'], "_")
            .chars()
            .filter(|it| it.is_alphanumeric() || *it == '_')
            .collect();
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(&format!("fn {function}(")), "{} has no test {function}", file.display());
        shown += 1;
    }
    assert!(shown >= 18, "{shown}");
}

/// The fields of a struct of a wire, as they are spelt there.
fn fields(text: &str, name: &str) -> BTreeSet<String> {
    let start = text.find(&format!("pub struct {name}")).unwrap_or_else(|| panic!("no struct {name}"));
    let body = &text[start..start + text[start..].find("\n}").unwrap()];
    let fields = body.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(": "));
    fields.map(|(field, _)| field.trim_start_matches("r#").to_owned()).collect()
}

fn camel(field: &str) -> String {
    let mut parts = field.split('_');
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |word, part| word + &part[..1].to_uppercase() + &part[1..])
}

/// The words in code of one column of the tables below a heading, up to the next heading.
fn column(page: &str, heading: &str, column: usize) -> String {
    let rest = &page[page.find(heading).unwrap_or_else(|| panic!("no {heading}")) + heading.len()..];
    let part = rest.split("\n#").next().unwrap();
    let rows = part.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|line| line.split('|').nth(column).unwrap().to_owned() + "\n").collect()
}

#[test]
fn mapping_names_every_written_and_only_read_fields() {
    let page = read("docs/mapping.md");
    let warehouse = read("src/vendors/ogoship/wire.rs");
    let tables = [
        ("## An order: shop to warehouse", vec!["NewOrder"]),
        ("### Its customer", vec!["Customer"]),
        ("### Its lines", vec!["OrderLine"]),
        ("### Cash on delivery, and documents", vec!["CashOnDelivery", "Document"]),
        ("## A product: shop to warehouse", vec!["NewProduct"]),
    ];
    let shop = read("src/vendors/mycashflow/wire.rs");
    let structs = [
        "Order",
        "Address",
        "Line",
        "Shipment",
        "Payment",
        "Product",
        "Variation",
        "StockItem",
        "ImageLink",
        "Method",
    ];
    let readable: BTreeSet<_> = structs.iter().flat_map(|name| fields(&shop, name)).collect();
    for (heading, structs) in tables {
        let written = column(&page, heading, 2);
        let told: BTreeSet<_> =
            written.lines().map(|cell| cell.trim().trim_matches('`').to_owned()).collect();
        let sent: BTreeSet<_> =
            structs.iter().flat_map(|name| fields(&warehouse, name)).map(|field| camel(&field)).collect();
        assert_eq!(told, sent, "{heading}");
        let settings = ["orders.", "products."];
        let read = column(&page, heading, 1);
        let words = read.split('`').skip(1).step_by(2);
        for word in words.filter(|word| !settings.iter().any(|it| word.starts_with(it))) {
            for field in word.split(['.', '[', ']']).filter(|part| !part.is_empty()) {
                assert!(readable.contains(field), "{heading}: {word} is not read");
            }
        }
    }
}

#[test]
fn alert_rules_and_grafana_use_existing_metrics() {
    let telemetry = read("docs/telemetry.md");
    for file in ["deploy/prometheus/alerts.yaml", "deploy/grafana/silta.json"] {
        let text = read(file);
        let mut asked = 0;
        for (at, _) in text.match_indices("silta_") {
            let name: String =
                text[at..].chars().take_while(|it| it.is_ascii_lowercase() || *it == '_').collect();
            let stem = name.trim_end_matches("_total").trim_end_matches("_bucket");
            assert!(telemetry.contains(&format!("`{stem}")), "{file} asks for {name}");
            asked += 1;
        }
        assert!(asked > 8, "{file}");
    }
}

#[test]
fn each_dependency_has_its_reason() {
    let (manifest, page) = (read("Cargo.toml"), read("docs/dependencies.md"));
    let mut section = "";
    let mut crates = 0;
    for line in manifest.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if section.ends_with("dependencies")
            && let Some((name, _)) = line.split_once(" = ")
            && !name.starts_with(['#', ' '])
        {
            assert!(
                page.contains(&format!("`{name}`")),
                "docs/dependencies.md does not say why {name} is here"
            );
            crates += 1;
        }
    }
    assert!(crates > 40, "{crates}");
}
