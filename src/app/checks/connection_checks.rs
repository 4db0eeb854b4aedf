//! All checks of a connection, in their order.
//!
//! A check that depends on one that failed is not made: it would fail too, with a remedy for something else. No connection to
//! the database is kept across a call.

use reqwest::Client;
use sqlx::PgPool;

use super::{
    shipping::check_shipping,
    vendors::{VendorChecks, VendorNames},
    webhooks,
};
use crate::{
    background::subscriptions::Subscriptions,
    domain::{
        check::{Check, CheckName, Found, Obstacle},
        event::subject::SubjectKind,
        switch::Switch,
    },
    flows::ConnectionClients,
    runtime::clock::Clock,
    store,
    vendors::http::error::CallError,
};

/// What the checks of a connection need.
pub(crate) struct ConnectionChecks<'a> {
    pub(crate) pool: &'a PgPool,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) clients: &'a ConnectionClients,
    pub(crate) names: &'a VendorNames,
    /// Tells why a vendor cannot be reached.
    pub(crate) client: &'a Client,
    pub(crate) subscriptions: &'a Subscriptions,
}

impl ConnectionChecks<'_> {
    /// Makes the checks that ask the vendors, and adds each as soon as it is made. Returns what stands in the way of checks of
    /// the catalogue, if anything does.
    pub(crate) async fn run(&self, checks: &mut Vec<Check>) -> store::Result<Option<Obstacle>> {
        let vendors = self.vendors();
        checks.push(self.switches());
        let shop = vendors.shop().await;
        let has_shop = !shop.is_failed();
        checks.push(shop);
        checks.push(if has_shop {
            vendors.orders_api().await
        } else {
            Check::skipped(CheckName::OrdersApi, Obstacle::Shop)
        });
        let warehouse = vendors.warehouse().await;
        let answer = [has_shop, !warehouse.is_failed()];
        checks.push(warehouse);
        checks.push(if has_shop {
            check_shipping(self.pool, &vendors).await?
        } else {
            Check::skipped(CheckName::Shipping, Obstacle::Shop)
        });
        checks.push(match answer {
            [false, false] => Check::skipped(CheckName::Clock, Obstacle::BothVendors),
            answer => vendors.clock(answer).await,
        });
        let obstacle = match answer {
            [true, true] => None,
            [false, _] => Some(Obstacle::Shop),
            [true, false] => Some(Obstacle::Warehouse),
        };
        checks.push(match obstacle {
            Some(obstacle) => Check::skipped(CheckName::Webhooks, obstacle),
            None => self.webhooks(&vendors).await?,
        });
        checks.push(self.signatures().await?);
        Ok(obstacle)
    }

    /// The checks of a connection that is not to be asked now.
    pub(crate) async fn run_without_vendors(
        &self,
        obstacle: Obstacle,
        checks: &mut Vec<Check>,
    ) -> store::Result<()> {
        checks.push(self.switches());
        let asked = [
            CheckName::Shop,
            CheckName::OrdersApi,
            CheckName::Warehouse,
            CheckName::Shipping,
            CheckName::Clock,
            CheckName::Webhooks,
        ];
        checks.extend(asked.map(|name| Check::skipped(name, obstacle)));
        checks.push(self.signatures().await?);
        Ok(())
    }

    /// Whether both vendors have subscriptions that lead here.
    pub(crate) async fn subscriptions(&self) -> store::Result<Check> {
        self.webhooks(&self.vendors()).await
    }

    /// A call that failed.
    pub(crate) async fn call_failed(&self, name: CheckName, error: &CallError) -> Check {
        self.vendors().failed(name, error).await
    }

    fn vendors(&self) -> VendorChecks<'_> {
        let Self { clients, names, client, clock, .. } = *self;
        VendorChecks { clients, names, client, clock }
    }

    async fn webhooks(&self, vendors: &VendorChecks<'_>) -> store::Result<Check> {
        webhooks::check_subscriptions(self.subscriptions, vendors).await
    }

    async fn signatures(&self) -> store::Result<Check> {
        webhooks::check_signatures(self.pool, &self.clients.name, self.clock.now()).await
    }

    /// What waits until a person asks, or never happens: as configured, and easily forgotten.
    fn switches(&self) -> Check {
        let switches = self.clients.switches();
        let check = Check::good(CheckName::Switches, Found::Switches(switches));
        let is_automatic = |kind: &SubjectKind| switches.of(*kind) == Switch::Automatic;
        if SubjectKind::ALL.iter().all(is_automatic) { check } else { check.warning() }
    }
}
