//! A store is connected from an empty folder with the commands of the README's section "Configure", in their order.

use std::process::Stdio;

use silta::dev::sandbox::OrderSpec;

use super::shell::{Shell, sandbox_value};
use crate::harness::{
    Database, answer,
    process::{Process, sandbox},
    wait_until,
};

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "a walk, step by step")]
async fn store_is_connected_by_following_the_readme() {
    let (sandbox, database) = (sandbox().await, Database::empty().await);
    let folder = tempfile::tempdir().unwrap();
    let shell = Shell::with_database(folder.path(), database.url());
    let listen = shell.listen.clone();
    let readme = include_str!("../../../README.md");
    for line in [
        "silta init",
        "silta config check",
        "silta doctor kauppa",
        "silta serve",
        "silta webhooks register kauppa",
        "silta webhooks detect kauppa",
    ] {
        assert!(readme.contains(&format!("\n{line} ")), "the README lacks {line}");
    }

    let (shop, warehouse) = (sandbox.shop_server.url(), sandbox.warehouse_server.url());
    let user = sandbox_value(&sandbox, "user");
    let output = shell.run_ok(&format!(
        "silta init --name kauppa --public-url http://{listen} --shop-url {shop} --shop-user {user} --shop-api-key-file \
         secrets/shop-api-key --warehouse-url {warehouse} --warehouse-api-key-file secrets/ogoship-api-key --sandbox"
    ).replace("         ", ""));
    assert!(output.contains("silta webhooks register kauppa"), "{output}");
    let secrets = folder.path().join("secrets"); // made by init
    std::fs::write(secrets.join("shop-api-key"), sandbox_value(&sandbox, "api_key")).unwrap();
    std::fs::write(secrets.join("ogoship-api-key"), "sandbox-ogokey\n").unwrap();
    let (status, output) = shell.run("silta init");
    assert!(status == 1 && output.contains("--force"), "a second init would overwrite the secrets: {output}");
    shell.run_ok("silta config check");

    let (status, output) = shell.run("silta doctor kauppa");
    assert_eq!(status, 1, "{output}");
    assert!(
        output.contains("FAIL kauppa webhooks") && output.contains("silta webhooks register"),
        "{output}"
    );

    let process = Process::of(shell.command("silta serve"));
    shell.run_ok("silta webhooks register kauppa");
    let output = shell.run_ok("silta doctor kauppa");
    assert!(output.contains("the order endpoints of v0 answer") && !output.contains("FAIL"), "{output}");

    // The shop signs with the UUID of its subscription, which is in no configuration file.
    let order = sandbox.shop.place_order(OrderSpec::of("A", 1));
    let body = serde_json::json!({ "topic": "order.created", "data": { "id": order } }).to_string();
    let [uuid, _, url] = sandbox.shop.subscriptions()[0].clone();
    let signature = hex::encode(silta::security::signature::sign(&uuid, body.as_bytes()));
    let send = async |header: &str| {
        let request = reqwest::Client::new().post(&url).header(header, &signature).body(body.clone());
        answer(request).await.status
    };
    assert_eq!(send("X-MyCashflow-Signature").await, 200);
    wait_until("the order waits for an operator", async || {
        let pool = database.pool();
        let reason: Option<String> =
            sqlx::query_scalar("select reason from task where subject like 'order:%'")
                .fetch_one(&pool)
                .await
                .unwrap();
        reason.as_deref() == Some("manual_transfer")
    })
    .await;
    shell.run_ok(&format!("silta orders transfer kauppa {order}"));
    wait_until("the order is at the warehouse", async || {
        sandbox.warehouse.count(&format!("kauppa-{order}")) == 1
    })
    .await;

    // A sender signs in another header: it is refused, and detection finds the header.
    let detecting =
        shell.command("silta webhooks detect kauppa --wait 30s").stdout(Stdio::piped()).spawn().unwrap();
    let is_requested = async || {
        let sql = "select exists (select 1 from signature_detection where detected_at is null)";
        sqlx::query_scalar::<_, bool>(sql).fetch_one(&database.pool()).await.unwrap()
    };
    wait_until("detection is requested", is_requested).await;
    // The endpoint asks for requested detections at most once a second: send until one is used.
    let is_detected = async || {
        assert_eq!(send("X-Unheard-Of").await, 401);
        let sql = "select exists (select 1 from signature_detection where detected_at is not null)";
        sqlx::query_scalar::<_, bool>(sql).fetch_one(&database.pool()).await.unwrap()
    };
    wait_until("the header is detected", is_detected).await;
    let output = tokio::task::spawn_blocking(move || detecting.wait_with_output().unwrap()).await.unwrap();
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.contains("header = \"x-unheard-of\"")
            && !output.contains(&signature)
            && !output.contains(&uuid),
        "{output}"
    );
    assert!(process.terminate());
}
