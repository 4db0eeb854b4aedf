//! Orders, catalogue and configuration from a shell.

use std::process::Command;

use silta::dev::sandbox::OrderSpec;

use crate::harness::{
    CONNECTION, Database,
    process::{BINARY, Process, config_file, run, sandbox},
    wait_until,
};

#[tokio::test(flavor = "multi_thread")]
async fn cli_explains_transfers_and_syncs_orders() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let config = config_file(&sandbox, "");
    let url = database.url();
    let run = |arguments: &[&str]| run(arguments, config.path(), &url);
    let (code, output, stderr) = run(&["sync", "orders", CONNECTION, "--dry-run"]);
    assert_eq!(code, Some(0), "{output}{stderr}");
    assert!(output.starts_with("zero differences at "), "{output}");

    sandbox.warehouse.receive_goods("A", 10);
    let order = sandbox.shop.place_order(OrderSpec::of("A", 1)).to_string();
    let (code, output, _) = run(&["sync", "orders", CONNECTION, "--json"]);
    let report: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!(
        (code, report["differences"][0]["difference"].as_str()),
        (Some(0), Some("missing_at_warehouse"))
    );
    let (code, output, _) = run(&["orders", "hold", CONNECTION, &order]);
    assert!(code == Some(0) && output.starts_with("requested: hold"), "{output}");

    let process = Process::start(config.path(), Some(&database.url()));
    wait_until("the order is held", async || {
        let (_, output, _) = run(&["orders", "explain", CONNECTION, &order]);
        output.contains("An operator put the order on hold.")
    })
    .await;
    let (code, _, _) = run(&["orders", "transfer", CONNECTION, &order]);
    assert_eq!(code, Some(0));
    wait_until("the order is sent", async || sandbox.warehouse.count(&format!("shop-{order}")) == 1).await;
    wait_until("the task is done", async || {
        run(&["orders", "list", "--json"]).1.contains("\"task_state\":\"done\"")
    })
    .await;
    let (_, call_log, _) = run(&["orders", "explain", CONNECTION, &order, "--call-log", "ogoship"]);
    assert!(call_log.contains("POST /api/v1/orders → 200") && !call_log.contains("Testikatu"), "{call_log}");

    let reference = format!("shop-{order}");
    sandbox.warehouse.ship_order(&reference);
    run(&["orders", "refresh", CONNECTION, &order]);
    let number: u64 = order.parse().unwrap();
    wait_until("the order is completed", async || sandbox.shop.order(number).unwrap().status == "COMPLETED")
        .await;
    sandbox.shop.add_shipment(number, &[("A", 1)]);
    run(&["orders", "refresh", CONNECTION, &order]);
    wait_until("the replacement is confirmed", async || {
        run(&["orders", "send-replacement", CONNECTION, &order]).0 == Some(0)
    })
    .await;
    wait_until("the replacement is sent", async || sandbox.warehouse.count(&format!("{reference}-R1")) == 1)
        .await;

    let (code, _, stderr) = run(&["orders", "transfer", CONNECTION, &order]);
    assert!(code == Some(1) && stderr.contains("already at the warehouse"), "{stderr}");
    // Refused while the replacement's task is open.
    wait_until("the order is erased", async || {
        let (code, output, _) = run(&["orders", "erase", CONNECTION, &order]);
        code == Some(0) && output.starts_with("erased: the bodies of ")
    })
    .await;

    let waiting = sandbox.shop.place_order(OrderSpec::of("C", 1)).to_string();
    let list = || run(&["orders", "list", "--waiting"]).1;
    wait_until("the order without goods is listed", async || list().contains(&waiting)).await;
    assert!(list().contains("1 × C") && !list().contains(&reference), "{}", list());
    assert!(process.terminate());
}

#[tokio::test(flavor = "multi_thread")]
async fn cli_syncs_approves_and_diagnoses_the_catalogue() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let config = config_file(&sandbox, "");
    let url = database.url();
    let run = |arguments: &[&str]| {
        let (code, output, stderr) = run(arguments, config.path(), &url);
        (code, output + &stderr)
    };
    for id in 1..=7 {
        let code = format!("A-{id}");
        sandbox.shop.add_product(id, &code, "Kahvi", 5);
        sandbox.warehouse.receive_goods(&code, 5);
    }
    sandbox.shop.add_product(8, "a-7", "Tee", 5);
    let (code, output) = run(&["sync", "products", CONNECTION]);
    assert_eq!(code, Some(1), "two codes are alike: {output}");
    assert!(output.contains("missing_at_warehouse (6): it is created at the warehouse"), "{output}");
    assert!(
        output.contains("held_back (2)") && output.contains("8 products compared: 0 the same, 6 fixing"),
        "{output}"
    );
    let (_, report) = run(&["sync", "orders", CONNECTION, "--json", "--since", "0109-01-01"]);
    assert!(report.contains("since must be from 2000-01-01 on"), "{report}");
    let (code, output) = run(&["doctor", CONNECTION]);
    assert_eq!(code, Some(1), "{output}");
    assert!(
        output.contains("ok   shop warehouse")
            && output.contains("FAIL shop codes        2 codes cannot be sent"),
        "{output}"
    );
    assert!(
        output
            .contains(r#""Tee" (product:8) has the code "a-7", which is also "A-7" of "Kahvi" (product:7)"#),
        "{output}"
    );
    assert!(output.contains(r#"FAIL shop shipping     no rule for "Lentokone""#), "{output}");

    assert!(
        output.contains("warn shop products     8 products lack what the warehouse asks for"),
        "{output}"
    );
    for id in 1..=7 {
        sandbox.warehouse.count_stock(&format!("A-{id}"), 0);
    }
    sandbox.shop.remove_product(8);
    let (code, output) = run(&["sync", "stock", CONNECTION]);
    assert!(code == Some(1) && output.contains("nothing was fixed: stock_braked"), "{output}");
    let (code, output) = run(&["sync", "stock", CONNECTION, "--approve"]);
    assert!(code == Some(0) && output.contains("7 fixing, 0 waiting"), "{output}");
    let process = Process::start(config.path(), Some(&database.url()));
    wait_until("what was approved is written", async || {
        (1..=7).all(|id| sandbox.shop.quantity(&format!("A-{id}")) == Some(0))
    })
    .await;
    wait_until("the catalogue is uploaded", async || sandbox.warehouse.codes().len() == 6).await;
    assert!(process.terminate());
}

#[test]
fn config_check_reports_all_faults_and_exits_1() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[http]\nlissten = 1\n[retry]\nbase = \"soon\"").unwrap();
    let output =
        Command::new(BINARY).args(["config", "check", "--config"]).arg(file.path()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("http.lissten") && stderr.contains("retry.base"), "{stderr}");
}

/// A vendor's words must not clear the screen, set a title or forge a line.
#[tokio::test(flavor = "multi_thread")]
async fn control_characters_of_others_are_escaped() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let config = config_file(&sandbox, "");
    let process = Process::start(config.path(), Some(&database.url()));
    let topic = "evil\u{1b}]0;title\u{7}\nforged\u{9b}2J\u{202e}";
    let body = serde_json::json!({ "topic": topic, "data": { "id": 1001 } }).to_string();
    let webhook = silta::dev::sandbox::Webhook::raw_from_shop(body.as_bytes());
    let sender = silta::dev::sandbox::WebhookSender::to(&process.url, CONNECTION);
    assert_eq!(sender.send(&webhook).await.unwrap().0, 200);
    assert!(process.terminate());
    let url = database.url();
    for arguments in [
        &["events", "list"] as &[&str],
        &["events", "list", "--json"],
        &["orders", "explain", CONNECTION, "1001"],
        &["orders", "explain", CONNECTION, "1001", "--call-log", "ogoship"],
    ] {
        let (_, output, stderr) = run(arguments, config.path(), &url);
        let hidden = |letter: char| letter != '\n' && letter.is_control() || letter == '\u{202e}';
        assert!(!(output.clone() + &stderr).contains(hidden), "{arguments:?}: {output:?} {stderr:?}");
        assert!(!output.contains("\nforged"), "{arguments:?}: {output:?}");
        assert_eq!(output.contains("evil"), arguments[0] == "events", "{arguments:?}: {output:?}");
    }
    let (_, output, _) = run(&["events", "list", "--json"], config.path(), &url);
    let row: serde_json::Value = serde_json::from_str(output.lines().next().unwrap()).unwrap();
    assert_eq!(row["topic"], topic, "JSON stays the same JSON");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_others_can_read_are_warned_of() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let config = config_file(&sandbox, "");
    let (_, output, _) = run(&["doctor", CONNECTION], config.path(), &database.url());
    assert!(output.contains("ok   silta secrets"), "{output}");
    std::fs::set_permissions(config.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let (_, output, _) = run(&["doctor", CONNECTION], config.path(), &database.url());
    let name = config.path().display();
    assert!(output.contains(&format!("every account of this machine can read {name}")), "{output}");
    let mut command = Command::new(BINARY);
    command.args(["serve", "--config"]).arg(config.path()).env("DATABASE_URL", database.url());
    let process = Process::of(command);
    process.wait_until_logged("every account of this machine can read this secret").await;
    assert!(process.terminate());
}

#[test]
fn init_writes_a_new_file_that_only_its_owner_reads() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    let folder = tempfile::tempdir().unwrap();
    let (config, other) = (folder.path().join("silta.toml"), folder.path().join("other"));
    let init = |arguments: &[&str]| {
        let mut command = Command::new(BINARY);
        command.args(["init", "--config"]).arg(&config).args(arguments);
        command.stdin(std::process::Stdio::null()).output().unwrap().status.success()
    };
    std::fs::write(&other, "mine").unwrap();
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o644)).unwrap();
    symlink(&other, &config).unwrap();
    assert!(!init(&[]), "a link is an existing file");
    assert!(init(&["--force"]));
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "mine", "no link is followed");
    let written = std::fs::symlink_metadata(&config).unwrap();
    assert_eq!((written.is_file(), written.mode() & 0o777), (true, 0o600));

    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o644)).unwrap();
    let reader = std::fs::File::open(&config).unwrap();
    assert!(init(&["--force"]));
    let written = std::fs::metadata(&config).unwrap();
    assert_eq!(written.mode() & 0o777, 0o600);
    assert_ne!(written.ino(), reader.metadata().unwrap().ino(), "an open file does not get the new secrets");
    std::fs::remove_file(&config).unwrap();
    assert!(init(&[]));
    let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let names: std::collections::BTreeSet<_> = names.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(
        names,
        ["other", "secrets", "silta.toml"].map(str::to_owned).into(),
        "nothing else is left over"
    );
}

#[test]
fn secrets_of_init_are_kept_out_of_images_and_commits() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for (file, names) in
        [(".gitignore", ["/silta.toml", "/secrets"]), (".dockerignore", ["/silta.toml", "**/secrets"])]
    {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        assert!(names.iter().all(|name| text.lines().any(|line| line == *name)), "{file}: {text}");
    }
    let unit = std::fs::read_to_string(root.join("deploy/systemd/silta.service")).unwrap();
    let compose = std::fs::read_to_string(root.join("deploy/compose.yaml")).unwrap();
    for name in ["shop-api-key", "ogoship-api-key"] {
        assert!(unit.contains(&format!("LoadCredential={name}:/etc/silta/secrets/{name}\n")), "{name}");
        assert!(compose.contains(&format!("target: /etc/silta/{name} }}")), "{name}");
    }
}
