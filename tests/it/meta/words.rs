//! The replaced words: each thing has one name, and the words of the first version are gone from identifiers, comments,
//! pages, documents and migrations.

use std::fs;

use super::source::{files, root};

/// The name of a thing, and the words that it replaced. `*` at the end matches any ending; `_` stands for itself, so a
/// word is also found inside an identifier.
const REPLACED: &[(&str, &[&str])] = &[
    ("vendor", &["far side", "both systems", "opposite system", "system_failed", "system_down"]),
    ("event", &["telling", "tellings", "arrivals"]),
    ("inbox", &["porch*"]),
    ("outbox", &["hall", "debt", "debts"]),
    ("worker", &["workshop"]),
    ("task", &["deliveries", "delivery_id", "delivery_state", "the delivery", "a delivery", "its delivery"]),
    ("revision", &["news"]),
    ("priority", &["urgency", "urgencies", "lane", "lanes"]),
    ("flow", &["trade", "trades"]),
    ("action", &["deed", "deeds"]),
    ("attempt", &["diary"]),
    ("claim", &["still_ours"]),
    ("observation", &["learnt"]),
    ("call log", &["evidence", "witness*"]),
    ("fix", &["mend", "mends", "mended", "mending"]),
    ("cancel", &["call off", "calls off", "called off"]),
    ("poll", &["sweep*", "swept"]),
    ("sync", &["two-sided ledger"]),
    ("dry run", &["rehears*", "hands tied"]),
    ("circuit breaker", &["held_until", "held_reason", "connection_held", "standing"]),
    ("rate limiter", &["budget", "budgets", "taught", "teach", "teaches"]),
    ("group commit", &["gather*"]),
    ("listener, heartbeat, watermark", &["ear", "pulse", "floor", "floors"]),
    ("auth throttle", &["stranger", "strangers"]),
    ("key usage, secret store", &["tally", "tallies", "vault", "vaults"]),
    ("signature detection", &["lesson", "lessons", "webhooks learn"]),
    ("notification", &["told", "notices"]),
    ("order rate", &["rhythm", "rhythms"]),
    ("release", &["give back", "gives back", "given back", "gave back"]),
    ("grace period", &["patience", "patient", "patiently"]),
    ("chaos run, failpoint", &["silta prove", "proof", "proofs", "killpoint*", "kill point*", "props"]),
    ("needs attention", &["needs a person", "needs_a_person"]),
    ("reject", &["turn away", "turned away", "turns away"]),
    ("redact", &["blanked", "blanks"]),
    ("module, endpoint", &["door", "doors", "room", "rooms"]),
    ("plain English", &["whoever", "whomever", "nobody listens", "the house's"]),
];

/// Files that name the replaced words on purpose.
const EXEMPT: [&str; 3] =
    ["tests/it/meta/words.rs", "docs/glossary.md", "docs/decisions/0010-one-directory-per-stage.md"];

/// Names of others that have a replaced word in them.
const FOREIGN: [&str; 2] = ["PodDisruptionBudget", "max_parallel_workers_per_gather"];

/// Whether a lower-case text has this word. A letter beside it makes it another word; `_` and digits do not.
fn has_word(text: &str, word: &str) -> bool {
    let (stem, is_open) = word.strip_suffix('*').map_or((word, false), |stem| (stem, true));
    text.match_indices(stem).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + stem.len()..].chars().next();
        let is_start = !before.is_some_and(char::is_alphabetic);
        is_start && (is_open || !after.is_some_and(char::is_alphabetic))
    })
}

/// `OpenDebt` as `open_debt`, so that the words of a type's name are found.
fn snake(text: &str) -> String {
    let mut found = String::new();
    let mut is_after_small = false;
    for letter in text.chars() {
        if letter.is_uppercase() && is_after_small {
            found.push('_');
        }
        is_after_small = letter.is_lowercase();
        found.extend(letter.to_lowercase());
    }
    found
}

/// The replaced words of a line, each with the word to use.
fn replaced_words(line: &str) -> Vec<(&'static str, &'static str)> {
    let line = FOREIGN.iter().fold(line.to_owned(), |line, name| line.replace(name, ""));
    let line = snake(&line);
    let words = REPLACED.iter().flat_map(|(name, words)| words.iter().map(move |word| (*word, *name)));
    words.filter(|(word, _)| has_word(&line, word)).collect()
}

#[test]
fn no_replaced_word_is_left() {
    let folders = ["src", "tests", "migrations", "docs", "deploy", "bench", "fuzz", "scripts"];
    let kinds = ["rs", "sql", "md", "toml", "yaml", "css", "js", "sh", "py", "env", "service", "example"];
    let in_folders = folders.iter().flat_map(|folder| kinds.iter().flat_map(|kind| files(folder, kind)));
    let top = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "openapi.yaml",
        "Makefile",
        "Cargo.toml",
    ];
    let mut found = Vec::new();
    let deployed = files("deploy", "json").into_iter().chain(files("deploy", "conf"));
    for path in in_folders.chain(deployed).chain(top.map(|name| root().join(name))) {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        if EXEMPT.iter().any(|exempt| name.starts_with(exempt))
            || name.contains("/target/")
            || name.ends_with(".min.js")
        {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for (at, line) in text.lines().enumerate() {
            let words = replaced_words(line).into_iter();
            found.extend(words.map(|(word, say)| format!("{name}:{}: {word:?}, say {say}", at + 1)));
        }
    }
    assert!(found.is_empty(), "{} replaced words:\n{}", found.len(), found.join("\n"));
}

#[test]
fn word_scan_sees_identifiers_and_prose() {
    let seen = |line: &str| replaced_words(line).into_iter().map(|(word, _)| word).collect::<Vec<_>>();
    assert_eq!(seen("let open_debts = SweepState::default();"), ["debts", "sweep*"]);
    assert_eq!(seen("// The news of it, Whoever brings it"), ["news", "whoever"]);
    assert_eq!(seen("a clear year, a newsletter, rooming, the mender"), Vec::<&str>::new());
}
