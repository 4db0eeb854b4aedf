//! `silta sandbox`: runs the two fake vendors on given ports.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Result;
use clap::Args;

use super::print::print_line;
use crate::{
    dev::sandbox::{OrderSpec, Sandbox, Simulation, Traffic, WebhookSender, credentials},
    runtime::clock::{Entropy, SystemClock},
};

/// Where the vendors listen, and which Silta they talk to.
#[derive(Args)]
pub(super) struct SandboxArgs {
    /// The address of the shop
    #[arg(long, default_value = "127.0.0.1:8091")]
    shop: SocketAddr,
    /// The address of the warehouse
    #[arg(long, default_value = "127.0.0.1:8092")]
    warehouse: SocketAddr,
    /// The base URL of a running Silta; if given, a shopper orders every few seconds
    #[arg(long)]
    silta: Option<String>,
    /// The connection's name in Silta's configuration
    #[arg(long, default_value = "sandbox")]
    connection: String,
}

/// Serves both vendors until interrupted. With the URL of a Silta, a shopper orders every few seconds.
pub(super) async fn serve(args: SandboxArgs) -> Result<()> {
    let SandboxArgs { shop, warehouse, silta, connection } = args;
    let entropy = Arc::new(Entropy::from_os());
    let sandbox = Sandbox::start(shop, warehouse, Arc::new(SystemClock), entropy.clone()).await?;
    let webhook_sender = WebhookSender::to(silta.as_deref().unwrap_or("http://127.0.0.1:8080"), &connection);
    let traffic = Traffic { orders: usize::MAX, lost: 0.05, doubled: 0.1, late: 0.1 };
    let mut simulation =
        Simulation::start(&sandbox, webhook_sender, entropy, traffic, &format!("{connection}-"));
    let order = sandbox.shop.place_order(OrderSpec::of("KAHVI-500", 1));
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
            #[expect(clippy::disallowed_methods, reason = "the simulation runs in real time")]
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
    };
    tokio::select! {
        () = day => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}
