//! The commands of the runbook on backups, moves, upgrade and uninstall, run as they stand there.

use std::{path::Path, process::Command};

use silta::dev::sandbox::{OrderSpec, Sandbox};

use super::fake_postgres::write_program;
use crate::{
    harness::{
        Database,
        process::{BINARY, sandbox},
        wait_until,
    },
    meta::source::read,
};

/// Starts and stops `silta serve` as systemd does; a start is over once it answers.
const SYSTEMCTL: &str = r#"
case "$1" in
start)
    silta serve 2>> serve.log & echo $! > serve.pid
    until silta alive "http://$LISTEN"; do kill -0 "$(cat serve.pid)" || exit 1; sleep 0.1; done ;;
stop|disable)
    kill "$(cat serve.pid)"
    while kill -0 "$(cat serve.pid)" 2>/dev/null; do sleep 0.1; done ;;
esac
"#;

/// The blocks of commands from this heading on, without the indentation of lists.
fn blocks(page: &str, heading: &str) -> Vec<String> {
    let (_, rest) = page.split_once(heading).expect("the heading");
    let (mut found, mut current) = (Vec::new(), None);
    for line in rest.lines().map(str::trim) {
        match (line, &mut current) {
            ("```sh", None) => current = Some(String::new()),
            ("```", Some(_)) => found.extend(current.take()),
            (line, Some(block)) => {
                block.push_str(line);
                block.push('\n');
            }
            _ => {}
        }
    }
    found
}

struct Shell<'a> {
    folder: &'a Path,
    listen: String,
}

impl Shell<'_> {
    /// Runs a block of commands, each of which must succeed.
    fn run(&self, block: &str) -> String {
        let path = std::env::var("PATH").unwrap();
        let mut shell = Command::new("/bin/sh");
        shell.args(["-e", "-c", block]).current_dir(self.folder).env_remove("DATABASE_URL");
        shell.env("PATH", format!("{}:{path}", self.folder.join("bin").display()));
        shell.env("SILTA__HTTP__LISTEN", &self.listen).env("LISTEN", &self.listen);
        let log = self.folder.join("output.log");
        // A file, not a pipe: the service would keep a pipe open.
        let (output, errors) = (std::fs::File::create(&log).unwrap(), std::fs::File::options());
        let errors = { errors }.append(true).open(&log).unwrap();
        let status = shell.stdout(output).stderr(errors).status().unwrap();
        let text = std::fs::read_to_string(&log).unwrap();
        let served = std::fs::read_to_string(self.folder.join("serve.log")).unwrap_or_default();
        assert!(status.success(), "{block}\n{text}\n{served}");
        text
    }
}

fn secret(sandbox: &Sandbox, key: &str) -> String {
    let toml = sandbox.connection_toml("kauppa");
    let line = toml.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap().to_owned();
    line.split('"').nth(1).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_of_the_runbook_work_in_their_order() {
    let (sandbox, server) = (sandbox().await, Database::empty().await);
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let shell = Shell { folder: folder.path(), listen: format!("127.0.0.1:{port}") };
    let bin = folder.path().join("bin");
    write_program(&bin, "silta", &format!("exec {BINARY} \"$@\""));
    write_program(&bin, "systemctl", SYSTEMCTL);
    std::fs::create_dir(folder.path().join("secrets")).unwrap();
    std::fs::write(folder.path().join("secrets/shop-api-key"), secret(&sandbox, "api_key")).unwrap();
    std::fs::write(folder.path().join("secrets/ogoship-api-key"), "sandbox-ogokey\n").unwrap();
    shell.run(&format!(
        "silta init --name kauppa --public-url http://{} --shop-url {} --shop-user {} --shop-api-key-file \
         secrets/shop-api-key --warehouse-url {} --warehouse-api-key-file secrets/ogoship-api-key --sandbox",
        shell.listen,
        sandbox.shop_server.url(),
        secret(&sandbox, "user"),
        sandbox.warehouse_server.url(),
    ));
    shell.run("systemctl start silta\nsilta webhooks register kauppa");
    let order = sandbox.shop.place_order(OrderSpec::of("A", 1));
    shell.run(&format!("silta orders refresh kauppa {order}"));

    let commands = blocks(&read("docs/runbook.md"), "## Backup, restore, move, upgrade, uninstall");
    assert_eq!(commands.len(), 8, "{commands:#?}");
    let mut printed = String::new();
    for block in &commands {
        let block =
            block.replace("postgres://silta:PASSWORD@db.example.fi/silta", &server.url().replace('&', "\\&"));
        // Status 1 says that a difference needs an operator: the product is not at the warehouse yet.
        let tolerant = |line: &str| if line.starts_with("silta sync ") { " || test $? -eq 1" } else { "" };
        let lines: Vec<_> = block.lines().map(|line| format!("{line}{}", tolerant(line))).collect();
        let block = lines.join("\n");
        let is_last = block.contains("webhooks remove");
        if is_last {
            // What was there before every move is still there.
            let known = shell.run(&format!("silta orders explain kauppa {order}"));
            assert!(known.contains("An operator asked"), "{known}");
            assert!(!sandbox.shop.subscriptions().is_empty());
        }
        printed.push_str(&shell.run(&block));
    }
    for line in ["is backed up to silta.dump", "is restored from silta.dump", "the schema is up to date"] {
        assert!(printed.contains(line), "{line}: {printed}");
    }
    assert_eq!(sandbox.shop.subscriptions(), Vec::<[String; 3]>::new());
    wait_until("nothing of it is left but its backups", async || {
        let left = ["silta-data", "silta.toml", "secrets"];
        left.iter().all(|name| !folder.path().join(name).exists())
    })
    .await;
    let _ = Command::new("rm").arg("-r").arg(folder.path().join("silta-data.moved")).status();
}
