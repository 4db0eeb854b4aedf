//! Both fake vendors, serving.

use std::{net::SocketAddr, sync::Arc};

use super::{
    credentials::{
        API_KEY, CLIENT_ID, CLIENT_SECRET, MERCHANT_ID, OGOSHIP_WEBHOOK_TOKEN, SECRET_TOKEN, SHOP_HEADER,
        SHOP_SECRET, USER, WAREHOUSE_KEY, WEBHOOK_TOKEN,
    },
    server::Server,
    shop::Shop,
    shop_http,
    warehouse::Warehouse,
    warehouse_http,
};
use crate::runtime::clock::{Clock, Entropy};

/// A fake shop and a fake warehouse, and the servers that expose them over HTTP.
pub struct Sandbox {
    /// The shop's state, and what its people can do.
    pub shop: Shop,
    /// The warehouse's state, and what its people can do.
    pub warehouse: Warehouse,
    /// The shop over HTTP.
    pub shop_server: Server,
    /// The warehouse over HTTP.
    pub warehouse_server: Server,
}

impl Sandbox {
    /// Starts both vendors on these addresses; port 0 picks a free one.
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

    /// The `[[connections]]` block that ties these two vendors together, as a merchant would write it.
    pub fn connection_toml(&self, name: &str) -> String {
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
webhook_token = "{OGOSHIP_WEBHOOK_TOKEN}"
webhook_path_without_token = true
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
