//! The product's flow: each part of it (itself, or its variations) is created or updated at the warehouse where it
//! lacks or differs. Parts whose codes are unusable are held back and told to a person; the rest goes on.

use async_trait::async_trait;

use super::{Context, Deed, Flow, Report};
use crate::{
    domain::{
        link::{Learnt, Link},
        outcome::{Outcome, Reason},
        product::{HeldBack, Item, Next, decide, shelf},
    },
    systems::call::{CallError, Effect},
};

pub(super) struct ProductFlow;

/// Deeds in one attempt, so that a product of many variations stays well within its lease.
const MOST_DEEDS_AT_ONCE: usize = 8;

#[async_trait]
impl Flow for ProductFlow {
    async fn run(&self, context: &Context) -> Report {
        let Context { tied, subject, clock, .. } = context;
        let seen_at = clock.now();
        let product = match tied.shop.product(&subject.key).await {
            Ok(Some(product)) => product,
            Ok(None) => return Report::skipped(Reason::UnknownInShop),
            Err(error) => return Report::unread(&error),
        };
        let items = shelf(&product, &tied.products);
        let mut last_deed = None;
        let mut learnt = Vec::new();
        let mut deeds = 0;
        for item in items.iter().flatten() {
            match bring_into_step(context, item).await {
                Ok(Step::InStep(id)) => {
                    let link = Link {
                        mycashflow_id: Some(item.id.clone()),
                        ogoship_id: id,
                        code: Some(item.code.clone()),
                        ..Link::default()
                    };
                    learnt.push(Learnt { subject: item.part.clone(), seen_at, link });
                }
                Ok(Step::Did(report)) => {
                    deeds += 1;
                    last_deed = Some(report);
                }
                Err(report) => return Report { learnt, ..*report },
            }
            if deeds == MOST_DEEDS_AT_ONCE {
                break;
            }
        }
        let mut report = last_deed.map_or_else(|| at_rest(&items), |report| *report);
        if !matches!(report.outcome, Outcome::Done) {
            // Only a product at rest has been seen: a sweep must find it again until then.
            let link = Link { shop_version: product.version, ..Link::default() };
            learnt.insert(0, Learnt { subject: subject.to_string(), seen_at, link });
        }
        report.learnt = learnt;
        report
    }
}

enum Step {
    /// The warehouse has it, under this id.
    InStep(Option<String>),
    /// A deed was done.
    Did(Box<Report>),
}

async fn bring_into_step(context: &Context, item: &Item) -> Result<Step, Box<Report>> {
    let Context { tied, link, clock, .. } = context;
    let unread = |error: CallError| Box::new(Report::unread(&error));
    let there = tied.warehouse.product(&item.code).await.map_err(unread)?;
    let (id, fields) = there.unzip();
    let language = &tied.products.language;
    let sent = format!("{item:?}");
    let done = match decide(item, fields.as_ref()) {
        Next::Nothing => return Ok(Step::InStep(id.flatten())),
        Next::Create => {
            let doubt = link.begun.as_ref();
            if let Some(until) = doubt.and_then(|begun| begun.look_next(clock.now(), tied.look_again)) {
                let reason = Reason::SettlingTime;
                return Err(Box::new(Report::of(Outcome::Waiting { until, reason })));
            }
            let deed = Deed::new(context, "create", Effect::Once, &sent);
            deed.perform(context, async |key| tied.warehouse.create_product(item, language, key).await).await
        }
        Next::Update => {
            let deed = Deed::new(context, "update", Effect::Idempotent, &sent);
            deed.perform(context, async |key| tied.warehouse.update_product(item, language, key).await).await
        }
    };
    match done {
        Ok(((), report)) => Ok(Step::Did(Box::new(report))),
        Err(report) => Err(Box::new(report)),
    }
}

/// Every usable part is in step; what is held back goes to a person.
fn at_rest(shelf: &[Result<Item, HeldBack>]) -> Report {
    let held_back: Vec<_> = shelf.iter().filter_map(|item| item.as_ref().err()).collect();
    match (shelf.is_empty(), held_back.first()) {
        (true, _) => Report::skipped(Reason::Excluded),
        (false, None) => Report::of(Outcome::InStep),
        (false, Some(first)) => {
            let parts: Vec<_> = held_back.iter().map(|held| held.part.as_str()).collect();
            Report::permanent(
                first.reason,
                format!("mend the product code in the shop: {}", parts.join(", ")),
            )
        }
    }
}
