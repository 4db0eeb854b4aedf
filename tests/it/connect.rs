//! A store connected from an empty folder, by the README alone: the commands of its section "Configure", in their order.

use std::{path::Path, process::Command, time::Duration};

use silta::dev::sandbox::{OrderSpec, Sandbox};

use super::process::{Process, sandbox};
use crate::harness::{Database, answer, wait_until};

const BINARY: &str = env!("CARGO_BIN_EXE_silta");

/// Somebody in a folder, with a shell.
struct Person<'a> {
    folder: &'a Path,
    database: String,
    listen: String,
}

impl Person<'_> {
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(BINARY);
        let words = line.strip_prefix("silta ").unwrap().split(' ');
        command.args(words).current_dir(self.folder).env("DATABASE_URL", &self.database);
        command.env("SILTA__HTTP__LISTEN", &self.listen);
        command
    }

    /// Runs a line; its status and everything it said.
    fn runs(&self, line: &str) -> (i32, String) {
        let output = self.command(line).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
    }

    fn run_ok(&self, line: &str) -> String {
        let (status, said) = self.runs(line);
        assert_eq!(status, 0, "{line}: {said}");
        said
    }
}

/// The value of a key in the sandbox's own configuration.
fn sandbox_value(sandbox: &Sandbox, key: &str) -> String {
    let toml = sandbox.connection_toml("kauppa");
    let line = toml.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap().to_owned();
    line.split('"').nth(1).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "a walk, step by step")]
async fn store_is_connected_by_following_the_readme() {
    let (sandbox, database) = (sandbox().await, Database::empty().await);
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let person = Person { folder: folder.path(), database: database.url(), listen: listen.clone() };
    let readme = include_str!("../../README.md");
    for line in [
        "silta init",
        "silta config check",
        "silta doctor kauppa",
        "silta serve",
        "silta webhooks register kauppa",
        "silta webhooks learn kauppa",
    ] {
        assert!(readme.contains(&format!("\n{line} ")), "the README does not say {line}");
    }

    let secrets = folder.path().join("secrets");
    std::fs::create_dir(&secrets).unwrap();
    std::fs::write(secrets.join("shop-api-key"), sandbox_value(&sandbox, "api_key")).unwrap();
    std::fs::write(secrets.join("ogoship-api-key"), "sandbox-ogokey\n").unwrap();
    let (shop, warehouse) = (sandbox.shop_server.url(), sandbox.warehouse_server.url());
    let user = sandbox_value(&sandbox, "user");
    let said = person.run_ok(&format!(
        "silta init --name kauppa --public-url http://{listen} --shop-url {shop} --shop-user {user} --shop-api-key-file \
         secrets/shop-api-key --warehouse-url {warehouse} --warehouse-api-key-file secrets/ogoship-api-key --sandbox"
    ).replace("         ", ""));
    assert!(said.contains("silta webhooks register kauppa"), "{said}");
    let (status, said) = person.runs("silta init");
    assert!(
        status == 1 && said.contains("--force"),
        "a second one would write over the secrets of the first: {said}"
    );
    person.run_ok("silta config check");

    let (status, said) = person.runs("silta doctor kauppa");
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("FAIL kauppa webhooks") && said.contains("silta webhooks register"), "{said}");

    let process = Process::of(person.command("silta serve"));
    person.run_ok("silta webhooks register kauppa");
    let said = person.run_ok("silta doctor kauppa");
    assert!(said.contains("the order endpoints of v0 answer") && !said.contains("FAIL"), "{said}");

    // The shop signs with its subscription's UUID, which nobody has written down by hand.
    let order = sandbox.shop.place_order(OrderSpec::of("A", 1));
    let body = serde_json::json!({ "topic": "order.created", "data": { "id": order } }).to_string();
    let [uuid, _, url] = sandbox.shop.subscriptions()[0].clone();
    let signature = hex::encode(silta::security::signature::sign(&uuid, body.as_bytes()));
    let send = async |header: &str| {
        let request = reqwest::Client::new().post(&url).header(header, &signature).body(body.clone());
        answer(request).await.status
    };
    assert_eq!(send("X-MyCashflow-Signature").await, 200);
    wait_until("it waits for a person", async || {
        let pool = database.pool();
        let reason: Option<String> =
            sqlx::query_scalar("select reason from task where subject like 'order:%'")
                .fetch_one(&pool)
                .await
                .unwrap();
        reason.as_deref() == Some("manual_transfer")
    })
    .await;
    person.run_ok(&format!("silta orders transfer kauppa {order}"));
    wait_until("it stands at the warehouse", async || {
        sandbox.warehouse.count(&format!("kauppa-{order}")) == 1
    })
    .await;

    // Another shop signs elsewhere: nothing is let in, and the header is found.
    let learning = person
        .command("silta webhooks learn kauppa --wait 30s")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let wants = async || {
        let sql = "select exists (select 1 from detection where detected_at is null)";
        sqlx::query_scalar::<_, bool>(sql).fetch_one(&database.pool()).await.unwrap()
    };
    wait_until("somebody wants to learn", wants).await;
    tokio::time::sleep(Duration::from_millis(1100)).await; // auth_throttle make the endpoint ask once a second
    assert_eq!(send("X-Unheard-Of").await, 401);
    let said = tokio::task::spawn_blocking(move || learning.wait_with_output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(
        said.contains("header = \"x-unheard-of\"") && !said.contains(&signature) && !said.contains(&uuid),
        "{said}"
    );
    assert!(process.terminate());
}
