//! `silta init`: a commented configuration, asked for or given by flags. Every secret that Silta draws itself is drawn
//! here.

use std::{
    io::{BufRead, IsTerminal, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::{print_error, print_line};
use crate::{
    app::config::{Config, Environment},
    domain::digest::sha256_hex,
    runtime::clock::Entropy,
};

#[derive(Args)]
pub(super) struct InitArgs {
    /// What the connection is called; [a-z0-9-].
    #[arg(long)]
    name: Option<String>,
    /// Where the two vendors reach Silta, as <https://silta.example.fi>.
    #[arg(long)]
    public_url: Option<String>,
    /// The shop, as <https://STORENAME.mycashflow.fi>.
    #[arg(long)]
    shop_url: Option<String>,
    /// The shop's API user.
    #[arg(long)]
    shop_user: Option<String>,
    /// The file with the API user's key.
    #[arg(long)]
    shop_api_key_file: Option<String>,
    /// The warehouse's API host, where it is not OGOship's own.
    #[arg(long)]
    warehouse_url: Option<String>,
    /// The file with the warehouse's API key (`X-OgoKey`).
    #[arg(long)]
    warehouse_api_key_file: Option<String>,
    /// The header in which the shop signs, where it is known; `silta webhooks learn` finds it.
    #[arg(long)]
    signature_header: Option<String>,
    /// The database; a private one of Silta's own, where none is given.
    #[arg(long)]
    database_url: Option<String>,
    /// For a sandbox on this machine: plain http and private addresses.
    #[arg(long)]
    sandbox: bool,
    /// Over a file that is there already.
    #[arg(long)]
    force: bool,
}

/// Writes the file, and says what comes next.
pub(super) fn init(args: InitArgs, path: &Path, environment: &Environment) -> Result<ExitCode> {
    if path.exists() && !args.force {
        bail!("{} is there already: --force writes over it", path.display());
    }
    let entropy = Entropy::from_os();
    let ask = |given: Option<String>, question: &str, default_value: &str| {
        ask_or_default(given, question, default_value)
    };
    let name = ask(args.name, "What is the connection called? [a-z0-9-]", "kauppa")?;
    let public_url =
        ask(args.public_url, "Where do the two vendors reach Silta?", "https://silta.example.fi")?;
    let shop_url = ask(args.shop_url, "The shop's address?", "https://STORENAME.mycashflow.fi")?;
    let shop_user = ask(args.shop_user, "The shop's API user?", "api@example.fi")?;
    let shop_key = ask(args.shop_api_key_file, "The file with its API key?", "secrets/shop-api-key")?;
    let warehouse_url = args.warehouse_url.unwrap_or_else(|| "https://api.ogoship.com".to_owned());
    let warehouse_key = ask(
        args.warehouse_api_key_file,
        "The file with the warehouse's API key?",
        "secrets/ogoship-api-key",
    )?;
    let header = ask(args.signature_header, "The header in which the shop signs?", "X-MyCashflow-Signature")?;
    let database = args.database_url.unwrap_or_default();
    let auth_url =
        if warehouse_url.contains("ogoship.com") { "https://my.ogoship.com" } else { &warehouse_url };

    let token = hex::encode(entropy.bytes::<24>());
    let (digest, webhook_token) = (sha256_hex(token.as_bytes()), hex::encode(entropy.bytes::<16>()));
    let encryption_key = hex::encode(entropy.bytes::<32>());
    let text = Template {
        name: &name,
        public_url: &public_url,
        shop_url: &shop_url,
        shop_user: &shop_user,
        shop_key: &shop_key,
        warehouse_url: &warehouse_url,
        auth_url,
        warehouse_key: &warehouse_key,
        header: &header,
        database: &database,
        is_sandbox: args.sandbox,
        digest: &digest,
        webhook_token: &webhook_token,
        encryption_key: &encryption_key,
    }
    .render();
    write(path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    print_line(&format!("{} is written.", path.display()));
    print_line(&format!("The admin token, shown this once: {token}"));
    let file = path.display();
    print_line(&format!(
        "Next:\n  silta doctor {name} --config {file}\n  silta webhooks register {name} --config {file}\n  silta serve --config {file}"
    ));
    if let Err(errors) = Config::load(&text, environment) {
        print_error("What is still missing in it:");
        for error in errors {
            print_error(&format!("  {error}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What the file is made of.
struct Template<'a> {
    name: &'a str,
    public_url: &'a str,
    shop_url: &'a str,
    shop_user: &'a str,
    shop_key: &'a str,
    warehouse_url: &'a str,
    auth_url: &'a str,
    warehouse_key: &'a str,
    header: &'a str,
    database: &'a str,
    is_sandbox: bool,
    digest: &'a str,
    webhook_token: &'a str,
    encryption_key: &'a str,
}

impl Template<'_> {
    fn render(&self) -> String {
        let Self {
            name,
            public_url,
            shop_url,
            shop_user,
            shop_key,
            warehouse_url,
            auth_url,
            warehouse_key,
            ..
        } = self;
        let Self { header, database, digest, webhook_token, encryption_key, is_sandbox, .. } = self;
        let sandbox = "\n[outbound]\ndangerously_allow_private = true # the sandbox is on this machine\n";
        let sandbox = if *is_sandbox { sandbox } else { "" };
        format!(
            r#"# Silta between {shop_url} and the warehouse. Every other key, with its default: `silta config default`.

[http]
listen = "127.0.0.1:8080"          # a proxy with TLS stands in front
public_url = {public_url:?}        # what the two vendors are told to call
proxies = {proxies}                        # whose X-Forwarded-For is believed

[database]
url = {database:?}                           # empty: a private PostgreSQL in ./silta-data
{sandbox}
[secrets]
keys = [{encryption_key:?}] # seals what Silta keeps itself; keep a copy

[[admin.tokens]]
name = "admin"
token_sha256 = {digest:?}
role = "operator"

[[connections]]
name = {name:?}

[connections.mycashflow]
url = {shop_url:?}
user = {shop_user:?}
api_key_file = {shop_key:?}
webhook_token = {webhook_token:?} # the unguessable part of the callback path

[connections.mycashflow.signature]
header = {header:?} # how the shop signs is not public: `silta webhooks learn {name}` finds it

[connections.ogoship]
url = {warehouse_url:?}
auth_url = {auth_url:?}
api_key_file = {warehouse_key:?}

[connections.orders]
transfer = "manual"                # nothing goes by itself until you say "automatic"
reference_prefix = "{name}-"

# Shipping methods of the shop, by code, name or pattern, and the warehouse's codes: `silta doctor` tells which lack one.
[connections.shipping]
# "POSTI-*" = {{ code = "Posti Parcel", pickup = true }}
"#,
            proxies = u8::from(!is_sandbox),
        )
    }
}

/// What was given, or is answered; the usual answer where nobody can be asked.
fn ask_or_default(given: Option<String>, question: &str, default_value: &str) -> Result<String> {
    if let Some(given) = given {
        return Ok(given);
    }
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Ok(default_value.to_owned());
    }
    let mut out = std::io::stderr();
    write!(out, "{question} [{default_value}] ")?;
    out.flush()?;
    let mut line = String::new();
    stdin.lock().read_line(&mut line)?;
    let line = line.trim();
    Ok(if line.is_empty() { default_value.to_owned() } else { line.to_owned() })
}

/// For its owner's eyes alone: there are secrets in it.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;

    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}
