//! Runs the fuzz targets with their seeds, so that `make test` covers what `make fuzz` has found.

use std::{fs, path::Path};

#[path = "../../../fuzz/src/lib.rs"]
mod targets;

type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 5] = [
    ("signature", targets::signature),
    ("webhook", targets::webhook),
    ("answer", targets::answer),
    ("configuration", targets::configuration),
    ("cursor", targets::cursor),
];

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    files.map(|file| fs::read(file).unwrap()).collect()
}

#[test]
fn every_seed_passes_whole_cut_off_and_with_changed_bytes() {
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
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        let text = fs::read_to_string(root.join(format!("targets/{name}.rs"))).unwrap();
        assert!(text.contains(&format!("silta_fuzz::{name}")), "{name}");
    }
}
