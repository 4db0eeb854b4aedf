//! `silta sandbox`: runs the two fake vendors on given ports. A shopper orders every few seconds once a webhook has an address
//! to go to: those that `silta webhooks register` has registered there, each with its key, or a given Silta.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Result;
use clap::Args;

use super::print::print_line;
use crate::{
    dev::sandbox::{
        OrderSpec, Sandbox, ShopSignature, Simulation, Subscribed, Traffic, WebhookSender, credentials,
    },
    runtime::clock::{Entropy, SystemClock},
};

/// How long a webhook waits for its answer.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the vendors listen, and which Silta they talk to.
#[derive(Args)]
pub(super) struct SandboxArgs {
    /// The address of the shop
    #[arg(long, default_value = "127.0.0.1:8091")]
    shop: SocketAddr,
    /// The address of the warehouse
    #[arg(long, default_value = "127.0.0.1:8092")]
    warehouse: SocketAddr,
    /// The base URL of a running Silta, for webhooks of a vendor where none is registered; they are signed with the keys of
    /// deploy/sandbox.toml
    #[arg(long)]
    silta: Option<String>,
    /// The connection's name in Silta's configuration
    #[arg(long, default_value = "sandbox")]
    connection: String,
    /// The header in which the shop signs registered webhooks; what the real one does is not public
    #[arg(long, default_value = credentials::SHOP_HEADER)]
    shop_header: String,
    /// The shop signs registered webhooks in base64 in place of hex
    #[arg(long)]
    shop_base64: bool,
    /// How often something happens
    #[arg(long, default_value = "3s")]
    every: humantime::Duration,
}

/// Serves both vendors until interrupted.
pub(super) async fn serve(args: SandboxArgs) -> Result<()> {
    let SandboxArgs { shop, warehouse, silta, connection, shop_header, shop_base64, every } = args;
    let entropy = Arc::new(Entropy::from_os());
    let sandbox = Sandbox::start(shop, warehouse, Arc::new(SystemClock), entropy.clone()).await?;
    sandbox.shop.number_subscriptions_from(u32::from_be_bytes(entropy.bytes()) / 2);
    let subscribed = Subscribed {
        shop: sandbox.shop.clone(),
        warehouse: sandbox.warehouse.clone(),
        shop_signature: ShopSignature { header: shop_header, base64: shop_base64 },
    };
    let replicas: Vec<_> = silta.into_iter().collect();
    let webhook_sender = WebhookSender::with_timeout(&replicas, &connection, SEND_TIMEOUT);
    let webhook_sender = webhook_sender.with_subscriptions(subscribed);
    let traffic = Traffic { orders: usize::MAX, lost: 0.05, doubled: 0.1, late: 0.1 };
    let mut simulation =
        Simulation::start(&sandbox, webhook_sender.clone(), entropy, traffic, &format!("{connection}-"));
    let order = sandbox.shop.place_order(OrderSpec::of("KAHVI-500", 1));
    print_line(&format!(
        "shop       {}  (user {}, api_key {})\nwarehouse  {}  (api_key {})\norder {order} of KAHVI-500 is waiting in \
         the shop. A shopper orders every {every} once webhooks have an address: silta webhooks register {connection}, or \
         --silta URL. Ctrl-C ends",
        sandbox.shop_server.url(),
        credentials::USER,
        credentials::API_KEY,
        sandbox.warehouse_server.url(),
        credentials::API_KEY_OGOSHIP,
    ));
    let day = async {
        let mut is_announced = false;
        loop {
            if webhook_sender.has_target() {
                if !std::mem::replace(&mut is_announced, true) {
                    simulation.announce_catalogue().await;
                }
                simulation.step().await;
            }
            #[expect(clippy::disallowed_methods, reason = "the simulation runs in real time")]
            tokio::time::sleep(every.into()).await;
        }
    };
    tokio::select! {
        () = day => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}
