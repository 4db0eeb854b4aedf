//! The real binary as a process.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use silta::{
    dev::sandbox::Sandbox,
    runtime::clock::{Clock, Entropy, SystemClock},
};

use crate::harness::{TestOptions, configuration, wait_until};

pub const BINARY: &str = env!("CARGO_BIN_EXE_silta");

/// `silta serve` as a process of its own.
pub struct Process {
    child: Child,
    pub url: String,
    output: Arc<Mutex<Vec<String>>>,
}

impl Process {
    pub fn start(config: &Path, database_url: Option<&str>) -> Self {
        let mut command = Command::new(BINARY);
        command.arg("serve").arg("--config").arg(config);
        match database_url {
            Some(url) => command.env("DATABASE_URL", url),
            None => command.env_remove("DATABASE_URL"),
        };
        Self::of(command)
    }

    pub fn of(mut command: Command) -> Self {
        command.stderr(Stdio::piped()).env("SILTA__LOG__FORMAT", "json");
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut output = Vec::new();
        let url = loop {
            let line = lines.next().unwrap_or_else(|| panic!("silta ended: {output:#?}")).unwrap();
            let json: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if json["fields"]["message"] == "serving" {
                break format!("http://{}", json["fields"]["address"].as_str().unwrap());
            }
            output.push(line);
        };
        let output = Arc::new(Mutex::new(output));
        let lines_kept = output.clone();
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| lines_kept.lock().unwrap().push(line));
        });
        Self { child, url, output }
    }

    /// `silta serve` with so much memory to write to, in MiB.
    pub fn with_memory(config: &Path, database_url: &str, mebibytes: usize) -> Self {
        let mut command = Command::new("/bin/sh");
        let script = format!("ulimit -d {} && exec \"$@\"", mebibytes << 10);
        command.args(["-c", &script, "silta", BINARY, "serve", "--config"]).arg(config);
        command.env("DATABASE_URL", database_url);
        Self::of(command)
    }

    /// The most memory that it has had at once, in MiB.
    pub fn peak_memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it is alive");
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() >> 10
    }

    /// Waits until the log has a line with this text, then clears the collected lines.
    pub async fn wait_for_log(&self, words: &str) {
        wait_until(words, async || self.output.lock().unwrap().iter().any(|line| line.contains(words))).await;
        self.output.lock().unwrap().clear();
    }

    /// Waits until the log has a line with this text.
    pub async fn wait_until_logged(&self, words: &str) {
        wait_until(words, async || self.count_logged(words) > 0).await;
    }

    /// How many collected lines have this text.
    pub fn count_logged(&self, words: &str) -> usize {
        self.output.lock().unwrap().iter().filter(|line| line.contains(words)).count()
    }

    /// Sends SIGHUP and waits until the log names this key as changed.
    pub async fn reload(&self, key: &str) {
        self.send_signal("HUP");
        self.wait_for_log(key).await;
    }

    pub fn send_signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success());
    }

    pub fn kill(self) {
        drop(self); // SIGKILL
    }

    /// Sends SIGTERM; returns whether the process exited with 0.
    pub fn terminate(mut self) -> bool {
        self.send_signal("TERM");
        let status = self.child.wait().unwrap();
        if !status.success() {
            eprintln!("{status}: {:#?}", self.output.lock().unwrap()); // shown where the test fails for it
        }
        status.success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub async fn sandbox() -> Sandbox {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let any = "127.0.0.1:0".parse().unwrap();
    Sandbox::start(any, any, clock, Arc::new(Entropy::seeded(5))).await.unwrap()
}

/// Runs a command of the program; returns its status, stdout and stderr.
pub fn run(arguments: &[&str], config: &Path, database: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(BINARY);
    command.args(arguments).arg("--config").arg(config).env("DATABASE_URL", database);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

const FAST_OPTIONS: TestOptions = TestOptions {
    service: "[http]\nlisten = \"127.0.0.1:0\"\n[worker]\nlease = \"3s\"\n",
    connection: "[connections.polls]\norders = \"1s\"\nstatuses = \"1s\"\nstock = \"1s\"\nproducts = \"1s\"\n",
};

pub fn config_file(sandbox: &Sandbox, more: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let quick = configuration(sandbox, &FAST_OPTIONS)
        .replace("[retry]", "[retry]\nbase = \"100ms\"\nrecheck_delay = \"500ms\"\ncap = \"1s\"");
    std::fs::write(
        file.path(),
        format!(
            "{more}\n{}",
            quick.replace("attempts = 6", "attempts = 60").replace("timeout = \"3s\"", "timeout = \"1s\"")
        ),
    )
    .unwrap();
    file
}
