//! docs/mapping.md names every field that is written and only fields that are read.

use std::collections::BTreeSet;

use crate::meta::source::read;

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
        let documented: BTreeSet<_> =
            written.lines().map(|cell| cell.trim().trim_matches('`').to_owned()).collect();
        let sent: BTreeSet<_> =
            structs.iter().flat_map(|name| fields(&warehouse, name)).map(|field| camel(&field)).collect();
        assert_eq!(documented, sent, "{heading}");
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
