//! The program in a shell: pipes that close, names that are misspelt, a configuration or a database that is not there.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use silta::dev::sandbox::OrderSpec;
use sqlx::{Connection, PgConnection};

use crate::harness::{
    CONNECTION, Database, TestOptions, configuration,
    process::{BINARY, config_file, run, sandbox},
    server,
};

/// The status of a program that ended by SIGPIPE, as shells report it.
const ENDED_BY_SIGPIPE: i32 = 141;

/// Runs a command whose output nobody reads; returns its status and what it complains of.
fn run_without_reader(arguments: &[&str], config: &Path, database: &str) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(BINARY);
    command.args(arguments).arg("--config").arg(config).env("DATABASE_URL", database).stdout(writer);
    let output = command.stderr(Stdio::piped()).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_pipe_ends_a_command_quietly() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let config = config_file(&sandbox, "");
    let order = sandbox.shop.place_order(OrderSpec::of("A", 1)).to_string();
    // A list without rows prints nothing as JSON, so there is a task.
    let (code, _, stderr) = run(&["orders", "refresh", CONNECTION, &order], config.path(), &database.url());
    assert_eq!(code, Some(0), "{stderr}");
    for arguments in [
        &["tasks", "list"] as &[&str],
        &["tasks", "list", "--json"],
        &["orders", "list"],
        &["events", "list"],
        &["alerts", "list"],
        &["config", "default"],
        &["config", "check"],
        &["openapi"],
        &["completions", "bash"],
        &["doctor"],
        &["sync", "stock", CONNECTION, "--dry-run"],
        &["webhooks", "list", CONNECTION],
        &["migrate"],
    ] {
        let (code, stderr) = run_without_reader(arguments, config.path(), &database.url());
        assert_eq!((code, stderr.as_str()), (Some(ENDED_BY_SIGPIPE), ""), "{arguments:?}");
    }

    // What a command has to do is done before it prints.
    let (code, stderr) =
        run_without_reader(&["orders", "hold", CONNECTION, &order], config.path(), &database.url());
    assert_eq!((code, stderr.as_str()), (Some(ENDED_BY_SIGPIPE), ""));
    let mut db = PgConnection::connect(&database.url()).await.unwrap();
    let asked: String = sqlx::query_scalar("select kind from intent").fetch_one(&mut db).await.unwrap();
    assert_eq!(asked, "hold");
    let task: uuid::Uuid =
        sqlx::query_scalar("select id from task where settled_at is null").fetch_one(&mut db).await.unwrap();
    let (code, _) =
        run_without_reader(&["tasks", "cancel", &task.to_string()], config.path(), &database.url());
    assert_eq!(code, Some(ENDED_BY_SIGPIPE));
    let state: String = sqlx::query_scalar("select state from task where id = $1")
        .bind(task)
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert_eq!(state, "cancelled");
}

/// Status 2 is wrong usage, 1 that there is none of this name.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_names_are_errors_that_say_which_there_are() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let config = config_file(&sandbox, "");
    let id = "0190b0a0-0000-7000-8000-000000000000";
    let no_connection = "there is no connection \"shpo\": did you mean shop? there are: shop";
    let table: &[(&[&str], i32, &str)] = &[
        (&["tasks", "list", "--state", "deda"], 2, "a similar value exists: 'dead'"),
        (
            &["tasks", "list", "--state", "gone"],
            2,
            "pending, leased, in_doubt, done, skipped, dead, cancelled",
        ),
        (&["tasks", "list", "--reason", "manual_transfr"], 2, "'manual_transfer'"),
        (&["tasks", "list", "--subject", "parcel:1"], 2, "expected order:ID, stock:CODE or product:ID"),
        (&["events", "list", "--subject", "order"], 2, "expected order:ID, stock:CODE or product:ID"),
        (&["orders", "list", "--status", "delivred"], 2, "'delivered'"),
        (&["tasks", "list", "--connection", "shpo"], 1, no_connection),
        (&["events", "list", "--connection", "shpo"], 1, no_connection),
        (&["orders", "list", "--connection", "shpo"], 1, no_connection),
        (&["orders", "explain", "shpo", "1"], 1, no_connection),
        (&["orders", "transfer", "shpo", "1"], 1, no_connection),
        (&["sync", "stock", "shpo"], 1, no_connection),
        (&["webhooks", "list", "shpo"], 1, no_connection),
        (&["webhooks", "detect", "shpo"], 1, no_connection),
        (&["doctor", "shpo"], 1, no_connection),
        (&["orders", "explain", CONNECTION, "1O42"], 1, "\"1O42\" is no order number of the shop"),
        (&["orders", "refresh", CONNECTION, "shop-1042"], 1, "it has digits only, as 1042"),
        (&["orders", "explain", CONNECTION, "4711"], 1, "has no order 4711"),
        (&["orders", "erase", CONNECTION, "4711"], 1, "there is no order 4711 of shop"),
        (&["orders", "send-replacement", CONNECTION, "4711"], 1, "there is no order 4711 of shop"),
        (&["tasks", "show", id], 1, "there is no task 0190b0a0"),
        (&["tasks", "replay", id], 1, "there is no task 0190b0a0"),
        (&["tasks", "cancel", id], 1, "there is no task 0190b0a0"),
        (&["tasks", "resolve", id, "--as", "done"], 1, "there is no task 0190b0a0"),
        (&["events", "show", id], 1, "there is no event 0190b0a0"),
        (&["doctr"], 2, "'doctor'"),
    ];
    run(&["migrate"], config.path(), &database.url());
    for (arguments, status, text) in table {
        let (code, output, stderr) = run(arguments, config.path(), &database.url());
        assert_eq!((code, output.as_str()), (Some(*status), ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(text), "{arguments:?}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn order_that_nobody_knows_leaves_nothing_of_the_shell() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let config = config_file(&sandbox, "");
    run(&["sync", "orders", CONNECTION], config.path(), &database.url());
    let count = async || {
        let mut db = PgConnection::connect(&database.url()).await.unwrap();
        let sql = "select (select count(*) from task) + (select count(*) from event) + (select count(*) from intent)
                   + (select count(*) from subject_state) + (select count(*) from audit)";
        sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut db).await.unwrap()
    };
    let before = count().await;
    for action in ["transfer", "adopt", "hold", "release", "cancel", "refresh"] {
        let (code, _, stderr) = run(&["orders", action, CONNECTION, "4711"], config.path(), &database.url());
        assert_eq!(code, Some(1), "{action}: {stderr}");
        let expected = "there is no order 4711 of shop: neither Silta nor one of the vendors knows it";
        assert!(stderr.contains(expected), "{action}: {stderr}");
    }
    assert_eq!(count().await, before);
    let order = sandbox.shop.place_order(OrderSpec::of("A", 1)).to_string();
    let (code, output, _) = run(&["orders", "refresh", CONNECTION, &order], config.path(), &database.url());
    assert!(
        code == Some(0) && output.starts_with("requested: refresh"),
        "one whose webhook was lost: {output}"
    );
}

/// Runs `config check` on this text in a folder of its own.
fn check(text: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("silta.toml"), text).unwrap();
    let mut command = Command::new(BINARY);
    command.args(["config", "check"]).current_dir(folder.path()).env_remove("DATABASE_URL");
    let output = command.envs(variables.iter().copied()).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn misspelt_keys_have_their_line_and_what_was_meant() {
    let sandbox = sandbox().await;
    let connection = sandbox.connection_toml("kauppa").replace("reference_prefix", "referense_prefix");
    let line = connection.lines().position(|line| line.contains("referense_prefix")).unwrap() + 7;
    let (code, output) = check(
        &format!(
            "[http]\n# where to listen\nlissten = \"127.0.0.1:8080\"\n[htpp]\n[outbound]\ndangerously_allow_private = true\n\
             {connection}"
        ),
        &[],
    );
    assert_eq!(code, Some(1), "{output}");
    for expected in [
        "line 3: http.lissten: is not a key that Silta knows: did you mean listen?".to_owned(),
        "line 4: htpp: is not a key that Silta knows: did you mean http?".to_owned(),
        format!(
            "line {line}: connections.kauppa.orders.referense_prefix: is not a key that Silta knows: did you mean reference_prefix?"
        ),
    ] {
        assert!(output.contains(&expected), "{expected}\n{output}");
    }
    assert!(output.contains("has 3 error(s)"), "{output}");
    // One that is nothing like a key, and one from the environment.
    let (_, output) = check("[http]\ncolour = 1\n", &[]);
    assert!(
        output.contains("line 2: http.colour: is not a key that Silta knows; `silta config default`"),
        "{output}"
    );
    let (_, output) = check("[http]\ntimeout = \"soon\"\n", &[("SILTA__HTTP__TIMEOUT", "later")]);
    assert!(output.contains("  http.timeout: must be a duration") && !output.contains("line"), "{output}");
}

#[test]
fn url_of_another_database_is_refused_by_the_check() {
    for url in ["mysql://silta:geheim@db/silta", "http://db/silta", "db.example.fi", "sqlite:silta.db"] {
        let (code, output) = check(&format!("[database]\nurl = {url:?}\n"), &[]);
        assert!(
            code == Some(1) && output.contains("line 2: database.url: must be the URL of a PostgreSQL"),
            "{output}"
        );
        let (code, named) = check("", &[("DATABASE_URL", url)]);
        assert!(code == Some(1) && named.contains("DATABASE_URL"), "{named}");
        assert!(!(output + &named).contains("geheim"));
    }
    for url in ["postgres://silta:geheim@db/silta", "postgresql://db/silta?sslmode=disable"] {
        let (code, output) = check(&format!("[database]\nurl = {url:?}\n"), &[]);
        assert_eq!(code, Some(0), "{output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_key_file_is_one_fault_in_plain_words() {
    let sandbox = sandbox().await;
    let whole = configuration(&sandbox, &TestOptions::default());
    for (key, replaced, by) in [
        ("mycashflow.api_key_file", "api_key = ", "api_key_file = \"secrets/shop-api-key\" # "),
        ("ogoship.secret_token_file", "secret_token = ", "secret_token_file = \"secrets/shop-api-key\" # "),
        ("ogoship.webhook_keys_file", "webhook_keys = ", "webhook_keys_file = \"secrets/shop-api-key\" # "),
        ("mycashflow.signature.secrets_file", "secrets = ", "secrets_file = \"secrets/shop-api-key\" # "),
    ] {
        // Without keys of [secrets] nothing else can stand in for it.
        let text = whole.replace("[secrets]\nkeys", "[secrets]\n# keys").replacen(replaced, by, 1);
        let (code, output) = check(&text, &[]);
        let expected = format!("{key}: there is no file secrets/shop-api-key: write the secret into it");
        assert!(code == Some(1) && output.contains(&expected), "{output}");
        assert!(output.contains("has 1 error(s)"), "{output}");
    }
    // A key in the place of its file is not printed.
    let text = whole.replacen("api_key = ", "api_key_file = \"0123456789abcdef\" # ", 1);
    let (_, output) = check(&text, &[]);
    assert!(output.contains("there is no file that it names") && !output.contains("0123456789"), "{output}");
}

#[test]
fn without_a_configuration_the_advice_is_init() {
    let folder = tempfile::tempdir().unwrap();
    let stderr = |arguments: &[&str]| {
        let output = Command::new(BINARY).args(arguments).current_dir(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for arguments in
        [&["serve"] as &[&str], &["config", "check"], &["tasks", "list"], &["doctor"], &["backup", "f"]]
    {
        let error = stderr(arguments);
        assert!(error.contains("there is no silta.toml: `silta init` writes one"), "{arguments:?}: {error}");
    }
    let error = stderr(&["doctor", "--config", "shops/a.toml"]);
    assert!(
        error.contains("there is no shops/a.toml: `silta init --config shops/a.toml` writes one"),
        "{error}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn database_that_cannot_be_reached_is_named_without_its_password() {
    let sandbox = sandbox().await;
    let config = config_file(&sandbox, "");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused = format!("postgres://keeper:geheim@127.0.0.1:{port}/orders");
    let named =
        format!("cannot reach the database orders at 127.0.0.1:{port} as user keeper: Connection refused");
    for arguments in
        [&["tasks", "list"] as &[&str], &["serve"], &["doctor"], &["migrate"], &["orders", "list"]]
    {
        let (code, _, stderr) = run(arguments, config.path(), &refused);
        assert!(code == Some(1) && stderr.contains(&named), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("geheim"), "{stderr}");
    }
    let missing = server().url("no_such_database");
    let (_, _, stderr) = run(&["tasks", "list"], config.path(), &missing);
    assert!(
        stderr.contains("cannot reach the database no_such_database at /")
            && stderr.contains("as user silta: database \"no_such_database\" does not exist"),
        "{stderr}"
    );
}
