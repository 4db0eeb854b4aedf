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
    let (code, output, _) = run(&["orders", "erase", CONNECTION, &order]);
    assert!(code == Some(0) && output.starts_with("erased: the bodies of "), "{output}");

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
