//! The closed sets of `openapi.yaml` are those of the code.

use std::collections::BTreeSet;

use silta::{
    domain::{
        alert::AlertKind, event::source::Source, event::subject::SubjectKind, order::OrderStatus,
        product::Remark, switch::Switch, sync::Step, sync::SyncKind, task::action::ActionKind,
        task::action::ActionState, task::reason::Reason, task::state::TaskState, vendor::Vendor,
    },
    inbox::poll::poller::PolledList,
    security::detection::Hint,
    store::views::item_lists::ItemList,
    store::views::orders::OrderSort,
    web::{health, problem::Code},
};
use strum::VariantArray;

fn spelled<T: VariantArray + Copy + Into<&'static str>>() -> Vec<String> {
    T::VARIANTS.iter().map(|&value| value.into().to_owned()).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

/// Every enum of the document by its schema or parameter and its field, with the code's values. Those that are spelt here
/// have no enum in Rust.
fn expected() -> Vec<(&'static str, Vec<String>)> {
    let codes = [Reason::CodeEmpty, Reason::CodeTooLong, Reason::CodeDots, Reason::CodeRepeated];
    vec![
        ("orderCallLog.vendor", spelled::<Vendor>()),
        ("listOrders.sort", spelled::<OrderSort>()),
        ("listSyncs.what", spelled::<SyncKind>()),
        ("listItems.show", spelled::<ItemList>()),
        ("parameters.kind", spelled::<SubjectKind>()),
        ("parameters.source", words(Source::NAMES)),
        ("Problem.code", spelled::<Code>()),
        ("TaskState.TaskState", spelled::<TaskState>()),
        ("Resolution.as", words(&["done", "pending"])),
        ("ReplaysRequest.state", spelled::<TaskState>()),
        ("ReplaysRequest.kind", spelled::<SubjectKind>()),
        ("AttentionCause.kind", spelled::<SubjectKind>()),
        ("Releasable.kind", spelled::<SubjectKind>()),
        ("AttentionCause.state", words(&["dead", "in_doubt", "on_hold"])),
        ("Connection.health", words(&["ok", "braked", "circuit_open", "writes_held_back", "paused"])),
        ("Key.purpose", words(&["mycashflow_webhook", "ogoship_webhook", "admin_token"])),
        ("RejectedWebhook.source", spelled::<Vendor>()),
        ("RejectedWebhook.hint", spelled::<Hint>()),
        ("Subscription.source", spelled::<Vendor>()),
        ("Alert.kind", spelled::<AlertKind>()),
        ("Poll.what", spelled::<PolledList>()),
        ("OrderStatus.enum", spelled::<OrderStatus>()),
        ("Switch.enum", spelled::<Switch>()),
        ("OrderItem.kind", words(&["event", "intent", "attempt"])),
        ("Action.kind", spelled::<ActionKind>()),
        ("Action.state", spelled::<ActionState>()),
        ("Call.sent", words(&["no", "maybe", "yes"])),
        ("SyncRequest.what", spelled::<SyncKind>()),
        ("Sync.state", words(&["running", "done", "failed", "cancelled"])),
        ("Sync.step", spelled::<Step>()),
        ("Remark.enum", spelled::<Remark>()),
        ("CodeProblem.reason", codes.map(|code| code.code().to_owned()).to_vec()),
    ]
}

/// The last name before a value, as `kind` in `kind: { type: string, enum: […] }`.
fn field_before(text: &str) -> &str {
    let mut names = text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    let known =
        ["type", "string", "schema", "in", "query", "path", "required", "true", "null", "array", "items"];
    names.rfind(|name| !name.is_empty() && !known.contains(name)).unwrap_or("enum")
}

/// Every enum of the document: its schema, operation or group of parameters, its field, its values.
fn found() -> Vec<(String, Vec<String>)> {
    let (mut scope, mut section, mut found) = (String::new(), String::new(), Vec::new());
    for line in health::OPENAPI.lines() {
        let indent = line.len() - line.trim_start().len();
        let name = line.trim().split(':').next().unwrap_or_default();
        match (indent, name) {
            (2, name) => name.clone_into(&mut section),
            (4, name) if section == "schemas" => name.clone_into(&mut scope),
            (_, "operationId") => line.trim().split(": ").nth(1).unwrap_or_default().clone_into(&mut scope),
            _ => {}
        }
        for (at, found_here) in line.match_indices("enum: [") {
            let values = line[at + found_here.len()..].split(']').next().unwrap_or_default();
            let values = values.split(", ").map(|value| value.trim_matches('"').to_owned()).collect();
            let scope = if section == "parameters" { "parameters" } else { &scope };
            found.push((format!("{scope}.{}", field_before(&line[..at])), values));
        }
    }
    found
}

#[test]
fn every_enum_of_the_api_document_equals_the_codes() {
    let (found, expected) = (found(), expected());
    assert!(found.len() >= 25, "{found:#?}");
    for (name, values) in &found {
        let row = expected.iter().find(|(expected, _)| expected == name);
        let (_, of_code) = row.unwrap_or_else(|| panic!("openapi.yaml has {name}, which has no row here"));
        let (document, code) = (values.iter().collect::<BTreeSet<_>>(), of_code.iter().collect());
        assert_eq!(document, code, "{name}: left openapi.yaml, right the code");
    }
    let named: BTreeSet<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    let gone: Vec<_> =
        expected.iter().filter(|(name, _)| !named.contains(name)).map(|(name, _)| name).collect();
    assert_eq!(gone, Vec::<&&str>::new(), "rows whose enum openapi.yaml no longer has");
}
