//! The first afternoon: from an empty folder to a store that runs by itself, with the program alone (its own PostgreSQL
//! included) and the mistakes that people make. `make afternoon` shows what is typed and printed.

use std::{
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    process::Stdio,
};

use silta::dev::sandbox::{OrderSpec, Sandbox};

use super::shell::{Shell, sandbox_value};
use crate::harness::{
    Api,
    process::{Process, sandbox},
    wait_until,
};

const README: &str = include_str!("../../../README.md");

/// The steps in a text: the commands, each with what it does, and which terminal they are for.
fn steps(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let is_step = |line: &String| {
        line.starts_with("silta ") || line.ends_with("terminal:") || line.ends_with("serves:")
    };
    lines.map(|line| line.trim_start_matches("# ").to_owned()).filter(is_step).collect()
}

/// Prints what is typed and what is answered, for `make afternoon`.
#[expect(clippy::print_stdout, reason = "the transcript is what `make afternoon` is for")]
fn show(text: &str) {
    println!("{text}");
}

/// The afternoon, with what its steps share.
struct Afternoon<'a> {
    shell: Shell<'a>,
    sandbox: &'a Sandbox,
}

impl Afternoon<'_> {
    /// Types a command and compares: its status, and what its output must have.
    fn types(&self, line: &str, expected: i32, parts: &[&str]) -> String {
        let (status, output) = self.shell.run(line);
        show(&format!("$ {line}\n{output}"));
        assert_eq!(status, expected, "{line}: {output}");
        for part in parts {
            assert!(output.contains(part), "{line} does not say {part:?}: {output}");
        }
        output
    }

    /// Edits silta.toml: exactly one place.
    fn edits(&self, before: &str, after: &str) {
        let path = self.shell.folder.join("silta.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(before).count(), 1, "{before} in {text}");
        std::fs::write(path, text.replace(before, after)).unwrap();
        show(&format!("$ edit silta.toml: {before} -> {after}"));
    }

    fn writes_file(&self, name: &str, text: &str) {
        std::fs::write(self.shell.folder.join(name), text).unwrap();
    }

    /// Waits until the output of a command has all of this.
    async fn waits_for(&self, line: &str, parts: &[&str]) {
        let says_all = || {
            let (_, output) = self.shell.run(line);
            parts.iter().all(|part| output.contains(part))
        };
        wait_until(&format!("{line} says {parts:?}"), async || says_all()).await;
    }

    /// Calls that changed something at either vendor.
    fn writes(&self) -> usize {
        let servers = [&self.sandbox.shop_server, &self.sandbox.warehouse_server];
        let methods = ["POST", "PUT", "PATCH", "DELETE"];
        let count = |path: &str| -> usize {
            servers
                .iter()
                .map(|it| methods.iter().map(|method| it.calls.count(method, path)).sum::<usize>())
                .sum()
        };
        count("/") - count("/OAuth/Token")
    }

    /// The shop sends the webhook of a new order to the address that was registered.
    async fn shopper_orders(&self) -> u64 {
        let order = self.sandbox.shop.place_order(OrderSpec::of("A", 1));
        assert_eq!(self.shop_signs(order, "X-MyCashflow-Signature").await, 200);
        order
    }

    /// The shop sends an order's webhook, signed with its UUID in this header; returns the status.
    async fn shop_signs(&self, order: u64, header: &str) -> u16 {
        let body = serde_json::json!({ "topic": "order.created", "data": { "id": order } }).to_string();
        let [uuid, _, url] = self.sandbox.shop.subscriptions()[0].clone();
        let signature = hex::encode(silta::security::signature::sign(&uuid, body.as_bytes()));
        let request = Api::new(&url).request(reqwest::Method::POST, "").header(header, signature).body(body);
        request.send().await.unwrap().status().as_u16()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn first_afternoon_goes_as_the_documents_say() {
    let sandbox = sandbox().await;
    for (id, code, name) in [(1, "A", "Kahvi"), (2, "B", "Tee")] {
        sandbox.shop.add_product(id, code, name, 5);
    }
    sandbox.warehouse.receive_goods("A", 9);
    let folder = tempfile::tempdir().unwrap();
    let afternoon = Afternoon { shell: Shell::with_own_database(folder.path()), sandbox: &sandbox };
    configures(&afternoon);
    let process = Process::of(afternoon.shell.command("silta serve"));
    touches_nothing(&afternoon).await;
    sends_by_hand(&afternoon).await;
    switches_to_automatic(&afternoon, &process).await;
    changes_a_webhook_token(&afternoon, &process).await;
    let (_, doctor) = afternoon.shell.run("silta doctor kauppa");
    show(&format!("$ silta doctor kauppa\n{doctor}"));
    assert!(doctor.contains("orders, products and stock figures are written automatically"), "{doctor}");
    assert!(
        ["shop", "warehouse", "webhooks"].iter().all(|it| !doctor.contains(&format!("FAIL kauppa {it}"))),
        "{doctor}"
    );
    detects_a_signature(&afternoon).await;
    loses_the_database(&afternoon, process).await;
}

/// From nothing to a configuration, with a missing key, a wrong key and two misspellings.
fn configures(afternoon: &Afternoon<'_>) {
    let Afternoon { shell, sandbox } = afternoon;
    afternoon.types("silta config check", 1, &["silta.toml"]);
    let (shop, warehouse) = (sandbox.shop_server.url(), sandbox.warehouse_server.url());
    let user = sandbox_value(sandbox, "user");
    let written = afternoon.types(
        &format!(
            "silta init --public-url http://{} --shop-url {shop} --shop-user {user} --warehouse-url {warehouse} --sandbox",
            shell.listen
        ),
        0,
        &[
            "Nobody could be asked here, so this is assumed",
            "The name of the connection [a-z0-9-]: kauppa",
            "The folder secrets is made",
            "secrets/shop-api-key",
            "In a second terminal, while it serves:",
            "silta webhooks register kauppa",
        ],
    );
    assert_eq!(
        steps(&written),
        steps(README.split("```sh\nsilta init ").nth(1).unwrap().split("```").next().unwrap())
    );
    let mode = |name: &str| std::fs::metadata(shell.folder.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("secrets"), mode("silta.toml")), (0o700, 0o600));
    afternoon.types("silta init", 1, &["--force"]);

    afternoon.types("silta config check", 1, &["mycashflow.api_key", "ogoship.api_key"]);
    afternoon.writes_file("secrets/shop-api-key", "mistyped\n");
    afternoon.writes_file("secrets/ogoship-api-key", "sandbox-ogokey\n");
    afternoon.types("silta config check", 0, &[]);
    afternoon.types("silta doctor kauppa", 1, &["FAIL kauppa shop"]);
    afternoon.writes_file("secrets/shop-api-key", &sandbox_value(sandbox, "api_key"));

    afternoon.edits("transfer = \"manual\"", "transfert = \"manual\"");
    afternoon.types("silta config check", 1, &["transfert"]);
    afternoon.edits("transfert = \"manual\"", "transfer = \"sometimes\"");
    afternoon.types("silta config check", 1, &["orders.transfer", "\"automatic\" or \"manual\" or \"off\""]);
    afternoon.edits("transfer = \"sometimes\"", "transfer = \"manual\"");
    afternoon.types("silta config check", 0, &[]);
    afternoon.types("silta doctor kauppa", 1, &["FAIL kauppa webhooks", "warn kauppa switches"]);
}

/// The first service reads and shows everything, and changes nothing at either vendor.
async fn touches_nothing(afternoon: &Afternoon<'_>) {
    afternoon
        .waits_for("silta release list --json", &["manual_upload", "\"count\":2", "manual_stock_update"])
        .await;
    assert_eq!(afternoon.writes(), 0);
    assert_eq!(
        (afternoon.sandbox.warehouse.codes().len(), afternoon.sandbox.shop.quantity("A")),
        (0, Some(5))
    );
    afternoon.types("silta release list", 0, &["manual_upload", "manual_stock_update"]);
    afternoon.types("silta webhooks register kauppa", 0, &["registered at mycashflow: order.created"]);
    assert_eq!(afternoon.writes(), 3, "the subscriptions, which were asked for");
}

/// One order, one product, one figure and all products, each by hand.
async fn sends_by_hand(afternoon: &Afternoon<'_>) {
    let sandbox = afternoon.sandbox;
    let (first, second) = (afternoon.shopper_orders().await, afternoon.shopper_orders().await);
    afternoon.waits_for("silta release list --json", &["\"kind\":\"order\"", "manual_transfer"]).await;
    afternoon.types(&format!("silta orders explain kauppa {first}"), 0, &["waits until you transfer it"]);
    afternoon.types(&format!("silta orders transfer kaupa {first}"), 1, &[]);
    afternoon.types(
        "silta release run kauppa --reason manual_transfer",
        0,
        &["left: ", "nothing was released"],
    );
    afternoon.types("silta sync products kauppa --only 1", 0, &["requested: sync of product:1"]);
    wait_until("the product is uploaded", async || sandbox.warehouse.codes() == ["A"]).await;
    afternoon.types("silta sync stock kauppa --only A", 0, &["requested: sync of stock:A"]);
    wait_until("the figure is written", async || sandbox.shop.quantity("A") == Some(9)).await;
    afternoon.types(&format!("silta orders transfer kauppa {first}"), 0, &["requested: transfer"]);
    wait_until("the order is sent", async || sandbox.warehouse.count(&format!("kauppa-{first}")) == 1).await;
    afternoon.types("silta sync products kauppa", 0, &["1 fixing"]);
    wait_until("all products are uploaded", async || sandbox.warehouse.codes() == ["A", "B"]).await;
    assert_eq!(sandbox.warehouse.count(&format!("kauppa-{second}")), 0, "nobody has asked for it");
}

/// Everything automatic: what has waited is offered and goes.
async fn switches_to_automatic(afternoon: &Afternoon<'_>, process: &Process) {
    for key in ["transfer", "upload", "update"] {
        afternoon.edits(&format!("{key} = \"manual\""), &format!("{key} = \"automatic\""));
    }
    afternoon.types("silta config check", 0, &[]);
    process.reload("orders.transfer").await;
    afternoon.waits_for("silta release list --json", &["manual_transfer", "\"ready\":true"]).await;
    afternoon.types("silta release run kauppa --dry-run", 0, &["would release 1 (manual_transfer): order:"]);
    afternoon.types("silta release run kauppa", 0, &["released: 1 of order (manual_transfer)"]);
    wait_until("the other order is sent", async || afternoon.sandbox.warehouse.orders().len() == 2).await;
    afternoon.waits_for("silta release list", &["nothing waits for a switch or a shipping rule"]).await;
    let third = afternoon.shopper_orders().await;
    wait_until("a new order goes by itself", async || {
        afternoon.sandbox.warehouse.count(&format!("kauppa-{third}")) == 1
    })
    .await;
}

/// Another token in the path: the subscriptions of the former one are replaced at both vendors.
async fn changes_a_webhook_token(afternoon: &Afternoon<'_>, process: &Process) {
    let path = afternoon.shell.folder.join("silta.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let tokens: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("webhook_token = "))
        .map(|line| line.split('"').nth(1).unwrap().to_owned())
        .collect();
    let changed = tokens.iter().enumerate();
    let text = changed.fold(text, |text, (at, token)| text.replace(token, &format!("another-token-{at}")));
    std::fs::write(path, text).unwrap();
    process.reload("mycashflow.webhook_token").await;
    let Sandbox { shop, warehouse, .. } = afternoon.sandbox;
    let urls = || {
        let of_shop = shop.subscriptions().into_iter().map(|[_, _, url]| url);
        let of_warehouse = warehouse
            .subscriptions()
            .into_iter()
            .map(|it| it.into_iter().find(|part| part.contains("://")).unwrap());
        of_shop.chain(of_warehouse).collect::<Vec<_>>()
    };
    wait_until("the subscriptions call the new addresses alone", async || {
        let urls = urls();
        urls.len() == 3 && urls.iter().all(|url| url.contains("/another-token-"))
    })
    .await;
}

/// The shop signs in another header than is documented: detection says which, and what to write into the configuration.
async fn detects_a_signature(afternoon: &Afternoon<'_>) {
    let line = "silta webhooks detect kauppa --wait 50s";
    let mut detecting = afternoon.shell.command(line).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(detecting.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut output = lines.by_ref().take_while(|line| !line.contains("keys  ")).collect::<Vec<_>>(); // it waits from here on
    let order = afternoon.sandbox.shop.place_order(OrderSpec::of("A", 1));
    wait_until("the header is detected", async || {
        assert_ne!(afternoon.shop_signs(order, "X-Shop-Seal").await, 200, "it is refused all the same");
        detecting.try_wait().unwrap().is_some()
    })
    .await;
    output.extend(lines);
    let output = output.join("\n");
    show(&format!("$ {line}\n{output}"));
    for part in ["address  http", "[connections.mycashflow.signature]", "header = \"x-shop-seal\""] {
        assert!(output.contains(part), "{line} does not say {part:?}: {output}");
    }
}

/// A backup while it serves; what came after it is found again once it is restored, and nothing is sent twice.
async fn loses_the_database(afternoon: &Afternoon<'_>, process: Process) {
    let sandbox = afternoon.sandbox;
    afternoon.types("silta backup silta.dump", 0, &[" is backed up to silta.dump", "keep the configuration"]);
    let later = afternoon.shopper_orders().await;
    wait_until("the later order is sent", async || sandbox.warehouse.count(&format!("kauppa-{later}")) == 1)
        .await;
    afternoon.types("silta restore silta.dump --force", 1, &["another process runs the private database"]);
    assert!(process.terminate());
    afternoon.types("silta restore silta.dump", 1, &["--force"]);
    afternoon.types("silta restore silta.dmup --force", 1, &["silta.dmup"]);
    afternoon.types("silta restore silta.dump --force", 0, &[" is restored from silta.dump"]);
    let process = Process::of(afternoon.shell.command("silta serve"));
    afternoon.types(&format!("silta orders refresh kauppa {later}"), 0, &["requested: refresh"]);
    afternoon
        .waits_for(&format!("silta orders explain kauppa {later} --json"), &["waiting_for_collection"])
        .await;
    let newest = afternoon.shopper_orders().await;
    wait_until("a new order is sent", async || sandbox.warehouse.count(&format!("kauppa-{newest}")) == 1)
        .await;
    assert_eq!(sandbox.warehouse.count(&format!("kauppa-{later}")), 1, "it is found, not sent again");
    assert!(process.terminate());
}
