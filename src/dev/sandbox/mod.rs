//! A stateful fake shop and a fake warehouse over real HTTP, with the quirks of the contract, a life of their own and
//! faults on demand. The tests, the demo and `silta sandbox` use the same ones.
//!
//! **They keep their own books.** What is lost or doubled is counted here, from outside, and never by asking Silta. To
//! make that count mean something the fakes are as unhelpful as the vendors may be: they ignore `Idempotency-Key`, and
//! the warehouse takes a second order of the same reference without a word.
//!
//! This room imports nothing of Silta's but the clock and chance: what it knows of the vendors it knows from the
//! contract, so that a misreading there cannot agree with itself.

mod books;
mod courier;
mod faults;
mod goods;
mod life;
mod order_spec;
mod server;
mod shelves;
mod shop;
mod shop_http;
mod shop_orders_http;
mod warehouse;
mod warehouse_http;

use std::{net::SocketAddr, sync::Arc};

pub use books::{Reconciliation, reconcile};
pub use courier::{Webhook, WebhookSender};
pub use faults::{Fault, Faults, RandomFaults};
pub use life::{Simulation, Traffic};
pub use order_spec::OrderSpec;
pub use server::{Calls, Server};
pub use shop::Shop;
pub use warehouse::Warehouse;

use crate::runtime::clock::{Clock, Entropy};

/// What the sandbox's accounts are called; anything else is refused.
pub mod credentials {
    /// The shop's API user.
    pub const USER: &str = "api@sandbox.example";
    /// Its key.
    pub const API_KEY: &str = "sandbox-api-key";
    /// The warehouse's merchant.
    pub const MERCHANT_ID: &str = "sandbox-merchant";
    /// Its secret token.
    pub const SECRET_TOKEN: &str = "sandbox-secret-token";
    /// OAuth client.
    pub const CLIENT_ID: &str = "123456";
    /// OAuth client.
    pub const CLIENT_SECRET: &str = "abcdef";
    /// `X-OgoKey`.
    pub const API_KEY_OGOSHIP: &str = "sandbox-ogokey";
    /// The header in which the sandbox shop signs; the true one is not public.
    pub const SHOP_HEADER: &str = "X-MyCashflow-Signature";
    /// The shop's webhook secret.
    pub const SHOP_SECRET: &str = "083c584d-ae65-11ec-aef4-0242ac130002";
    /// The warehouse's webhook key.
    pub const WAREHOUSE_KEY: &str = "sandbox-webhook-key";
    /// The unguessable part of the callback path.
    pub const WEBHOOK_TOKEN: &str = "sandbox-token-4f1d";
}

/// Both vendors, serving.
pub struct Sandbox {
    /// The shop's state and verbs.
    pub shop: Shop,
    /// The warehouse's state and verbs.
    pub warehouse: Warehouse,
    /// The shop over HTTP.
    pub shop_server: Server,
    /// The warehouse over HTTP.
    pub warehouse_server: Server,
}

impl Sandbox {
    /// Both vendors on these addresses; port 0 picks a free one.
    pub async fn start(
        shop_at: SocketAddr,
        warehouse_at: SocketAddr,
        clock: Arc<dyn Clock>,
        entropy: Arc<Entropy>,
    ) -> std::io::Result<Self> {
        let shop = Shop::new(clock.clone());
        let warehouse = Warehouse::new(clock, entropy);
        let shop_server = Server::start(shop_at, shop_http::router(shop.clone())).await?;
        let warehouse_server = Server::start(warehouse_at, warehouse_http::router(warehouse.clone())).await?;
        Ok(Self { shop, warehouse, shop_server, warehouse_server })
    }

    /// The `[[connections]]` block by which Silta meets these two vendors, as a merchant would write it.
    pub fn connection_toml(&self, name: &str) -> String {
        use credentials::{
            API_KEY, CLIENT_ID, CLIENT_SECRET, MERCHANT_ID, SECRET_TOKEN, SHOP_HEADER, SHOP_SECRET, USER,
            WAREHOUSE_KEY, WEBHOOK_TOKEN,
        };

        let (shop, warehouse) = (self.shop_server.url(), self.warehouse_server.url());
        format!(
            r#"
[[connections]]
name = "{name}"
[connections.mycashflow]
url = "{shop}"
user = "{USER}"
api_key = "{API_KEY}"
webhook_token = "{WEBHOOK_TOKEN}"
requests_per_second = 1000
[connections.mycashflow.signature]
header = "{SHOP_HEADER}"
secrets = ["{SHOP_SECRET}"]
[connections.ogoship]
url = "{warehouse}"
auth_url = "{warehouse}"
merchant_id = "{MERCHANT_ID}"
secret_token = "{SECRET_TOKEN}"
client_id = "{CLIENT_ID}"
client_secret = "{CLIENT_SECRET}"
webhook_keys = ["{WAREHOUSE_KEY}"]
requests_per_second = 1000
[connections.orders]
reference_prefix = "{name}-"
cash_on_delivery = ["COD"]
[connections.shipping]
"POSTI-PICKUP" = {{ code = "Posti Pickup", pickup = true }}
"POSTI-*" = "Posti Parcel"
"*kuriiri*" = "Courier"
"#
        )
    }
}
