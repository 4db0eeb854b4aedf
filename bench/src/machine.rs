//! The machine on which the figures were measured; without it they mean nothing.

use std::process::Command;

use serde_json::{Map, Value, json};

/// The machine, the server and the day.
pub fn facts() -> Map<String, Value> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: String, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
        line.trim_start_matches([' ', '\t', ':']).to_owned()
    };
    let said = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output();
        output.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned()).unwrap_or_default()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let facts = json!({
        "date": chrono::Utc::now().format("%Y-%m-%d").to_string(),
        "processor": field(read("/proc/cpuinfo"), "model name"),
        "cores": cores,
        "memory": field(read("/proc/meminfo"), "MemTotal"),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "pgbench": said(&crate::pgbench::program().to_string_lossy(), "--version"),
        "compiler": said("rustc", "--version"),
        "settings": crate::setup::SETTINGS.join(", "),
    });
    facts.as_object().cloned().unwrap_or_default()
}
