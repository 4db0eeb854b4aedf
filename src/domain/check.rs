//! A check of a connection: what was looked at and what was found. `explain` has the words, what to do included.
//!
//! Checks are stored until the next test, so nothing personal and no secret is in them.

use serde::{Deserialize, Serialize};

use super::{failed_call::FailedCall, public_url::PublicUrlFinding, switch::Switches, vendor::Vendor};

/// A check and its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at.
    pub name: CheckName,
    /// How it came out.
    pub result: CheckResult,
    /// What was found.
    pub found: Found,
    /// What it was found for, one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

/// What a check looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CheckName {
    /// Whether the public URL leads here.
    PublicUrl,
    /// What is written by itself.
    Switches,
    /// The shop's key.
    Shop,
    /// The version of the order endpoints.
    OrdersApi,
    /// The warehouse's key.
    Warehouse,
    /// Rules for shipping methods.
    Shipping,
    /// The clocks.
    Clock,
    /// Subscriptions to webhooks.
    Webhooks,
    /// Signatures of webhooks.
    Signatures,
    /// Product codes.
    Codes,
    /// What the warehouse asks of products.
    Products,
    /// Whether there was time, and a database, for all of it.
    Whole,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// Good.
    Good,
    /// Orders and stock flow, and somebody should look at it.
    Warning,
    /// Something does not work.
    Failed,
    /// It depends on something that does not work.
    NotChecked,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// What is written by itself.
    Switches(Switches),
    /// A vendor answers and accepts the key.
    Answers {
        /// Which.
        vendor: Vendor,
        /// The host of its address.
        host: String,
        /// As whom it was called; left out where others read it.
        account: Option<Account>,
        /// How many products it has, where it says so.
        products: Option<i64>,
    },
    /// The order endpoints of the configured version are there, and maybe those of another one.
    OrdersApi {
        /// The configured one.
        version: String,
        /// The other one.
        other: Option<String>,
    },
    /// Only those of the other version are there.
    OtherOrdersApi {
        /// The configured one.
        version: String,
        /// The other one.
        other: String,
    },
    /// None are there.
    NoOrdersApi {
        /// The configured one.
        version: String,
        /// The other one.
        other: String,
    },
    /// No shipping rule is configured.
    NoShippingRule {
        /// The shop's methods.
        methods: Vec<String>,
    },
    /// How rules and methods fit.
    ShippingRules {
        /// Methods without a rule.
        unmatched: Vec<String>,
        /// Patterns without a method.
        unused: Vec<String>,
    },
    /// How far our clock is ahead of each vendor's.
    Clock(Vec<ClockOffset>),
    /// How many subscriptions call this address.
    Subscriptions {
        /// At the shop.
        shop: usize,
        /// At the warehouse.
        warehouse: usize,
        /// Whether the shop has a list of them.
        shop_has_list: bool,
        /// The public URL.
        url: String,
    },
    /// Subscriptions that were made just now: vendor and topic.
    Registered {
        /// Those made.
        created: Vec<(String, String)>,
        /// How many were removed that called the path of a former token.
        removed: usize,
    },
    /// Which signatures fitted, and what was rejected since.
    Signatures(Vec<SignatureState>),
    /// Codes that cannot be sent.
    Codes(usize),
    /// Products that lack something.
    Remarks(usize),
    /// Another process reads the catalogue, and comes no further: the id of its sync.
    CatalogueStalled(String),
    /// The catalogue could not be read, and why.
    CatalogueUnread(String),
    /// A call failed.
    CallFailed(FailedCall),
    /// Where the public URL leads.
    PublicUrl {
        /// The URL as configured.
        url: String,
        /// Where it leads.
        leads: PublicUrlFinding,
    },
    /// It was not looked at.
    NotChecked(Obstacle),
    /// There was no time for the rest.
    OutOfTime,
    /// The database failed on the way.
    DatabaseAway,
}

/// As whom a vendor is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// The shop's API user.
    User(String),
    /// With an API key alone.
    ApiKey,
    /// The warehouse's merchant.
    Merchant(String),
}

/// How far our clock is ahead of a vendor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockOffset {
    /// The vendor.
    pub vendor: Vendor,
    /// The seconds; `None` where it sends no time.
    pub seconds: Option<i64>,
}

/// What is known of a sender's signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureState {
    /// The sender.
    pub vendor: Vendor,
    /// How many seconds ago one fitted.
    pub matched_ago: Option<u64>,
    /// What seemed wrong with those that were rejected since.
    pub hints: Vec<String>,
}

/// Why a check was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// The check of the shop failed.
    Shop,
    /// The check of the warehouse failed.
    Warehouse,
    /// Neither vendor answers.
    BothVendors,
    /// There is no public URL.
    NoPublicUrl,
    /// The catalogue was not read.
    Catalogue,
    /// The connection is paused.
    Paused,
    /// The connection's circuit is open: a vendor is down or refuses the key.
    Down,
}

impl Check {
    /// A check that came out good.
    pub const fn good(name: CheckName, found: Found) -> Self {
        Self { name, result: CheckResult::Good, found, details: Vec::new() }
    }

    /// The same, with a warning.
    pub fn warning(self) -> Self {
        Self { result: CheckResult::Warning, ..self }
    }

    /// The same, failed.
    pub fn failed(self) -> Self {
        Self { result: CheckResult::Failed, ..self }
    }

    /// The same, failed unless this holds.
    pub fn required(self, holds: bool) -> Self {
        if holds { self } else { self.failed() }
    }

    /// The same, with what it was found for.
    pub fn with_details<T: ToString>(self, details: &[T]) -> Self {
        Self { details: details.iter().map(ToString::to_string).collect(), ..self }
    }

    /// A check that would only repeat what another one has found.
    pub const fn skipped(name: CheckName, obstacle: Obstacle) -> Self {
        let found = Found::NotChecked(obstacle);
        Self { name, result: CheckResult::NotChecked, found, details: Vec::new() }
    }

    /// True where something does not work, and the checks that depend on it are not made.
    pub fn is_failed(&self) -> bool {
        self.result == CheckResult::Failed
    }
}
