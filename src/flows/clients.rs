//! The clients of a connection.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    domain::{order::OrderPolicy, product::ProductPolicy, stock::StockPolicy, switch::Switches},
    vendors::{http::call_log::CallLog, mycashflow::MyCashflow, ogoship::Ogoship},
};

/// The clients of every configured connection, by its name. Each clone shares them.
#[derive(Clone)]
pub struct AllClients(Arc<BTreeMap<String, Arc<ConnectionClients>>>);

impl AllClients {
    /// The clients of a connection; `None` where this process's configuration does not name it.
    pub fn find(&self, connection: &str) -> Option<&Arc<ConnectionClients>> {
        self.0.get(connection)
    }

    /// All of them, by their connections' names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ConnectionClients>> {
        self.0.values()
    }

    /// The names of the configured connections.
    pub fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

impl FromIterator<ConnectionClients> for AllClients {
    fn from_iter<I: IntoIterator<Item = ConnectionClients>>(clients: I) -> Self {
        Self(Arc::new(clients.into_iter().map(|it| (it.name.clone(), Arc::new(it))).collect()))
    }
}

/// The clients of a connection's two vendors, and its rules.
#[derive(Clone)]
pub struct ConnectionClients {
    /// The connection's name.
    pub name: String,
    /// The shop.
    pub shop: MyCashflow,
    /// The warehouse.
    pub warehouse: Ogoship,
    /// The rules for orders.
    pub order_policy: Arc<OrderPolicy>,
    /// The rules for stock.
    pub stock_policy: Arc<StockPolicy>,
    /// The rules for products.
    pub product_policy: Arc<ProductPolicy>,
    /// Calls a second that the slower of its vendors takes.
    pub calls_per_second: f64,
    /// The settling time before anything is sent again after an unknown outcome.
    pub recheck_delay: Duration,
}

impl ConnectionClients {
    /// What is written by itself, when a person asks, or never.
    pub fn switches(&self) -> Switches {
        Switches {
            orders: self.order_policy.transfer,
            products: self.product_policy.upload,
            stock: self.stock_policy.update,
        }
    }

    /// The same clients, recording every call.
    pub fn with_call_log(&self, call_log: &CallLog) -> Self {
        Self {
            shop: self.shop.with_call_log(call_log),
            warehouse: self.warehouse.with_call_log(call_log),
            ..self.clone()
        }
    }

    /// The same clients, with calls that let live ones go first.
    pub fn in_background(&self) -> Self {
        Self { shop: self.shop.in_background(), warehouse: self.warehouse.in_background(), ..self.clone() }
    }
}
