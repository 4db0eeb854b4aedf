//! The cases of the benchmark. Each measures one claim of `docs/performance.md` beside its reference in the same run.

pub mod at_work;
pub mod claim;
pub mod day;
pub mod drain;
pub mod end_to_end;
pub mod footprint;
pub mod hour;
pub mod ingest;
pub mod overload;
pub mod pages;
pub mod scale_out;
pub mod standby;
pub mod stores;
pub mod sync;
pub mod upload;

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use silta::domain::task::retry::RetryPolicy;

use crate::{picture::Picture, report::Report};

/// The defaults of `[retry]`.
pub const POLICY: RetryPolicy = RetryPolicy {
    base: Duration::from_secs(2),
    cap: Duration::from_secs(3600),
    attempts: 12,
    recheck_delay: Duration::from_secs(10),
    unknown_for: Duration::from_secs(6 * 3600),
};

/// What a case is given, and where it writes.
pub struct Bench {
    /// The program.
    pub silta: PathBuf,
    /// How often each comparison is repeated.
    pub rounds: usize,
    /// Without the long series.
    pub quick: bool,
    pub report: Report,
    pub pictures: PathBuf,
}

impl Bench {
    /// A configuration with one connection whose vendors do not exist, for cases that call none.
    pub fn inbox_config(&self, connection: &str) -> String {
        use silta::dev::sandbox::credentials;
        let _ = self;
        format!(
            r#"
[http]
listen = "127.0.0.1:0"
[log]
filter = "warn,silta::cli=info"
[[connections]]
name = "{connection}"
[connections.mycashflow]
url = "https://shop.example"
user = "u"
api_key = "k"
webhook_token = "{token}"
[connections.mycashflow.signature]
header = "{header}"
secrets = ["{secret}"]
[connections.ogoship]
merchant_id = "1"
api_key = "k"
webhook_token = "{ogoship_token}"
webhook_keys = ["k"]
"#,
            token = credentials::WEBHOOK_TOKEN,
            ogoship_token = credentials::OGOSHIP_WEBHOOK_TOKEN,
            header = credentials::SHOP_HEADER,
            secret = credentials::SHOP_SECRET,
        )
    }

    /// The same with vendors that take as many calls as a worker makes: no more attempts of a connection run at once than its
    /// slower vendor feeds.
    pub fn unlimited_config(&self, connection: &str) -> String {
        let unlimited = "requests_per_second = 10000";
        self.inbox_config(connection)
            .replace("user = \"u\"", &format!("{unlimited}\nuser = \"u\""))
            .replace("merchant_id", &format!("{unlimited}\nmerchant_id"))
    }

    pub fn draw(&mut self, picture: &Picture) -> Result<()> {
        picture.draw(&self.pictures)
    }
}
