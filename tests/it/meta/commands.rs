//! Every command of Silta that a document names is one that the program knows.

use clap::{CommandFactory, Parser, error::ErrorKind};
use silta::cli::Silta;

use super::source::{files, root};

/// A command that a document names.
struct Named {
    place: String,
    line: String,
    /// True within a block of commands: it must be whole. In a sentence its arguments may be left out.
    is_whole: bool,
}

fn named_commands() -> Vec<Named> {
    let documents =
        files("docs", "md").into_iter().chain(["README.md", "CONTRIBUTING.md"].map(|name| root().join(name)));
    let mut found = Vec::new();
    for document in documents {
        let text = std::fs::read_to_string(&document).unwrap();
        let mut block = None; // true within one of commands
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            let place = format!("{}:{}", document.strip_prefix(root()).unwrap().display(), at + 1);
            if line.starts_with("```") {
                block = if block.is_some() { None } else { Some(line == "```sh") };
            } else if block == Some(true) && line.starts_with("silta ") {
                let line = line.split('#').next().unwrap().trim().trim_end_matches(" &").to_owned();
                found.push(Named { place, line, is_whole: true });
            } else if block.is_none() {
                let inline = line.split('`').skip(1).step_by(2).filter(|it| it.starts_with("silta "));
                found.extend(inline.map(|it| Named {
                    place: place.clone(),
                    line: it.to_owned(),
                    is_whole: false,
                }));
            }
        }
    }
    found
}

/// The words of a command, with a value in the place of each placeholder.
fn words(line: &str) -> Vec<String> {
    let value = |word: &str| match word {
        "WHAT" => "orders".to_owned(),
        "ID" | "TASK" => "0190b0a0-0000-7000-8000-000000000000".to_owned(),
        "VENDOR" => "ogoship".to_owned(),
        word => word.trim_matches(['[', ']', '"', '\'']).to_owned(),
    };
    line.split(' ').filter(|word| !word.is_empty() && !word.contains('…')).map(value).collect()
}

/// The several commands that `silta webhooks list|remove` names.
fn alternatives(line: &str) -> Vec<String> {
    let Some((at, word)) = line.split(' ').enumerate().find(|(_, word)| word.contains('|')) else {
        return vec![line.to_owned()];
    };
    let replaced = |one: &str| {
        let words = line.split(' ').enumerate().map(|(it, old)| if it == at { one } else { old });
        words.collect::<Vec<_>>().join(" ")
    };
    word.split('|').map(replaced).collect()
}

/// What is wrong with a command; `None` where the program knows it.
fn problem(line: &str, is_whole: bool) -> Option<String> {
    let error = Silta::try_parse_from(words(line)).err()?;
    let is_cut_short = matches!(
        error.kind(),
        ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    (is_whole || !is_cut_short).then(|| error.to_string())
}

#[test]
fn every_command_in_the_documents_is_known() {
    let commands = named_commands();
    assert!(commands.iter().filter(|it| it.is_whole).count() > 15, "the scan finds the blocks");
    assert!(commands.iter().filter(|it| !it.is_whole).count() > 30, "the scan finds the sentences");
    let mut unknown = Vec::new();
    for Named { place, line, is_whole } in &commands {
        for line in alternatives(line) {
            unknown.extend(problem(&line, *is_whole).map(|problem| format!("{place}: {line}: {problem}")));
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

#[test]
fn unknown_commands_and_options_are_seen() {
    for line in
        ["silta bakup silta.dump", "silta backup --gzip f", "silta sync WAT kauppa", "silta tasks replay 7"]
    {
        assert!(problem(line, false).is_some(), "{line}");
    }
    assert!(problem("silta backup", true).is_some() && problem("silta backup", false).is_none());
    assert_eq!(
        alternatives("silta webhooks list|remove X"),
        ["silta webhooks list X", "silta webhooks remove X"]
    );
    assert!(Silta::command().find_subcommand("backup").is_some());
}
