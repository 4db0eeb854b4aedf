//! What the overview shows, read in one go.

use chrono::TimeDelta;
use serde::Deserialize;
use sqlx::PgConnection;

use super::{
    decisions::{self, Decision},
    deps::DashboardState,
    user::User,
};
use crate::{
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
    pub(super) statuses: Vec<(String, i64)>,
    pub(super) figures: Figures,
    pub(super) rates: Vec<CallRate>,
    pub(super) recent: Vec<RecentChange>,
    pub(super) alerts: Vec<AlertRow>,
}

/// Loads it.
pub(super) async fn load(
    deps: &DashboardState,
    user: &User,
    db: &mut PgConnection,
    range: Range,
) -> store::Result<Overview> {
    let alerts = alerts::list(db, true, &Page { before: None, limit: 20 }).await?;
    let notified = alerts.into_iter().filter(|alert| alert.notified_at.is_some() && !is_shown_anyway(alert));
    Ok(Overview {
        connections: connections::list(db).await?,
        backlogs: overview::backlog(db, user.now).await?,
        down: vendors_down::list(db).await?,
        decisions: decisions::load(db, user.audience()).await?,
        statuses: orders::count_by_status(db, None).await?,
        figures: figures::load(db, None, range.since(user.now), user.now).await?,
        rates: load_rates(deps, db).await?,
        recent: recent_changes::list(db, None, RECENT).await?,
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
    let mut rates = Vec::new();
    for (connection, configured) in &deps.rates {
        for (vendor, configured) in [Vendor::MyCashflow, Vendor::Ogoship].into_iter().zip(*configured) {
            let stored = rate_limits::find(db, connection, vendor.as_str()).await?;
            // The row's times are the database's.
            let now = deps.clock.now() - deps.clock.ahead_of(stored.read_at);
            let current = stored.limit.map_or(configured, |limit| limit.rate(configured, now));
            rates.push(CallRate { vendor, current, configured });
        }
    }
    Ok(rates)
}
