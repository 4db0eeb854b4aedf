//! `silta init`: writes a commented configuration from questions or options, and draws its secrets.

use std::{
    io::{BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::{
    init_file::Values,
    next_steps::{DEFAULT_PATH, next_steps},
    print::{print_error, print_foreign, print_line},
};
use crate::{
    app::config::{Config, Environment},
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

/// Writes the file, makes the folders of its secrets, and prints what was assumed and the next steps.
pub(super) fn run(args: InitArgs, path: &Path, environment: &Environment) -> Result<ExitCode> {
    let is_forced = args.force;
    if path.exists() && !is_forced {
        bail!("{} exists already: --force overwrites it", path.display());
    }
    let mut questions = Questions::default();
    let values = collect(args, &mut questions, &Entropy::from_os())?;
    let text = values.render();
    write(path, &text, is_forced).with_context(|| format!("cannot write {}", path.display()))?;
    print_line(&format!("{} is written.", path.display()));
    if !questions.assumed.is_empty() {
        print_line("Nobody could be asked here, so this is assumed; correct what is wrong:");
        questions.assumed.iter().for_each(|line| print_foreign(&format!("  {line}")));
    }
    let directory = path.parent().unwrap_or(Path::new(""));
    for key in [&values.shop_key, &values.warehouse_key] {
        let folder = prepare_folder(directory, Path::new(key))?;
        if let Some(folder) = folder {
            print_foreign(&format!("The folder {} is made, for your account alone.", folder.display()));
        }
    }
    print_foreign(&format!(
        "Put the shop's API key into {}, and the warehouse's into {}: docs/keys.md says where they come from.",
        values.shop_key, values.warehouse_key
    ));
    print_line(&format!("The admin token, shown this once: {}", values.token));
    let is_default = path == Path::new(DEFAULT_PATH);
    let options = if is_default { String::new() } else { format!(" --config {}", path.display()) };
    next_steps(&values.name, &options).lines().for_each(print_foreign);
    if let Err(errors) = Config::load_in(directory, &text, environment) {
        print_error("Still missing in it:");
        for error in errors {
            print_error(&format!("  {error}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the folder of a file that does not exist yet, closed to other accounts; returns it where it is new.
fn prepare_folder(directory: &Path, file: &Path) -> Result<Option<PathBuf>> {
    use std::os::unix::fs::DirBuilderExt;

    let Some(parent) = file.parent().filter(|parent| !parent.as_os_str().is_empty()) else { return Ok(None) };
    let folder = directory.join(parent);
    if folder.exists() {
        return Ok(None); // as its owner wants it; the doctor says where others can read secrets
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    Ok(Some(folder))
}

/// Takes the options, asks for what they lack, and draws the secrets.
fn collect(args: InitArgs, questions: &mut Questions, entropy: &Entropy) -> Result<Values> {
    let default_url = || "https://api.ogoship.com".to_owned();
    let mut ask = |given, question, default_value| questions.ask(given, question, default_value);
    Ok(Values {
        name: ask(args.name, "The name of the connection [a-z0-9-]", "kauppa")?,
        public_url: ask(
            args.public_url,
            "The URL at which the two vendors reach Silta",
            "https://silta.example.fi",
        )?,
        shop_url: ask(args.shop_url, "The shop's URL", "https://STORENAME.mycashflow.fi")?,
        shop_user: ask(args.shop_user, "The shop's API user", "api@example.fi")?,
        shop_key: ask(args.shop_api_key_file, "The file with its API key", "secrets/shop-api-key")?,
        warehouse_url: args.warehouse_url.unwrap_or_else(default_url),
        warehouse_key: ask(
            args.warehouse_api_key_file,
            "The file with the warehouse's API key",
            "secrets/ogoship-api-key",
        )?,
        header: ask(args.signature_header, "The header with the shop's signature", "X-MyCashflow-Signature")?,
        database: args.database_url.unwrap_or_default(),
        is_sandbox: args.sandbox,
        token: hex::encode(entropy.bytes::<24>()),
        webhook_token: hex::encode(entropy.bytes::<16>()),
        ogoship_token: hex::encode(entropy.bytes::<16>()),
        encryption_key: hex::encode(entropy.bytes::<32>()),
    })
}

/// Asks, and remembers what had to be assumed.
#[derive(Default)]
struct Questions {
    assumed: Vec<String>,
}

impl Questions {
    /// The given value, or the answer to a question; without a terminal, the default.
    fn ask(&mut self, given: Option<String>, question: &str, default_value: &str) -> Result<String> {
        if let Some(given) = given {
            return Ok(given);
        }
        let stdin = std::io::stdin();
        if !stdin.is_terminal() {
            self.assumed.push(format!("{question}: {default_value}"));
            return Ok(default_value.to_owned());
        }
        let mut out = std::io::stderr();
        write!(out, "{question}? [{default_value}] ")?;
        out.flush()?;
        let mut line = String::new();
        stdin.lock().read_line(&mut line)?;
        let line = line.trim();
        Ok(if line.is_empty() { default_value.to_owned() } else { line.to_owned() })
    }
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
