//! The order's flow: read the shop's order and the warehouse's, decide, do that one thing.

use async_trait::async_trait;

use super::{Context, Deed, Flow, Report};
use crate::{
    domain::{
        Timestamp,
        fingerprint::sha256_hex,
        link::{Learnt, Link},
        order::{Draft, Next, OrderView, ShopOrder, ShopStatus, WarehouseOrder, decide},
        outcome::Outcome,
        subject::Subject,
    },
    systems::{call::Effect, ogoship::translate::new_order},
};

pub(super) struct OrderFlow;

#[async_trait]
impl Flow for OrderFlow {
    async fn run(&self, context: &Context) -> Report {
        let Context { tied, subject, link, intent, clock, .. } = context;
        let now = clock.now();
        let shop = match tied.shop.order(&subject.key).await {
            Ok(shop) => shop,
            Err(error) => return Report::unread(&error),
        };
        let reference = tied.orders.reference(&subject.key);
        let warehouse = match tied.warehouse.order(&reference).await {
            Ok(warehouse) => warehouse,
            Err(error) => return Report::unread(&error),
        };
        let (shop, warehouse) = (shop.as_ref(), warehouse.as_ref());
        let view = OrderView { shop, warehouse, link, intent: *intent, policy: &tied.orders, now };

        let mut report = match decide(&view) {
            Next::Nothing => Report::of(Outcome::InStep),
            Next::Skip(reason) => Report::skipped(reason),
            Next::Wait { until, reason } => Report::of(Outcome::Waiting { until, reason }),
            Next::AskPerson { reason, detail } => Report::permanent(reason, detail),
            Next::Adopt => Report { deed: Some("adopt"), ..Report::of(Outcome::Done) },
            Next::Place(draft) => place(context, &draft).await,
            Next::QuickProcess { tracking_code, cash_on_delivery } => {
                quick_process(context, tracking_code.as_deref(), cash_on_delivery).await
            }
            Next::CompleteShipment { id } => complete_shipment(context, &id).await,
        };
        if newly_completed(shop, link) {
            // A completed order moves the shop's own stock figures in a way that no webhook tells.
            report.follow_ups = stock_of(shop);
        }
        // Before what a deed taught: the older reading must not be the one that is turned away.
        report.learnt.insert(0, reading(subject, now, shop, warehouse, &reference));
        report
    }
}

async fn place(context: &Context, draft: &Draft) -> Report {
    let sent = serde_json::to_string(&new_order(draft)).expect("a draft is plain data");
    let deed = Deed::new(context, "place", Effect::Once, &sent);
    let placed =
        deed.perform(context, async |key| context.tied.warehouse.place_order(draft, key).await).await;
    let (order, report) = match placed {
        Ok(done) => done,
        Err(failed) => return failed,
    };
    let seen_at = context.clock.now();
    let sent_hash = Some(sha256_hex(sent.as_bytes()));
    let mut learnt = reading(&context.subject, seen_at, None, Some(&order), &draft.reference);
    learnt.link.sent_hash = sent_hash;
    report.learning(learnt)
}

async fn quick_process(context: &Context, tracking_code: Option<&str>, cash_on_delivery: bool) -> Report {
    let Context { tied, subject, .. } = context;
    let deed = Deed::new(context, "complete", Effect::Once, tracking_code.unwrap_or_default());
    let emails = tied.orders.send_emails;
    let done = deed
        .perform(context, async |key| {
            tied.shop.quick_process(&subject.key, tracking_code, cash_on_delivery, emails, key).await
        })
        .await;
    done.map_or_else(|failed| failed, |((), report)| report)
}

async fn complete_shipment(context: &Context, shipment: &str) -> Report {
    let Context { tied, subject, .. } = context;
    let deed = Deed::new(context, "complete_shipment", Effect::Once, shipment);
    let done = deed
        .perform(context, async |key| tied.shop.complete_shipment(&subject.key, shipment, key).await)
        .await;
    done.map_or_else(|failed| failed, |((), report)| report)
}

fn newly_completed(shop: Option<&ShopOrder>, link: &Link) -> bool {
    link.completed_at.is_none() && shop.is_some_and(|shop| shop.status == ShopStatus::Completed)
}

fn stock_of(shop: Option<&ShopOrder>) -> Vec<Subject> {
    let lines = shop.into_iter().flat_map(|shop| &shop.lines).filter(|line| !line.is_download);
    let mut codes: Vec<_> = lines.filter_map(|line| line.code.clone()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.into_iter().map(Subject::stock).collect()
}

/// What a reading of both sides teaches.
fn reading(
    subject: &Subject,
    seen_at: Timestamp,
    shop: Option<&ShopOrder>,
    warehouse: Option<&WarehouseOrder>,
    reference: &str,
) -> Learnt {
    let mut link = Link { mycashflow_id: Some(subject.key.clone()), ..Link::default() };
    if let Some(shop) = shop {
        link.shop_version.clone_from(&shop.version);
        link.completed_at = (shop.status == ShopStatus::Completed).then_some(seen_at);
        link.shop_status = Some(match &shop.status {
            ShopStatus::Open => "open".to_owned(),
            ShopStatus::Completed => "completed".to_owned(),
            ShopStatus::Cancelled => "cancelled".to_owned(),
            ShopStatus::Unknown(word) => word.clone(),
        });
    }
    if let Some(warehouse) = warehouse {
        link.reference = Some(reference.to_owned());
        link.ogoship_id.clone_from(&warehouse.id);
        link.warehouse_status = Some(warehouse.status.as_str().to_owned());
        link.warehouse_version.clone_from(&warehouse.version);
        link.tracking_code.clone_from(&warehouse.tracking_code);
        link.tracking_url.clone_from(&warehouse.tracking_url);
        link.placed_at = Some(seen_at);
    }
    Learnt { subject: subject.to_string(), seen_at, link }
}
