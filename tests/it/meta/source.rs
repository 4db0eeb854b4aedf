//! Reads the source tree.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file with this extension below a directory.
pub fn files(directory: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(directory)];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
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

/// A source file and its module path, as `store::views::orders` for `src/store/views/orders.rs`.
pub struct SourceFile {
    pub path: PathBuf,
    pub module: String,
    pub text: String,
}

impl SourceFile {
    /// The top-level module of the file.
    pub fn top_module(&self) -> &str {
        self.module.split("::").next().unwrap_or_default()
    }

    /// The text before its unit tests.
    pub fn code(&self) -> &str {
        self.text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default()
    }

    pub fn is_mod_rs(&self) -> bool {
        self.path.ends_with("mod.rs")
    }
}

/// Every file of the library except `lib.rs` and `main.rs`.
pub fn library() -> Vec<SourceFile> {
    let source = root().join("src");
    let module = |path: &Path| {
        let path = path.strip_prefix(&source).unwrap().with_extension("");
        let parts: Vec<_> = path.iter().map(|part| part.to_str().unwrap()).collect();
        parts.join("::").trim_end_matches("::mod").to_owned()
    };
    let all = files("src", "rs").into_iter().map(|path| {
        let (module, text) = (module(&path), fs::read_to_string(&path).unwrap());
        SourceFile { path, module, text }
    });
    all.filter(|file| !["lib", "main"].contains(&file.module.as_str())).collect()
}

/// Every path after `crate::` in a text, with groups expanded: `crate::{a::b, c}` names `a::b` and `c`.
pub fn imports(text: &str, prefix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(prefix) {
        expand(&text[at + prefix.len()..], "", &mut found);
    }
    found
}

fn expand(text: &str, path: &str, found: &mut BTreeSet<String>) {
    let word: String = text.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect();
    let rest = &text[word.len()..];
    if let Some(group) = rest.strip_prefix('{').filter(|_| word.is_empty()) {
        return members(group).for_each(|member| expand(member, path, found));
    }
    if word.is_empty() {
        return; // after a trailing comma
    }
    let path = if path.is_empty() { word } else { format!("{path}::{word}") };
    match rest.strip_prefix("::") {
        Some(rest) => expand(rest, &path, found),
        None => drop(found.insert(path)),
    }
}

/// The members of a use group, up to its closing brace.
fn members(group: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut start, mut ends) = (0, 0, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                ends.push((start, at));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                ends.push((start, at));
                start = at + 1;
            }
            _ => {}
        }
    }
    ends.into_iter().map(|(start, end)| group[start..end].trim())
}

#[test]
fn import_scan_expands_groups() {
    let text = "use crate::{\n    a::{b, c::D},\n    e,\n};\nlet x = crate::f::g();";
    let seen: Vec<_> = imports(text, "crate::").into_iter().collect();
    assert_eq!(seen, ["a::b", "a::c::D", "e", "f::g"]);
}
