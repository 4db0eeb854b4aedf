//! Where auth_throttle' bytes come in, as functions of bytes alone: the fuzzer (`make fuzz`, targets in `fuzz/`) feeds them
//! what it invents, and the tests below feed them every seed, whole, cut off and with single bytes changed.
//!
//! Each says what must hold for any input whatever, besides that nothing panics.

use axum::http::Uri;
use serde_json::Value;

use crate::{
    app::config::{Config, Environment},
    domain::event::{routing::route, subject::Subject},
    security::signature::{Encoding, SignatureScheme, sign},
    vendors::{json_outline::outline, mycashflow, ogoship},
    web::api,
};

const SECRET: &str = "083c584d-ae65-11ec-aef4-0242ac130002";

/// The first line is the signature's header, the rest is the body. Only the true signature is believed.
pub fn signature(data: &[u8]) {
    let split = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (given, body) = (&data[..split], data.get(split + 1..).unwrap_or_default());
    let Ok(given) = std::str::from_utf8(given) else { return };
    let scheme = SignatureScheme {
        header: "X-Signature".to_owned(),
        encoding: Encoding::Either,
        secrets: vec!["another".to_owned(), SECRET.to_owned()],
    };
    if scheme.verify(body, given).is_some() {
        let digest = given.trim().trim_start_matches("sha256=");
        let digest = digest.trim_end_matches('=');
        let expected = scheme.secrets.iter().flat_map(|secret| {
            use base64::Engine;
            let mac = sign(secret, body);
            [hex::encode(&mac), base64::engine::general_purpose::STANDARD_NO_PAD.encode(&mac)]
        });
        let is_true = expected.into_iter().any(|it| it.eq_ignore_ascii_case(digest));
        assert!(is_true, "{given:?} was accepted");
    }
}

/// A webhook's body, as either vendor would send it. Its outline says what the whole of it says; what it puts in question
/// has a name that can be stored, and read back as itself.
pub fn webhook(data: &[u8]) {
    let whole = serde_json::from_slice::<Value>(data).ok();
    let Some(outline) = outline(data) else { return assert_eq!(whole, None) };
    let read = |body: &Value| {
        [
            mycashflow::webhook::read(body, None),
            mycashflow::webhook::read(body, Some("order.updated")),
            ogoship::webhook::read(body),
        ]
    };
    let from_outline = read(&outline);
    assert!(
        whole.is_none_or(|whole| read(&whole) == from_outline),
        "the outline differs from the whole body"
    );
    for webhook in from_outline {
        if let Some(subject) = route(&webhook.entity, "shop-") {
            let name = subject.to_string();
            assert!(!name.contains('\0') && name.len() < 300, "{name:?}");
            assert_eq!(name.parse::<Subject>().ok(), Some(subject));
        }
    }
}

/// A vendor's answer, read as everything that it may be an answer to.
pub fn answer(data: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(data) else { return };
    macro_rules! reads {
        ($($kind:ty),+ $(,)?) => { $(drop(serde_json::from_value::<$kind>(body.clone()));)+ };
    }
    reads!(
        mycashflow::wire::List,
        mycashflow::wire::One<mycashflow::wire::Order>,
        mycashflow::wire::Order,
        mycashflow::wire::Product,
        mycashflow::wire::StockItem,
        mycashflow::wire::Method,
        ogoship::wire::Token,
        ogoship::wire::Callback,
    );
    if let Ok(wire) = serde_json::from_value::<ogoship::wire::Order>(body.clone()) {
        drop(ogoship::translate::order_version(&wire));
        let reference = wire.reference.clone();
        if let Some(order) = ogoship::translate::warehouse_order(wire) {
            assert_eq!(Some(order.reference), reference);
        }
    }
    if let Ok(wire) = serde_json::from_value::<ogoship::wire::Stock>(body.clone()) {
        drop((ogoship::translate::stock_version(&wire), ogoship::translate::stock(&wire)));
    }
    if let Ok(wire) = serde_json::from_value::<ogoship::wire::Product>(body) {
        drop(ogoship::translate::product(wire));
    }
}

/// A configuration file: good, or every fault told with its key and a remedy.
pub fn configuration(data: &[u8]) {
    let Ok(file) = std::str::from_utf8(data) else { return };
    if let Err(errors) = Config::load(file, &Environment::new()) {
        assert!(!errors.is_empty());
        assert!(errors.iter().all(|error| !error.problem.is_empty()), "{errors:?}");
    }
}

/// A list's query: refused, or a page within its bounds.
pub fn cursor(data: &[u8]) {
    let Ok(query) = std::str::from_utf8(data) else { return };
    let Ok(uri) = format!("/admin/v1/tasks?{query}").parse::<Uri>() else { return };
    for limit in api::parse_limits(&uri).into_iter().flatten() {
        assert!((1..=200).contains(&limit), "{limit}");
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    type Target = (&'static str, fn(&[u8]));

    const TARGETS: [Target; 5] = [
        ("signature", super::signature),
        ("webhook", super::webhook),
        ("answer", super::answer),
        ("configuration", super::configuration),
        ("cursor", super::cursor),
    ];

    fn seeds(target: &str) -> Vec<Vec<u8>> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
        let files = fs::read_dir(directory).expect("seeds are kept").map(|file| file.expect("a seed").path());
        files.map(|file| fs::read(file).expect("a seed")).collect()
    }

    #[test]
    fn every_seed_holds_whole_cut_off_and_with_single_bytes_changed() {
        for (name, target) in TARGETS {
            let seeds = seeds(name);
            assert!(seeds.len() >= 3, "{name} has {} seeds", seeds.len());
            for seed in seeds {
                target(&seed);
                let step = seed.len() / 200 + 1;
                for at in (0..seed.len()).step_by(step) {
                    target(&seed[..at]);
                    for change in [0x01, 0x20, 0x80, 0xff] {
                        let mut changed = seed.clone();
                        changed[at] ^= change;
                        target(&changed);
                    }
                }
            }
        }
    }

    #[test]
    fn every_target_is_one_that_the_fuzzer_runs() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("a manifest");
        for (name, _) in TARGETS {
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
            let text = fs::read_to_string(root.join(format!("targets/{name}.rs"))).expect("a target");
            assert!(text.contains(&format!("silta::fuzz::{name}")), "{name}");
        }
    }
}
