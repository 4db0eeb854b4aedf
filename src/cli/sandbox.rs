//! `silta sandbox`: the two fake vendors on given ports.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Result;

use super::print_line;
use crate::{
    dev::sandbox::{Sandbox, Simulation, Traffic, WebhookSender, credentials},
    runtime::clock::{Entropy, SystemClock},
};

/// Serves both vendors until interrupted; with the address of a Silta, a slow day is played.
pub(super) async fn serve(
    shop: SocketAddr,
    warehouse: SocketAddr,
    silta: Option<String>,
    connection: &str,
) -> Result<()> {
    let entropy = Arc::new(Entropy::from_os());
    let sandbox = Sandbox::start(shop, warehouse, Arc::new(SystemClock), entropy.clone()).await?;
    let webhook_sender = WebhookSender::to(silta.as_deref().unwrap_or("http://127.0.0.1:8080"), connection);
    let traffic = Traffic { orders: usize::MAX, lost: 0.05, doubled: 0.1, late: 0.1 };
    let shop_order = crate::dev::sandbox::OrderSpec::of("KAHVI-500", 1);
    let mut simulation =
        Simulation::start(&sandbox, webhook_sender, entropy, traffic, &format!("{connection}-"));
    let order = sandbox.shop.place_order(shop_order);
    print_line(&format!(
        "shop       {}  (user {}, api_key {})\nwarehouse  {}  (api_key {})\norder {order} of KAHVI-500 is waiting in \
         the shop; Ctrl-C ends",
        sandbox.shop_server.url(),
        credentials::USER,
        credentials::API_KEY,
        sandbox.warehouse_server.url(),
        credentials::API_KEY_OGOSHIP,
    ));
    let day = async {
        if silta.is_none() {
            return std::future::pending().await;
        }
        simulation.announce_catalogue().await;
        loop {
            simulation.step().await;
            #[expect(clippy::disallowed_methods, reason = "shoppers take their time")]
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
    };
    tokio::select! {
        () = day => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}
