//! The configuration: defaults, overrides, and all faults at once.

use silta::app::config::{Config, DEFAULTS, Environment};

/// The example configuration of a merchant.
const MERCHANT: &str = include_str!("../../../deploy/example.toml");

fn load(file: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let environment: Environment =
        variables.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Config::load(file, &environment).map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

#[test]
fn empty_file_loads_the_documented_defaults() {
    let config = load("", &[]).unwrap();
    assert_eq!(
        (config.http.listen.as_str(), config.concurrency, config.retry.attempts),
        ("127.0.0.1:8080", 32, 12)
    );
    assert!(config.connections.is_empty());
    for section in ["[http]", "[database]", "[worker]", "[retry]", "[outbound]", "[[connections]]"] {
        assert!(DEFAULTS.contains(section));
    }
}

#[test]
fn example_configuration_loads() {
    let config = load(MERCHANT, &[]).unwrap();
    let connection = &config.connections[0];
    assert_eq!(
        (connection.name.as_str(), connection.ogoship.url.as_str()),
        ("kauppa", "https://api.ogoship.com")
    );
    assert_eq!(connection.orders.shipping.len(), 1);
    assert!(connection.orders.shipping[0].pickup);
}

#[test]
fn shipping_rule_with_a_control_character_is_refused() {
    let more = "[connections.shipping]\n\"POSTI-\\u0007*\" = \"Posti\"\n\"KULJETUS\" = { code = \"Cou\\nrier\" }\n\"OK\" = \"Fine\"\n";
    let start = MERCHANT.find("[connections.shipping]").expect("the example has rules");
    let end = MERCHANT[start + 1..].find("\n[").map_or(MERCHANT.len(), |at| start + 1 + at + 1);
    let file = format!("{}{more}{}", &MERCHANT[..start], &MERCHANT[end..]);
    let faults = load(&file, &[]).unwrap_err();
    let refused = faults.iter().filter(|fault| fault.contains("have no control characters"));
    assert_eq!((faults.len(), refused.count()), (2, 2), "{faults:#?}");
}

#[test]
fn all_faults_are_reported_with_key_and_remedy() {
    let file = r#"
        [http]
        body_limit = "much"
        lissten = "x"
        [retry]
        base = 2
        attempts = 0
        [worker]
        lease = "10s"
        [[admin.tokens]]
        name = "ops"
        token_sha256 = "short"
        role = "king"
        [[connections]]
        name = "kauppa"
        [connections.mycashflow]
        url = "http://127.0.0.1:1"
        [connections.stock]
        basis = "guessed"
    "#;
    let faults = load(file, &[]).unwrap_err();
    for key in [
        "http.body_limit: ",
        "http.lissten: is not a key",
        "retry.base: ",
        "retry.attempts: ",
        "worker.lease: must be at least three times",
        "admin.tokens[0].token_sha256: ",
        "admin.tokens[0].role: must be \"viewer\" or \"operator\"",
        "connections.kauppa.mycashflow.url: ",
        "connections.kauppa.mycashflow.user: is missing",
        "connections.kauppa.mycashflow.api_key: is missing",
        "connections.kauppa.mycashflow.webhook_token: is missing",
        "connections.kauppa.mycashflow.signature: needs a header",
        "connections.kauppa.ogoship.api_key: is missing",
        "connections.kauppa.ogoship.webhook_keys: is empty",
        "connections.kauppa.stock.basis: must be \"available\" or \"physical\" or \"compensated\"",
    ] {
        assert!(faults.iter().any(|fault| fault.starts_with(key)), "{key} in {faults:#?}");
    }
}

#[test]
fn unsigned_webhooks_need_the_dangerous_switch() {
    let unsigned = MERCHANT.replace("header = ", "# header = ");
    assert_eq!(load(&unsigned, &[]).unwrap_err().len(), 1);
    let named = unsigned.replace("orders_api", "dangerously_unsigned = true\norders_api");
    assert!(load(&named, &[]).unwrap().connections[0].mycashflow.signature.is_none());
}

#[test]
fn environment_overrides_and_unknown_variable_is_a_fault() {
    let config = load(
        MERCHANT,
        &[
            ("SILTA__HTTP__LISTEN", "0.0.0.0:1"),
            ("SILTA__RETRY__ATTEMPTS", "7"),
            ("SILTA__CONNECTIONS__KAUPPA__OGOSHIP__API_KEY", "0123"),
            ("DATABASE_URL", "postgres://db/silta"),
        ],
    );
    let config = config.unwrap();
    assert_eq!((config.http.listen.as_str(), config.retry.attempts), ("0.0.0.0:1", 7));
    assert_eq!(config.connections[0].ogoship.api_key.as_ref().unwrap().expose(), "0123");
    assert_eq!(config.database.url.unwrap().expose(), "postgres://db/silta");
    assert_eq!(load(MERCHANT, &[("SILTA__HTPP__LISTEN", "x")]).unwrap_err().len(), 1);
    assert_eq!(load(MERCHANT, &[("SILTA__CONNECTIONS__OTHER__NAME", "x")]).unwrap_err().len(), 1);
}

#[test]
fn secret_is_read_from_a_file_and_never_printed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "from-the-file\n").unwrap();
    let with_file = MERCHANT.replace("api_key = \"…\"", &format!("api_key_file = {:?}", file.path()));
    let config = load(&with_file, &[]).unwrap();
    assert_eq!(config.connections[0].mycashflow.api_key.expose(), "from-the-file");
    assert!(!format!("{config:?}").contains("from-the-file"));
    let gone = with_file.replace("silta", "gone").replace(&file.path().display().to_string(), "/nowhere");
    let faults = load(&gone, &[]).unwrap_err();
    assert!(
        faults[0].contains("api_key_file: there is no file /nowhere: write the secret into it"),
        "{faults:?}"
    );
    assert_eq!(faults.len(), 1, "one fault: {faults:?}");
}

#[test]
fn private_or_plain_http_vendor_urls_are_refused() {
    for url in [
        "http://kauppa.mycashflow.fi",
        "https://localhost",
        "https://10.0.0.1",
        "https://[::1]",
        "https://x/y",
    ] {
        let file = MERCHANT.replace("https://kauppa.mycashflow.fi", url);
        let faults = load(&file, &[]).unwrap_err();
        assert!(faults[0].starts_with("connections.kauppa.mycashflow.url: "), "{url}: {faults:?}");
    }
}

/// A configuration with one channel of alerts.
fn load_channel(channel: &str) -> Result<Config, Vec<String>> {
    load(&format!("[[alerts.channels]]\nname = \"ops\"\n{channel}"), &[])
}

#[test]
fn channels_obey_the_rule_of_vendor_urls() {
    for url in [
        "http://hooks.example.fi/x",
        "https://localhost/x",
        "https://10.0.0.1/x",
        "https://127.1/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[64:ff9b::a00:1]/x",
        "https://169.254.169.254/latest",
    ] {
        let faults = load_channel(&format!("slack = {url:?}")).unwrap_err();
        assert!(faults[0].starts_with("alerts.channels[0].slack: "), "{url}: {faults:?}");
        let webhook = format!("webhook = {url:?}\nsecret = {:?}", super::channel::SECRET);
        let faults = load_channel(&webhook).unwrap_err();
        assert!(faults[0].starts_with("alerts.channels[0].webhook: "), "{url}: {faults:?}");
    }
    assert!(load_channel("slack = \"https://hooks.example.fi/x\"").is_ok());
}

#[test]
fn mail_server_with_a_password_needs_tls() {
    let load_server = |server: &str| {
        load_channel(&format!("mail = {server:?}\nfrom = \"a@example.fi\"\nto = [\"b@example.fi\"]"))
    };
    for server in [
        "smtp://user:password@mail.example.fi",
        "smtp://user:password@mail.example.fi?tls=opportunistic",
        "smtp://user@mail.example.fi",
        "smtp://user:password@127.0.0.1",
    ] {
        let faults = load_server(server).unwrap_err();
        assert!(faults[0].starts_with("alerts.channels[0].mail: has a password"), "{server}: {faults:?}");
        assert!(!faults[0].contains("password@"), "{faults:?}");
    }
    for server in [
        "smtps://user:password@mail.example.fi",
        "smtp://user:password@mail.example.fi:587?tls=required",
        "smtp://127.0.0.1:25",
    ] {
        assert!(load_server(server).is_ok(), "{server}");
    }
}

#[test]
fn names_of_admin_tokens_are_unique_and_not_the_shells() {
    let token = |name: &str, digit: &str| {
        format!(
            "[[admin.tokens]]\nname = {name:?}\ntoken_sha256 = {:?}\nrole = \"viewer\"\n",
            digit.repeat(64)
        )
    };
    assert!(load(&(token("ops", "0") + &token("eyes", "1")), &[]).is_ok());
    for (file, problem) in [
        (token("ops", "0") + &token("ops", "1"), "\"ops\" appears twice"),
        (token("ops", "0") + &token("eyes", "0"), "\"eyes\" is the token of another name"),
        (token("cli:root", "0"), "cli:… stands for the accounts of the shell"),
    ] {
        let faults = load(&file, &[]).unwrap_err();
        assert!(faults.len() == 1 && faults[0].contains(problem), "{faults:?}");
    }
}

/// What `silta init` calls secrets/shop-api-key lies there, or by its name alone where a supervisor puts the files.
#[test]
fn secret_is_found_beside_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = MERCHANT.replace("api_key = \"…\"", "api_key_file = \"secrets/a-key-of-the-shop\"");
    let read = || {
        let config = Config::load_in(folder.path(), &file, &Environment::new()).unwrap();
        config.connections[0].mycashflow.api_key.expose().to_owned()
    };
    std::fs::write(folder.path().join("a-key-of-the-shop"), "by its name\n").unwrap();
    assert_eq!(read(), "by its name");
    std::fs::create_dir(folder.path().join("secrets")).unwrap();
    std::fs::write(folder.path().join("secrets/a-key-of-the-shop"), "by its path\n").unwrap();
    assert_eq!(read(), "by its path");
}
