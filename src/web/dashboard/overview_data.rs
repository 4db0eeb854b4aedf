//! What the overview shows. Its parts are read at the same time, each on a connection of its own that it holds for no
//! other: with few connections they follow each other.

use chrono::TimeDelta;
use serde::Deserialize;
use sqlx::PgConnection;

use super::{
    decisions::{self, Decision, Vendors},
    deps::DashboardState,
    releases::load_ready,
    user::User,
};
use crate::{
    actions::Releasable,
    domain::{Timestamp, alert::AlertKind, vendor::Vendor},
    store::{
        self, Page,
        alerts::{self, AlertRow},
        connections::{self, ConnectionRow},
        rate_limits,
        views::{
            figures::{self, Figures},
            orders, overview,
            recent_changes::{self, RecentChange},
            vendors_down::{self, VendorDown},
        },
    },
};

/// Decisions shown; the others stand under needs attention.
const DECISIONS: usize = 3;

/// Changes of orders shown as what just happened.
const RECENT: i64 = 10;

/// How far back the figures look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Range {
    #[default]
    Day,
    Week,
    Month,
}

impl Range {
    /// From when on.
    pub(super) fn since(self, now: Timestamp) -> Timestamp {
        now - match self {
            Self::Day => TimeDelta::hours(23),
            Self::Week => TimeDelta::hours(7 * 24 - 1),
            Self::Month => TimeDelta::hours(30 * 24 - 1),
        }
    }
}

/// All that the page shows.
pub(super) struct Overview {
    pub(super) connections: Vec<ConnectionRow>,
    pub(super) backlogs: Vec<overview::Backlog>,
    pub(super) down: Vec<VendorDown>,
    pub(super) decisions: Vec<Decision>,
    /// Of those that are shown.
    pub(super) vendors: Vendors,
    /// What waited for a switch or a shipping rule that is there now.
    pub(super) ready: Vec<Releasable>,
    pub(super) statuses: Vec<(String, i64)>,
    pub(super) figures: Figures,
    pub(super) rates: Vec<CallRate>,
    pub(super) recent: Vec<RecentChange>,
    pub(super) alerts: Vec<AlertRow>,
}

impl Overview {
    /// The decisions that the page shows.
    pub(super) fn shown_decisions(&self) -> &[Decision] {
        first(&self.decisions)
    }
}

fn first(decisions: &[Decision]) -> &[Decision] {
    &decisions[..decisions.len().min(DECISIONS)]
}

/// What is counted and listed by the connection.
struct Listed {
    connections: Vec<ConnectionRow>,
    backlogs: Vec<overview::Backlog>,
    down: Vec<VendorDown>,
    statuses: Vec<(String, i64)>,
    recent: Vec<RecentChange>,
    alerts: Vec<AlertRow>,
}

/// Loads it.
pub(super) async fn load(deps: &DashboardState, user: &User, range: Range) -> store::Result<Overview> {
    let decisions = async {
        let mut db = deps.pool.acquire().await?;
        let decisions = decisions::load(&mut db, user.audience()).await?;
        let shown = first(&decisions);
        // As under needs attention.
        let is_known = user.is_operator();
        let vendors =
            if is_known { decisions::load_vendors(&mut db, shown).await? } else { Vendors::default() };
        Ok((decisions, vendors))
    };
    let measured = async {
        let mut db = deps.pool.acquire().await?;
        let figures = figures::load(&mut db, None, range.since(user.now), user.now).await?;
        let rates = load_rates(deps, &mut db).await?;
        Ok((figures, rates, load_ready(deps, user, &mut db).await?))
    };
    let (listed, (decisions, vendors), (figures, rates, ready)) =
        tokio::try_join!(load_lists(deps, user), decisions, measured)?;
    let Listed { connections, backlogs, down, statuses, recent, alerts } = listed;
    Ok(Overview {
        connections,
        backlogs,
        down,
        decisions,
        vendors,
        ready,
        statuses,
        figures,
        rates,
        recent,
        alerts,
    })
}

async fn load_lists(deps: &DashboardState, user: &User) -> store::Result<Listed> {
    let mut db = deps.pool.acquire().await?;
    let alerts = alerts::list(&mut db, true, &Page { before: None, limit: 20 }).await?;
    let notified = alerts.into_iter().filter(|alert| alert.notified_at.is_some() && !is_shown_anyway(alert));
    Ok(Listed {
        connections: connections::list(&mut db).await?,
        backlogs: overview::backlog(&mut db, user.now).await?,
        down: vendors_down::list(&mut db).await?,
        statuses: orders::count_by_status(&mut db, None).await?,
        recent: recent_changes::list(&mut db, None, RECENT).await?,
        alerts: notified.map(|alert| user.audience().alert(alert)).collect(),
    })
}

/// Whether the page says it in another place: what needs attention, and what stops orders.
fn is_shown_anyway(alert: &AlertRow) -> bool {
    matches!(
        AlertKind::parse(&alert.kind),
        Some(AlertKind::Dead | AlertKind::CircuitOpen | AlertKind::StockBraked)
    )
}

/// The calls a second that the rate limiter of a connection allows.
pub(super) struct CallRate {
    /// The vendor.
    pub(super) vendor: Vendor,
    /// Allowed now.
    pub(super) current: f64,
    /// Configured.
    pub(super) configured: f64,
}

/// Loads the rates that the rate limiters allow now, of all connections of this process.
async fn load_rates(deps: &DashboardState, db: &mut PgConnection) -> store::Result<Vec<CallRate>> {
    let names: Vec<_> = deps.rates.iter().map(|(connection, _)| connection.as_str()).collect();
    let stored = rate_limits::list(db, &names).await?;
    let mut rates = Vec::new();
    for (connection, configured) in &deps.rates {
        for (vendor, configured) in [Vendor::MyCashflow, Vendor::Ogoship].into_iter().zip(*configured) {
            let used = stored.get(&(connection.clone(), vendor)).map(|stored| {
                // The row's times are the database's.
                let now = deps.clock.now() - deps.clock.ahead_of(stored.read_at);
                stored.limit.rate(configured, now)
            });
            rates.push(CallRate { vendor, current: used.unwrap_or(configured), configured });
        }
    }
    Ok(rates)
}
