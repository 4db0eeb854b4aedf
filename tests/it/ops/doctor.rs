//! `silta doctor`: it stops behind the root cause, and each failure has its own remedy.

use std::process::Command;

use axum::{
    Json, Router,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde_json::{Value, json};
use silta::dev::sandbox::{Fault, Sandbox};
use sqlx::{Connection, Executor, PgConnection};

use crate::harness::{
    Database,
    http::serve,
    process::{BINARY, Process, config_file, run, sandbox},
    wait_until,
};

/// A sandbox with a configuration, and what a change of it makes of the doctor's answers.
struct Ward {
    sandbox: Sandbox,
    database: std::sync::Arc<Database>,
    text: String,
}

impl Ward {
    async fn new() -> Self {
        let sandbox = sandbox().await;
        let config = config_file(&sandbox, "");
        let text = std::fs::read_to_string(config.path()).unwrap();
        // Every method of the sandbox's shop has a rule.
        let text =
            text.replace("[connections.shipping]\n", "[connections.shipping]\n\"Lentokone\" = \"Courier\"\n");
        Self { sandbox, database: Database::fresh().await, text }
    }

    /// The checks by name, with these changes of the configuration and these variables.
    fn diagnose(&self, changes: &[(&str, &str)], variables: &[(&str, &str)]) -> Diagnosis {
        let mut text = self.text.clone();
        for (old, new) in changes {
            assert!(text.contains(old), "{old}");
            text = text.replacen(old, new, 1);
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let mut command = Command::new(BINARY);
        command.args(["doctor", "--json", "--config"]).arg(file.path());
        command.env("DATABASE_URL", self.database.url()).envs(variables.iter().copied());
        let output = command.output().unwrap();
        let checks = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        Diagnosis { checks, status: output.status.code() }
    }
}

struct Diagnosis {
    checks: Vec<Value>,
    status: Option<i32>,
}

impl Diagnosis {
    /// Result, finding and remedy of a check.
    fn check(&self, name: &str) -> [&str; 3] {
        let check = self.checks.iter().find(|check| check["check"] == name).unwrap();
        ["result", "found", "remedy"].map(|key| check[key].as_str().unwrap())
    }

    fn of_result(&self, result: &str) -> Vec<&str> {
        let checks = self.checks.iter().filter(|check| check["result"] == result);
        checks.map(|check| check["check"].as_str().unwrap()).collect()
    }
}

/// Names the public URL, so that it is no failure.
const NO_PUBLIC_URL: &str = "public_url";

/// An API key in the place of OAuth, whose token would be asked for first.
const KEY: (&str, &str) = ("merchant_id = ", "api_key = \"sandbox-ogokey\"\nmerchant_id = ");

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_key_is_one_failure() {
    let ward = Ward::new().await;
    let good = ward.diagnose(&[], &[]);
    assert_eq!(good.of_result("not_checked"), ["webhooks"], "without a public URL: {:#?}", good.checks);
    let [_, found, _] = good.check("shop");
    assert!(found.starts_with("127.0.0.1:") && found.contains("answers as api@sandbox.example"), "{found}");
    let [_, found, _] = good.check("warehouse");
    assert!(found.contains("answers as merchant sandbox-merchant"), "{found}");

    let shop = ward.diagnose(&[("api_key = \"sandbox-api-key\"", "api_key = \"wrong\"")], &[]);
    assert_eq!(shop.status, Some(1));
    assert_eq!(shop.of_result("failed"), [NO_PUBLIC_URL, "shop"], "{:#?}", shop.checks);
    assert_eq!(
        shop.of_result("not_checked"),
        ["orders_api", "shipping", "webhooks", "codes", "products"],
        "{:#?}",
        shop.checks
    );
    let [_, found, remedy] = shop.check("shop");
    assert!(
        found.contains("answered 401") && remedy.contains("mycashflow.api_key the key of that user"),
        "{found} {remedy}"
    );
    let [_, found, _] = shop.check("codes");
    assert_eq!(found, "not checked: the check of the shop failed");

    // A token that was granted before would still be good.
    let ward = Ward::new().await;
    let warehouse =
        ward.diagnose(&[("secret_token = \"sandbox-secret-token\"", "secret_token = \"wrong\"")], &[]);
    assert_eq!(warehouse.of_result("failed"), [NO_PUBLIC_URL, "warehouse"], "{:#?}", warehouse.checks);
    assert_eq!(warehouse.of_result("not_checked"), ["webhooks", "codes", "products"]);
    let [_, _, remedy] = warehouse.check("warehouse");
    assert!(remedy.contains("merchant_id, secret_token, client_id and client_secret"), "{remedy}");
    let [_, found, _] = warehouse.check("webhooks");
    assert_eq!(found, "not checked: the check of the warehouse failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_of_a_vendor_has_its_remedy() {
    let table = [
        (
            Fault::Status(403),
            "answered 403",
            ["give the shop's API user the rights", "ask OGOship for the rights"],
        ),
        (
            Fault::Status(404),
            "answered 404",
            ["mycashflow.url must be the shop's own", "ogoship.url must be"],
        ),
        (Fault::Status(302), "answered 302", ["set mycashflow.url to", "set ogoship.url to"]),
        (Fault::TooMany(1), "answered 429", ["lower mycashflow.requests", "lower ogoship.requests"]),
        (
            Fault::Page(200),
            "with a web page",
            ["maintenance, or mycashflow.url", "maintenance, or ogoship.url"],
        ),
        (Fault::Status(500), "answered 500", ["the fault is at MyCashflow", "the fault is at OGOship"]),
        (Fault::Hang, "gives no answer in time", ["a firewall that drops", "a firewall that drops"]),
        (Fault::DropBefore, "cannot be reached", ["try again; if it lasts", "try again; if it lasts"]),
    ];
    for (fault, seen, remedies) in table {
        for (name, word) in ["shop", "warehouse"].into_iter().zip(remedies) {
            // A database of its own each time: a 429 asks for silence, for all who share one.
            let ward = Ward::new().await;
            let Sandbox { shop_server, warehouse_server, .. } = &ward.sandbox;
            let server = if name == "shop" { shop_server } else { warehouse_server };
            server.faults.set_everywhere(Some(fault));
            let diagnosis = ward.diagnose(&[KEY], &[]);
            let [result, found, remedy] = diagnosis.check(name);
            assert_eq!(result, "failed", "{fault:?} {name}: {found}");
            assert!(found.contains(seen), "{fault:?} {name}: {found}");
            assert!(remedy.contains(word), "{fault:?} {name}: {remedy}");
            assert_eq!(
                diagnosis.of_result("failed"),
                [NO_PUBLIC_URL, name],
                "{fault:?}: {:#?}",
                diagnosis.checks
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_of_not_reaching_a_vendor_has_its_remedy() {
    let ward = Ward::new().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (shop, warehouse) = (ward.sandbox.shop_server.url(), ward.sandbox.warehouse_server.url());
    let table = [
        (format!("http://{closed}"), "nothing listens at 127.0.0.1", "check host and port of the URL"),
        (
            "http://vendor.invalid".to_owned(),
            "vendor.invalid is a name that nobody knows",
            "check the spelling of",
        ),
        (shop.replace("http://", "https://"), "fails: the answer is not TLS", "ca-certificates"),
    ];
    for (url, seen, word) in table {
        let places =
            [("shop", format!("\nurl = \"{shop}\"")), ("warehouse", format!("\nurl = \"{warehouse}\""))];
        for (name, old) in places {
            let new = old.replace(&shop, &url).replace(&warehouse, &url);
            let diagnosis = ward.diagnose(&[(&old, &new), KEY], &[]);
            let [result, found, remedy] = diagnosis.check(name);
            assert_eq!(result, "failed", "{url} {name}: {found}");
            assert!(found.contains(seen) && remedy.contains(word), "{url} {name}: {found} {remedy}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_version_of_the_order_endpoints_and_missing_rules_are_named() {
    let ward = Ward::new().await;
    let start = ward.text.find("[connections.shipping]").unwrap();
    let rules = ward.text[start..].split("\n[").next().unwrap().to_owned();
    let changes = [
        ("user = \"api@sandbox.example\"", "user = \"api@sandbox.example\"\norders_api = \"v1\""),
        (rules.as_str(), "[connections.shipping]\n"),
    ];
    let diagnosis = ward.diagnose(&changes, &[]);
    let [result, found, remedy] = diagnosis.check("orders_api");
    assert_eq!((result, remedy), ("failed", "set mycashflow.orders_api = \"v0\""), "{found}");
    let [result, found, _] = diagnosis.check("shipping");
    assert_eq!(result, "warning");
    assert!(
        found.starts_with("no rule at all: orders go without a shipping code. The shop has \""),
        "{found}"
    );
}

/// A server that answers everything with this.
async fn server_of(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> (String, impl Drop) {
    serve(Router::new().fallback(move || async move { answer })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn public_url_is_asked_for_a_signature_through_the_network() {
    let ward = Ward::new().await;
    let config = config_file(&ward.sandbox, "");
    let process = Process::start(config.path(), Some(&ward.database.url()));
    let elsewhere = Database::fresh().await;
    let other = Process::start(config.path(), Some(&elsewhere.url()));
    let answer = json!({ "status": "alive", "version": "0.1.0", "signature": "forged" });
    let (forger, _forger) = server_of(Json(answer)).await;
    let (redirecting, _redirecting) =
        server_of((StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, "https://silta.example.fi/")])).await;
    let (proxy, _proxy) = server_of(StatusCode::BAD_GATEWAY).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let shop = ward.sandbox.shop_server.url();
    let another = "leads to another Silta, which works on another database";
    let table = [
        (process.url.clone(), "good", "leads to this Silta", ""),
        (format!("{}/", process.url), "good", "leads to this Silta", ""),
        (other.url.clone(), "failed", another, "lead the name to this machine"),
        (forger, "failed", another, "lead the name to this machine"),
        (shop.clone(), "failed", "another server answers at http://127.0.0.1", "lead the name or the proxy"),
        (redirecting, "failed", "leads to https://silta.example.fi/", "follow no redirects"),
        (proxy, "failed", "the proxy at http://127.0.0.1", "start silta serve"),
        (format!("http://{closed}"), "failed", "nothing listens at 127.0.0.1, port", "start silta serve"),
        (
            format!("http://{}", silent.local_addr().unwrap()),
            "failed",
            "gives no answer in time",
            "a firewall drops what comes in",
        ),
        (
            "http://silta.invalid".to_owned(),
            "failed",
            "silta.invalid is a name that nobody knows",
            "create the name's record",
        ),
        (
            shop.replace("http://", "https://"),
            "failed",
            "TLS with 127.0.0.1 fails",
            "a certificate that is valid for 127.0.0.1",
        ),
        ("nowhere".to_owned(), "failed", "nowhere is no URL", "give http.public_url as"),
        (String::new(), "failed", "is not set", "set http.public_url"),
    ];
    for (url, result, seen, word) in table {
        let diagnosis = ward.diagnose(&[], &[("SILTA__HTTP__PUBLIC_URL", &url)]);
        let [found_result, found, remedy] = diagnosis.check("public_url");
        assert_eq!(found_result, result, "{url}: {found}");
        assert!(found.contains(seen) && remedy.contains(word), "{url}: {found} {remedy}");
    }
    assert!(process.terminate() && other.terminate());
}

/// Where private addresses are not allowed, one of this machine is refused unasked. No vendor of this configuration exists.
#[tokio::test(flavor = "multi_thread")]
async fn public_url_of_this_machine_is_no_address_for_vendors() {
    let ward = Ward::new().await;
    let (shop, warehouse) = (ward.sandbox.shop_server.url(), ward.sandbox.warehouse_server.url());
    let changes = [
        ("dangerously_allow_private = true\n", ""),
        (shop.as_str(), "https://shop.invalid"),
        (warehouse.as_str(), "https://warehouse.invalid"),
        (warehouse.as_str(), "https://warehouse.invalid"),
    ];
    for url in ["http://127.0.0.1:8080", "https://localhost", "https://10.0.0.7"] {
        let diagnosis = ward.diagnose(&changes, &[("SILTA__HTTP__PUBLIC_URL", url)]);
        let [result, found, _] = diagnosis.check("public_url");
        assert_eq!(result, "failed");
        assert!(found.contains("is an address of this machine or of a private network"), "{url}: {found}");
        assert_eq!(diagnosis.of_result("failed"), ["public_url", "shop", "warehouse"]);
        let [_, found, _] = diagnosis.check("clock");
        assert_eq!(found, "not checked: no vendor answers");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_runs_beside_a_process_with_a_private_database() {
    let sandbox = sandbox().await;
    let folder = tempfile::tempdir().unwrap();
    let data = format!("[database]\ndata_dir = {:?}\n", folder.path().join("data"));
    let config = config_file(&sandbox, &data);
    let process = Process::start(config.path(), Some(""));
    for _ in 0..3 {
        let (_, output, stderr) = run(&["doctor"], config.path(), "");
        assert!(output.contains("ok   silta database     the private database answers"), "{output}{stderr}");
        assert!(output.contains("ok   shop codes        every product code is unique"), "{output}{stderr}");
    }
    assert!(process.terminate());
}

/// The catalogue is read once at a time. The doctor waits for who is reading it, and reads what that has found.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_reads_what_another_process_reads() {
    let ward = Ward::new().await;
    let mut db = PgConnection::connect(&ward.database.url()).await.unwrap();
    db.execute(
        "insert into connection (name, created_at) values ('shop', now());
         insert into sync (id, connection, what, dry_run, actor, state, since, created_at, claim_id, leased_until,
                           started_at, reading)
         values (gen_random_uuid(), 'shop', 'products', false, 'another process', 'running', now(), now(),
                 gen_random_uuid(), now() + interval '1 hour', now(), 1)",
    )
    .await
    .unwrap();
    let ward = std::sync::Arc::new(ward);
    let diagnosed = ward.clone();
    let doctor = tokio::task::spawn_blocking(move || diagnosed.diagnose(&[], &[]));
    let mut looks = std::collections::BTreeSet::new();
    wait_until("the doctor looks at the sync of another process again and again", async || {
        let sql = "select query_start::text from pg_stat_activity
                   where datname = current_database() and pid <> pg_backend_pid() and query like '%from sync%lateral%'";
        looks.extend(sqlx::query_scalar::<_, String>(sql).fetch_all(&mut db).await.unwrap());
        looks.len() >= 5
    })
    .await;
    db.execute("update sync set state = 'done', finished_at = now(), claim_id = null, leased_until = null")
        .await
        .unwrap();
    let diagnosis = doctor.await.unwrap();
    let [result, found, _] = diagnosis.check("codes");
    assert_eq!((result, found), ("good", "every product code is unique and usable"));
    let syncs: i64 = sqlx::query_scalar("select count(*) from sync").fetch_one(&mut db).await.unwrap();
    assert_eq!(syncs, 1, "the catalogue was read once");
}
