//! What is done about an order: one call each, and what it has taught.

use super::snapshot::{of_subject, reading, remember_sent};
use crate::flows::{Context, Deed, Report};
use crate::{
    domain::{
        order::{Draft, OrderPolicy, ShopOrder, draft},
        task::outcome::Reason,
    },
    vendors::http::error::Effect,
};

pub(super) async fn place(context: &Context, draft: &Draft) -> Report {
    let deed = Deed::new(context, "place", Effect::Once, &draft.hash());
    let placed =
        deed.perform(context, async |key| context.tied.warehouse.place_order(draft, key).await).await;
    let (order, report) = match placed {
        Ok(done) => done,
        Err(undone) => return undone.report,
    };
    let mut learnt = reading(context, context.clock.now(), None, Some(&order));
    remember_sent(&mut learnt.link, draft, context);
    report.learning(learnt)
}

/// Sends an edit on. The warehouse's refusal means that it keeps the old version, and a person is told.
pub(super) async fn update(context: &Context, draft: &Draft, difference: String) -> Report {
    let deed = Deed::new(context, "update", Effect::Idempotent, &draft.hash());
    let sent = deed.perform(context, async |key| context.tied.warehouse.edit_order(draft, key).await).await;
    match sent {
        Ok(((), report)) => {
            let mut learnt = of_subject(context, context.clock.now());
            remember_sent(&mut learnt.link, draft, context);
            Report { detail: Some(difference), ..report }.learning(learnt)
        }
        Err(undone) => undone.or_asks_a_person(Reason::OldVersionAtWarehouse, || {
            format!("the warehouse did not take the edit, mend it there: {difference}")
        }),
    }
}

/// Calls the order off at the warehouse. That it was taken is remembered, so that it is asked once.
pub(super) async fn cancel(context: &Context, shop: Option<&ShopOrder>, policy: &OrderPolicy) -> Report {
    let reason = Reason::CancelledAfterTransfer;
    let draft = match shop.map(|shop| draft(shop, policy)) {
        Some(Ok(draft)) => draft,
        Some(Err(fault)) => {
            let detail = format!("called off: cancel it at the warehouse by hand ({})", fault.detail);
            return Report::permanent(reason, detail);
        }
        None => return Report::skipped(Reason::UnknownInShop),
    };
    let deed = Deed::new(context, "cancel", Effect::Idempotent, &draft.reference);
    let asked =
        deed.perform(context, async |key| context.tied.warehouse.cancel_order(&draft, key).await).await;
    match asked {
        Ok(((), report)) => {
            let now = context.clock.now();
            let mut learnt = of_subject(context, now);
            learnt.link.cancel_asked_at = Some(now);
            report.learning(learnt)
        }
        Err(undone) => undone.or_asks_a_person(reason, || {
            "the warehouse refused to cancel over its API: cancel it there by hand".to_owned()
        }),
    }
}

pub(super) async fn quick_process(
    context: &Context,
    tracking_code: Option<&str>,
    cash_on_delivery: bool,
) -> Report {
    let Context { tied, subject, .. } = context;
    let deed = Deed::new(context, "complete", Effect::Once, tracking_code.unwrap_or_default());
    let emails = tied.orders.send_emails;
    let done = deed
        .perform(context, async |key| {
            tied.shop.quick_process(&subject.key, tracking_code, cash_on_delivery, emails, key).await
        })
        .await;
    done.map_or_else(|undone| undone.report, |((), report)| report)
}

pub(super) async fn complete_shipment(
    context: &Context,
    shipment: &str,
    tracking_code: Option<&str>,
) -> Report {
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
    done.map_or_else(|undone| undone.report, |((), report)| report)
}
