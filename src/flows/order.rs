//! The order's flow: read the shop's order and the warehouse's, decide, do that one thing.

use std::borrow::Cow;

use async_trait::async_trait;
use serde_json::json;

use super::{Context, Deed, Flow, Report};
use crate::{
    domain::{
        Timestamp,
        link::{Learnt, Link},
        order::{
            Draft, Next, OrderPolicy, OrderStatus, OrderView, ShopOrder, ShopStatus, WarehouseOrder,
            WarehouseStatus, decide, draft,
        },
        outcome::{Outcome, Reason},
        stock::Basis,
        subject::Subject,
    },
    systems::call::{CallError, Effect},
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
            Ok(warehouse) => warehouse.map(|order| no_older(order, link)),
            Err(error) => return Report::unread(&error),
        };
        let (shop, warehouse) = (shop.as_ref(), warehouse.as_ref());
        let connected_at = context.connected_at;
        let policy = match filled_policy(context, shop).await {
            Ok(policy) => policy,
            Err(reason) => return Report::broken(reason, false),
        };
        let policy = policy.as_ref();
        let view = OrderView { shop, warehouse, link, intent: *intent, policy, connected_at, now };

        let next = decide(&view);
        let mut read = reading(context, now, shop, warehouse);
        if matches!(next, Next::Wait { reason: Reason::HoldPeriod, .. }) {
            read.link.ready_at = Some(now);
        }
        let mut report = act(context, next, shop, policy).await;
        let moved = compensates_anew(context, shop, warehouse);
        if newly_completed(shop, link) || moved {
            // It moves the figure that the shop should show in a way that no webhook tells.
            report.follow_ups = stock_of(shop);
        }
        // Before what a deed taught: the older reading must not be the one that is turned away.
        report.learnt.insert(0, read);
        report
    }
}

/// The connection's rules, with those made by hand where none of the configuration matches the order's shipping method.
async fn filled_policy<'a>(
    context: &'a Context,
    shop: Option<&ShopOrder>,
) -> Result<Cow<'a, OrderPolicy>, Reason> {
    let policy = &context.tied.orders;
    let method = shop.and_then(|shop| shop.shipping.as_ref());
    if !method.is_some_and(|it| policy.lacks_rule(it)) {
        return Ok(Cow::Borrowed(policy));
    }
    let by_hand = context.ledger.shipping_rules().await?;
    // Behind the configuration's own: none of those matches, and one that did would win.
    let shipping = policy.shipping.iter().cloned().chain(by_hand).collect();
    Ok(Cow::Owned(OrderPolicy { shipping, ..policy.clone() }))
}

/// Does the one thing decided on.
async fn act(context: &Context, next: Next, shop: Option<&ShopOrder>, policy: &OrderPolicy) -> Report {
    match next {
        Next::Nothing => Report::of(Outcome::InStep),
        Next::Skip(reason) => Report::skipped(reason),
        Next::Wait { until, reason } => Report::of(Outcome::Waiting { until, reason }),
        Next::AskPerson { reason, detail } => Report::permanent(reason, detail),
        Next::Adopt => Report { deed: Some("adopt"), ..Report::of(Outcome::Done) },
        Next::Place(draft) => place(context, &draft).await,
        Next::Update { draft, difference } => update(context, &draft, difference).await,
        Next::Cancel => cancel(context, shop, policy).await,
        Next::QuickProcess { tracking_code, cash_on_delivery } => {
            quick_process(context, tracking_code.as_deref(), cash_on_delivery).await
        }
        Next::CompleteShipment { id, tracking_code } => {
            complete_shipment(context, &id, tracking_code.as_deref()).await
        }
    }
}

async fn place(context: &Context, draft: &Draft) -> Report {
    let deed = Deed::new(context, "place", Effect::Once, &draft.hash());
    let placed =
        deed.perform(context, async |key| context.tied.warehouse.place_order(draft, key).await).await;
    let (order, report) = match placed {
        Ok(done) => done,
        Err(failed) => return failed,
    };
    let mut learnt = reading(context, context.clock.now(), None, Some(&order));
    remember_sent(&mut learnt.link, draft, context);
    report.learning(learnt)
}

/// Sends an edit on. The warehouse's refusal means that it keeps the old version, and a person is told.
async fn update(context: &Context, draft: &Draft, difference: String) -> Report {
    let mut refused = false;
    let deed = Deed::new(context, "update", Effect::Idempotent, &draft.hash());
    let done = deed.perform(context, async |key| {
        let answer = context.tied.warehouse.edit_order(draft, key).await;
        refused = answer.as_ref().is_err_and(CallError::is_refusal);
        answer
    });
    match done.await {
        Ok(((), report)) => {
            let mut learnt = of_subject(context, context.clock.now());
            remember_sent(&mut learnt.link, draft, context);
            Report { detail: Some(difference), ..report }.learning(learnt)
        }
        Err(report) if refused => Report {
            outcome: Outcome::Permanent { reason: Reason::OldVersionAtWarehouse },
            detail: Some(format!("the warehouse did not take the edit, mend it there: {difference}")),
            ..report
        },
        Err(report) => report,
    }
}

/// Calls the order off at the warehouse. That it was taken is remembered, so that it is asked once.
async fn cancel(context: &Context, shop: Option<&ShopOrder>, policy: &OrderPolicy) -> Report {
    let ask = |detail: String| Report::permanent(Reason::CancelledAfterTransfer, detail);
    let draft = match shop.map(|shop| draft(shop, policy)) {
        Some(Ok(draft)) => draft,
        Some(Err(fault)) => {
            return ask(format!("called off: cancel it at the warehouse by hand ({})", fault.detail));
        }
        None => return Report::skipped(Reason::UnknownInShop),
    };
    let mut refused = false;
    let deed = Deed::new(context, "cancel", Effect::Idempotent, &draft.reference);
    let done = deed.perform(context, async |key| {
        let answer = context.tied.warehouse.cancel_order(&draft, key).await;
        refused = answer.as_ref().is_err_and(CallError::is_refusal);
        answer
    });
    match done.await {
        Ok(((), report)) => {
            let now = context.clock.now();
            let mut learnt = of_subject(context, now);
            learnt.link.cancel_asked_at = Some(now);
            report.learning(learnt)
        }
        Err(report) if refused => Report {
            outcome: Outcome::Permanent { reason: Reason::CancelledAfterTransfer },
            detail: Some("the warehouse refused to cancel over its API: cancel it there by hand".to_owned()),
            ..report
        },
        Err(report) => report,
    }
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

async fn complete_shipment(context: &Context, shipment: &str, tracking_code: Option<&str>) -> Report {
    let Context { tied, subject, .. } = context;
    let code = tracking_code.filter(|_| tied.orders.shipment_tracking);
    let deed = Deed::new(context, "complete_shipment", Effect::Once, shipment);
    let done = deed
        .perform(context, async |key| {
            if let Some(code) = code
                && let Err(error) = tied.shop.write_tracking(&subject.key, shipment, code, key).await
                && !error.is_refusal()
            {
                return Err(error); // a shop that does not take the code must not keep the parcel from being told
            }
            tied.shop.complete_shipment(&subject.key, shipment, key).await
        })
        .await;
    done.map_or_else(|failed| failed, |((), report)| report)
}

fn newly_completed(shop: Option<&ShopOrder>, link: &Link) -> bool {
    link.completed_at.is_none() && shop.is_some_and(|shop| shop.status == ShopStatus::Completed)
}

/// Has the order, as far as the stock basis counts it, changed since it was last read?
fn compensates_anew(context: &Context, shop: Option<&ShopOrder>, warehouse: Option<&WarehouseOrder>) -> bool {
    let Context { tied, link, .. } = context;
    let status = warehouse.map(|order| order.status.as_str());
    let shop_status = shop.map(|shop| shop.status.as_str());
    tied.stock.basis == Basis::Compensated
        && (status != link.warehouse_status.as_deref() || shop_status != link.shop_status.as_deref())
}

fn stock_of(shop: Option<&ShopOrder>) -> Vec<Subject> {
    let lines = shop.into_iter().flat_map(|shop| &shop.lines).filter(|line| !line.is_download);
    let mut codes: Vec<_> = lines.filter_map(|line| line.code.clone()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.into_iter().map(Subject::stock).collect()
}

/// A reading that lags is read as what we know to be later.
fn no_older(order: WarehouseOrder, link: &Link) -> WarehouseOrder {
    let status = order.status.after(link.warehouse_status.as_deref());
    WarehouseOrder { status, ..order }
}

fn remember_sent(link: &mut Link, draft: &Draft, context: &Context) {
    link.sent_hash = Some(draft.hash());
    link.sent = Some(draft.masked(&context.tied.orders.mask));
}

/// Nothing learnt yet.
fn of_subject(context: &Context, seen_at: Timestamp) -> Learnt {
    let subject = &context.subject;
    let link = Link { mycashflow_id: Some(subject.key.clone()), ..Link::default() };
    Learnt { subject: subject.to_string(), seen_at, link }
}

/// What a reading of both sides teaches; a side that was not read teaches nothing.
fn reading(
    context: &Context,
    seen_at: Timestamp,
    shop: Option<&ShopOrder>,
    warehouse: Option<&WarehouseOrder>,
) -> Learnt {
    let mut learnt = of_subject(context, seen_at);
    let link = &mut learnt.link;
    if let Some(shop) = shop {
        link.shop_version.clone_from(&shop.version);
        link.completed_at = (shop.status == ShopStatus::Completed).then_some(seen_at);
        link.shop_status = Some(shop.status.as_str().to_owned());
    }
    if let Some(warehouse) = warehouse {
        link.reference = Some(warehouse.reference.clone());
        link.ogoship_id.clone_from(&warehouse.id);
        link.warehouse_status = Some(warehouse.status.as_str().to_owned());
        link.warehouse_version.clone_from(&warehouse.version);
        // Silence is told too: what was said of a hold must not outlive it.
        link.warehouse_comments = Some(warehouse.comments.clone().unwrap_or_default());
        link.tracking_code.clone_from(&warehouse.tracking_code);
        link.tracking_url.clone_from(&warehouse.tracking_url);
        link.placed_at = Some(seen_at);
        let related = warehouse.related.iter();
        let related: Vec<_> =
            related.map(|it| json!({ "reference": it.reference, "status": it.status.as_str() })).collect();
        link.related = (!related.is_empty()).then(|| related.into());
    }
    link.in_flight = shop.zip(warehouse).map(|(shop, warehouse)| warehouse.in_flight(shop));
    // An order that we know to stand there is not called away by a search that does not show it.
    let known = context.link.warehouse_status.as_deref().map(WarehouseStatus::parse);
    let known = known.filter(|_| context.link.placed_at.is_some());
    let there = warehouse.map(|order| &order.status).or(known.as_ref());
    let cancelled = shop.is_some_and(|shop| shop.status == ShopStatus::Cancelled);
    link.status = Some(OrderStatus::of(there, cancelled));
    learnt
}
