//! `silta init`: writes a commented configuration from questions or options, and draws its secrets.

use std::{
    io::{BufRead, IsTerminal, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::print::{print_error, print_line};
use crate::{
    app::config::{Config, Environment},
    domain::digest::sha256_hex,
    runtime::clock::Entropy,
};

#[derive(Args)]
pub(super) struct InitArgs {
    /// The name of the connection, of `[a-z0-9-]`
    #[arg(long)]
    name: Option<String>,
    /// The URL at which the two vendors reach Silta, such as <https://silta.example.fi>
    #[arg(long)]
    public_url: Option<String>,
    /// The URL of the shop, such as <https://STORENAME.mycashflow.fi>
    #[arg(long)]
    shop_url: Option<String>,
    /// The shop's API user
    #[arg(long)]
    shop_user: Option<String>,
    /// The file with the API user's key
    #[arg(long)]
    shop_api_key_file: Option<String>,
    /// The warehouse's API host, if it is not OGOship's own
    #[arg(long)]
    warehouse_url: Option<String>,
    /// The file with the warehouse's API key (`X-OgoKey`)
    #[arg(long)]
    warehouse_api_key_file: Option<String>,
    /// The header with the shop's signature; `silta webhooks detect` finds it
    #[arg(long)]
    signature_header: Option<String>,
    /// The URL of the database; without one, a private PostgreSQL is used
    #[arg(long)]
    database_url: Option<String>,
    /// Allow plain http and private addresses, for a sandbox on this machine
    #[arg(long)]
    sandbox: bool,
    /// Overwrite an existing file
    #[arg(long)]
    force: bool,
}

/// Writes the file and prints the next steps.
pub(super) fn run(args: InitArgs, path: &Path, environment: &Environment) -> Result<ExitCode> {
    let is_forced = args.force;
    if path.exists() && !is_forced {
        bail!("{} exists already: --force overwrites it", path.display());
    }
    let values = Values::collect(args, &Entropy::from_os())?;
    let text = values.render();
    write(path, &text, is_forced).with_context(|| format!("cannot write {}", path.display()))?;
    let (file, name) = (path.display(), &values.name);
    print_line(&format!("{file} is written."));
    print_line(&format!("The admin token, shown this once: {}", values.token));
    print_line(&format!(
        "Next:\n  silta doctor {name} --config {file}\n  silta webhooks register {name} --config {file}\n  \
         silta serve --config {file}"
    ));
    if let Err(errors) = Config::load(&text, environment) {
        print_error("Still missing in it:");
        for error in errors {
            print_error(&format!("  {error}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The values of the file.
struct Values {
    name: String,
    public_url: String,
    shop_url: String,
    shop_user: String,
    shop_key: String,
    warehouse_url: String,
    warehouse_key: String,
    header: String,
    database: String,
    is_sandbox: bool,
    token: String,
    webhook_token: String,
    ogoship_token: String,
    encryption_key: String,
}

impl Values {
    /// Takes the options, asks for what they lack, and draws the secrets.
    fn collect(args: InitArgs, entropy: &Entropy) -> Result<Self> {
        let default_url = || "https://api.ogoship.com".to_owned();
        Ok(Self {
            name: ask_or_default(args.name, "The name of the connection? [a-z0-9-]", "kauppa")?,
            public_url: ask_or_default(
                args.public_url,
                "The URL at which the two vendors reach Silta?",
                "https://silta.example.fi",
            )?,
            shop_url: ask_or_default(args.shop_url, "The shop's URL?", "https://STORENAME.mycashflow.fi")?,
            shop_user: ask_or_default(args.shop_user, "The shop's API user?", "api@example.fi")?,
            shop_key: ask_or_default(
                args.shop_api_key_file,
                "The file with its API key?",
                "secrets/shop-api-key",
            )?,
            warehouse_url: args.warehouse_url.unwrap_or_else(default_url),
            warehouse_key: ask_or_default(
                args.warehouse_api_key_file,
                "The file with the warehouse's API key?",
                "secrets/ogoship-api-key",
            )?,
            header: ask_or_default(
                args.signature_header,
                "The header with the shop's signature?",
                "X-MyCashflow-Signature",
            )?,
            database: args.database_url.unwrap_or_default(),
            is_sandbox: args.sandbox,
            token: hex::encode(entropy.bytes::<24>()),
            webhook_token: hex::encode(entropy.bytes::<16>()),
            ogoship_token: hex::encode(entropy.bytes::<16>()),
            encryption_key: hex::encode(entropy.bytes::<32>()),
        })
    }

    fn render(&self) -> String {
        let Self { name, public_url, shop_url, shop_user, shop_key, warehouse_url, warehouse_key, .. } = self;
        let Self {
            header, database, webhook_token, ogoship_token, encryption_key, is_sandbox, token, ..
        } = self;
        let digest = sha256_hex(token.as_bytes());
        let auth_url =
            if warehouse_url.contains("ogoship.com") { "https://my.ogoship.com" } else { warehouse_url };
        let sandbox = "\n[outbound]\ndangerously_allow_private = true # the sandbox is on this machine\n";
        let sandbox = if *is_sandbox { sandbox } else { "" };
        format!(
            r#"# Silta between {shop_url} and the warehouse. Every other key, with its default: `silta config default`.

[http]
listen = "127.0.0.1:8080"          # behind a proxy with TLS
public_url = {public_url:?}        # the URL that the two vendors call
proxies = {proxies}                        # trusted proxies, whose X-Forwarded-For is used

[database]
url = {database:?}                           # empty: a private PostgreSQL in ./silta-data
{sandbox}
[secrets]
keys = [{encryption_key:?}] # encrypts the secrets that Silta keeps; keep a copy

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
header = {header:?} # not public: `silta webhooks detect {name}` finds it

[connections.ogoship]
url = {warehouse_url:?}
auth_url = {auth_url:?}
api_key_file = {warehouse_key:?}
webhook_token = {ogoship_token:?} # the unguessable part of the callback path

[connections.orders]
transfer = "manual"                # nothing is sent by itself until this is "automatic"
reference_prefix = "{name}-"

# Shipping methods of the shop, by code, name or pattern, and the warehouse's codes: `silta doctor` reports those without one.
[connections.shipping]
# "POSTI-*" = {{ code = "Posti Parcel", pickup = true }}
"#,
            proxies = u8::from(!is_sandbox),
        )
    }
}

/// The given value, or the answer to a question; without a terminal, the default.
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

/// Writes a file that only its owner can read: it holds secrets. It is a new one, renamed when it is whole: an existing file
/// would keep its mode and its readers, and a link would be followed.
fn write(path: &Path, text: &str, is_forced: bool) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;

    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let suffix = hex::encode(Entropy::from_os().bytes::<8>());
    let new = path.with_file_name(format!(".{name}.{suffix}"));
    let write = || {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // A link, unlike a rename, replaces nothing.
        if is_forced { std::fs::rename(&new, path) } else { std::fs::hard_link(&new, path) }
    };
    let written = write();
    let _ = std::fs::remove_file(&new); // gone already where it was renamed
    written
}
