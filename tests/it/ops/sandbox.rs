//! The sandbox as a program: `silta sandbox` calls what `silta webhooks register` has registered there, and
//! `silta webhooks detect` says what it waits for and what it saw.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use reqwest::Method;
use sqlx::PgPool;

use crate::harness::{
    Api, Database,
    process::{BINARY, Process, run},
    wait_until,
};

/// `silta sandbox` as a process of its own.
struct SandboxProcess {
    child: Child,
    shop: String,
    warehouse: String,
}

impl SandboxProcess {
    fn start(shop: &str, warehouse: &str, more: &[&str]) -> Self {
        let mut command = Command::new(BINARY);
        command.args(["sandbox", "--every", "100ms", "--shop", shop, "--warehouse", warehouse]).args(more);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |name: &str| {
            let line = lines.next().expect("it prints where it listens").unwrap();
            let words: Vec<_> = line.split_whitespace().collect();
            assert_eq!(words[0], name, "{line}");
            words[1].trim_start_matches("http://").to_owned()
        };
        let (shop, warehouse) = (address("shop"), address("warehouse"));
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, shop, warehouse }
    }
}

impl Drop for SandboxProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const ANY: &str = "127.0.0.1:0";

/// deploy/sandbox.toml with the addresses of these processes, and the address that it registers.
fn configuration(sandbox: &SandboxProcess) -> (tempfile::NamedTempFile, String) {
    let free = std::net::TcpListener::bind(ANY).unwrap().local_addr().unwrap();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/sandbox.toml")).unwrap();
    let text = text
        .replace("127.0.0.1:8091", &sandbox.shop)
        .replace("127.0.0.1:8092", &sandbox.warehouse)
        .replace("127.0.0.1:8080", &free.to_string())
        .replace("[http]\n", &format!("[http]\nlisten = \"{free}\"\n"));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    (file, free.to_string())
}

async fn number(pool: &PgPool, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

/// How many webhooks were signed with keys of subscriptions that are registered now.
const USES_OF_REGISTERED: &str = "select coalesce(sum(uses), 0)::bigint from key_usage
    where exists (select from subscription where removed_at is null
                  and subscription.key_id = key_usage.key_id
                  and subscription.source || '_webhook' = key_usage.purpose)";
const VENDORS_OF_REGISTERED: &str = "select count(distinct purpose) from key_usage
    where uses > 0 and exists (select from subscription where removed_at is null
                  and subscription.key_id = key_usage.key_id
                  and subscription.source || '_webhook' = key_usage.purpose)";

#[tokio::test(flavor = "multi_thread")]
async fn sandbox_calls_what_was_registered_with_the_key_of_each() {
    let sandbox = SandboxProcess::start(ANY, ANY, &[]);
    let database = Database::fresh().await;
    let (config, _) = configuration(&sandbox);
    let (url, pool) = (database.url(), database.pool());
    let run = |arguments: &[&str]| {
        let (code, output, stderr) = run(arguments, config.path(), &url);
        assert_eq!(code, Some(0), "{arguments:?}: {output}{stderr}");
        output
    };
    let process = Process::start(config.path(), Some(&url));
    let registered = run(&["webhooks", "register", "sandbox"]);
    assert!(registered.contains("registered at mycashflow: order.created, key "), "{registered}");
    wait_until("both vendors sign with what was registered", async || {
        number(&pool, VENDORS_OF_REGISTERED).await == 2
    })
    .await;

    run(&["webhooks", "register", "sandbox", "--rotate"]);
    let older = "select id::text from subscription where removed_at is null order by created_at, id limit 3";
    let older: Vec<String> = sqlx::query_scalar(older).fetch_all(&pool).await.unwrap();
    for id in &older {
        run(&["webhooks", "remove", "sandbox", id]);
    }
    wait_until("both vendors sign with the new keys", async || {
        number(&pool, VENDORS_OF_REGISTERED).await == 2
    })
    .await;
    let rejected = "select coalesce(sum(count), 0)::bigint from rejected_webhook";
    assert_eq!(number(&pool, rejected).await, 0, "no webhook is refused meanwhile");
    let accepted = run(&["webhooks", "detect", "sandbox", "--source", "ogoship", "--wait", "50s"]);
    assert!(
        accepted.contains("accepted for sandbox (") && accepted.contains("nothing to detect"),
        "{accepted}"
    );

    // The vendors forget every subscription. The watch finds that at the next start, and registers them again.
    assert!(process.terminate());
    let (shop, warehouse) = (sandbox.shop.clone(), sandbox.warehouse.clone());
    drop(sandbox);
    let _sandbox = SandboxProcess::start(&shop, &warehouse, &[]);
    let process = Process::start(config.path(), Some(&url));
    let restored = "select count(*) from subscription where removed_at is null and created_by = 'watch'";
    wait_until("the subscriptions are restored", async || number(&pool, restored).await == 3).await;
    let before = number(&pool, USES_OF_REGISTERED).await;
    wait_until("they are used", async || number(&pool, USES_OF_REGISTERED).await > before).await;
    assert!(process.terminate());
}

/// Starts `silta webhooks detect` for the shop's webhooks.
fn start_detection(config: &Path, url: &str, wait: &str) -> Child {
    let mut command = Command::new(BINARY);
    command.args(["webhooks", "detect", "sandbox", "--wait", wait, "--config"]).arg(config);
    command.env("DATABASE_URL", url).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

async fn end_of(detection: Child) -> (Option<i32>, String) {
    let ended = tokio::task::spawn_blocking(move || detection.wait_with_output());
    let Output { status, stdout, stderr } = ended.await.unwrap().unwrap();
    let text = [stdout, stderr].concat();
    (status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn detection_says_what_it_waits_for_and_finds_how_the_shop_signs() {
    let sandbox = SandboxProcess::start(ANY, ANY, &["--shop-header", "X-Other", "--shop-base64"]);
    let database = Database::fresh().await;
    let (config, listen) = configuration(&sandbox);
    let url = database.url();
    let process = Process::start(config.path(), Some(&url));
    let (code, output, stderr) = run(&["webhooks", "register", "sandbox"], config.path(), &url);
    assert_eq!(code, Some(0), "{output}{stderr}");
    let (code, output) = end_of(start_detection(config.path(), &url, "50s")).await;
    assert_eq!(code, Some(0), "{output}");
    for part in [
        "waiting 50s for a webhook of mycashflow to sandbox",
        &format!("address  http://{listen}/webhooks/mycashflow/sandbox/…"),
        "header   X-MyCashflow-Signature",
        "header = \"x-other\"",
        "encoding = \"base64\"",
    ] {
        assert!(output.contains(part), "{part} in {output}");
    }
    assert!(!output.contains("sandbox-token-4f1d"), "the token is a secret: {output}");
    assert!(process.terminate());
}

#[tokio::test(flavor = "multi_thread")]
async fn detection_tells_of_a_wrong_token_with_the_connection() {
    let sandbox = SandboxProcess::start(ANY, ANY, &[]);
    let database = Database::fresh().await;
    let (config, listen) = configuration(&sandbox);
    let (url, pool) = (database.url(), database.pool());
    let process = Process::start(config.path(), Some(&url));
    let detection = start_detection(config.path(), &url, "6s");
    let asked = "select count(*) from signature_detection";
    wait_until("it is asked for", async || number(&pool, asked).await == 1).await;
    let api = Api::new(&format!("http://{listen}"));
    let wrong = api.request(Method::POST, "/webhooks/mycashflow/sandbox/another-token");
    let answer = wrong.body("{}").send().await.unwrap();
    assert_eq!(answer.status(), 404);
    let (code, output) = end_of(detection).await;
    assert_eq!(code, Some(1), "{output}");
    assert!(
        output.contains("a webhook of mycashflow for sandbox came with a wrong token in its path"),
        "{output}"
    );
    let (code, output) = end_of(start_detection(config.path(), &url, "1s")).await;
    assert_eq!(code, Some(1));
    assert!(output.contains("no webhook came: is silta serve reached at http://"), "{output}");
    assert!(process.terminate());
}
