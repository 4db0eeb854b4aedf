//! The product's flow: each part of it (itself, or its variations) is created, updated or renamed at the warehouse where
//! it lacks or differs. A part whose code is unusable, or is another part's too, is held back and told to a person; the
//! rest goes on. A part of which exactly this was sent before costs no call.

use async_trait::async_trait;

use super::{Context, Deed, Flow, Report};
use crate::{
    domain::{
        Timestamp,
        product::{Entry, HeldBack, Item, Known, Next, View, decide, shelf},
        task::{
            outcome::{Outcome, Reason},
            subject_state::{Learnt, Link},
        },
    },
    vendors::http::error::{CallError, Effect},
};

pub(super) struct ProductFlow;

/// Deeds in one attempt, so that a product of many variations stays well within its lease.
const MOST_DEEDS_AT_ONCE: usize = 8;

/// How long a product waits at most before it asks again whether the catalogue was read.
const UNTIL_READ: chrono::Duration = chrono::Duration::minutes(10);

#[async_trait]
impl Flow for ProductFlow {
    async fn run(&self, context: &Context) -> Report {
        let Context { tied, subject, clock, ledger, .. } = context;
        let seen_at = clock.now();
        let product = match tied.shop.product(&subject.key).await {
            Ok(product) => product,
            Err(error) => return Report::unread(&error),
        };
        let entries = product.as_ref().map(|product| Entry::of(product, &tied.products)).unwrap_or_default();
        // Entered and committed before anything is sent: whoever takes the same code at this moment sees us.
        let entered = match ledger.enter(subject, &entries, seen_at).await {
            Ok(entered) => entered,
            Err(reason) => return Report::broken(reason, false),
        };
        let follow_ups = entered.left.clone();
        let Some(product) = product else {
            return Report { follow_ups, ..Report::skipped(Reason::UnknownInShop) };
        };
        if !entered.is_whole {
            let (until, reason) = (seen_at + UNTIL_READ, Reason::CatalogueUnread); // and sooner, once it is read
            return Report { follow_ups, ..Report::of(Outcome::Waiting { until, reason }) };
        }

        let items = entered.hold_back_twins(shelf(&product, &tied.products));
        let mut round =
            Round { context, seen_at, learnt: Vec::new(), last_deed: None, refused: None, deeds: 0 };
        for item in items.iter().flatten() {
            let known = entered.known.get(&item.part).cloned().unwrap_or_default();
            if let Err(report) = round.bring_into_step(item, &known, entered.owner(item)).await {
                return Report { learnt: round.learnt, follow_ups, ..*report };
            }
            if round.deeds == MOST_DEEDS_AT_ONCE {
                break;
            }
        }
        let Round { mut learnt, last_deed, refused, .. } = round;
        let mut report = last_deed.or(refused).map_or_else(|| at_rest(&items), |report| *report);
        if !matches!(report.outcome, Outcome::Done) {
            // Only a product at rest has been seen: a sweep must find it again until then.
            let link = Link { shop_version: product.version, ..Link::default() };
            learnt.insert(0, Learnt { subject: subject.to_string(), seen_at, link });
        }
        report.learnt = learnt;
        report.follow_ups = follow_ups;
        report
    }
}

/// One attempt's way through the parts.
struct Round<'a> {
    context: &'a Context,
    seen_at: Timestamp,
    learnt: Vec<Learnt>,
    last_deed: Option<Box<Report>>,
    /// A part that the warehouse, or its state there, refuses: told at the end, when the others have gone on.
    refused: Option<Box<Report>>,
    deeds: usize,
}

impl Round<'_> {
    async fn bring_into_step(
        &mut self,
        item: &Item,
        known: &Known,
        owner: Option<&str>,
    ) -> Result<(), Box<Report>> {
        let hash = item.hash();
        if known.code.as_ref() == Some(&item.code) && known.sent_hash.as_ref() == Some(&hash) {
            return Ok(());
        }
        match step(self.context, item, known, owner).await {
            Ok(Step::InStep(id)) => self.learn(item, hash, id),
            Ok(Step::Did(report)) => {
                self.deeds += 1;
                self.last_deed = Some(report);
                self.learn(item, hash, None);
            }
            Err(report) if matches!(report.outcome, Outcome::Permanent { .. }) => {
                let detail = report.detail.as_deref().unwrap_or_default();
                let detail = Some(format!("{} ({:?}): {detail}", item.part, item.code));
                self.refused.get_or_insert(Box::new(Report { detail, ..*report }));
            }
            Err(report) => return Err(report),
        }
        Ok(())
    }

    fn learn(&mut self, item: &Item, hash: String, ogoship_id: Option<String>) {
        let link = Link {
            mycashflow_id: Some(item.id().to_owned()),
            ogoship_id,
            code: Some(item.code.clone()),
            sent_hash: Some(hash),
            ..Link::default()
        };
        self.learnt.push(Learnt { subject: item.part.clone(), seen_at: self.seen_at, link });
    }
}

enum Step {
    /// The warehouse has it, under this id.
    InStep(Option<String>),
    /// A deed was done.
    Did(Box<Report>),
}

async fn step(
    context: &Context,
    item: &Item,
    known: &Known,
    owner: Option<&str>,
) -> Result<Step, Box<Report>> {
    let Context { tied, link, clock, .. } = context;
    let unread = |error: CallError| Box::new(Report::unread(&error));
    let there = tied.warehouse.product(&item.code).await.map_err(unread)?;
    let before = match known.code.as_ref().filter(|code| **code != item.code && there.is_none()) {
        Some(code) => tied.warehouse.product(code).await.map_err(unread)?,
        None => None,
    };
    let view = View { item, known, there: there.as_ref(), before: before.as_ref(), owner };
    let sent = format!("{} {}", item.part, item.hash());
    let (word, target) = match decide(&view) {
        Next::Nothing => return Ok(Step::InStep(there.and_then(|there| there.id))),
        Next::AskPerson { reason, detail } => return Err(Box::new(Report::permanent(reason, detail))),
        Next::Create => ("create", None),
        Next::Update => ("update", there.as_ref()),
        Next::Rename { .. } => ("rename", before.as_ref()),
    };
    let done = if let Some(target) = target {
        let deed = Deed::new(context, word, Effect::Idempotent, &sent);
        deed.perform(context, async |key| tied.warehouse.update_product(target, item, key).await).await
    } else {
        if let Some(until) = link.begun.as_ref().and_then(|it| it.look_next(clock.now(), tied.look_again)) {
            let reason = Reason::SettlingTime;
            return Err(Box::new(Report::of(Outcome::Waiting { until, reason })));
        }
        let deed = Deed::new(context, word, Effect::Once, &sent);
        deed.perform(context, async |key| tied.warehouse.create_product(item, key).await).await
    };
    match done {
        Ok(((), report)) => Ok(Step::Did(Box::new(report))),
        Err(undone) => Err(Box::new(undone.report)),
    }
}

/// Every usable part is in step; what is held back goes to a person.
fn at_rest(items: &[Result<Item, HeldBack>]) -> Report {
    let held_back: Vec<_> = items.iter().filter_map(|item| item.as_ref().err()).collect();
    match (items.is_empty(), held_back.first()) {
        (true, _) => Report::skipped(Reason::Excluded),
        (false, None) => Report::of(Outcome::InStep),
        (false, Some(first)) => {
            let told = |held: &&HeldBack| match &held.detail {
                Some(detail) => format!("{}: {detail}", held.part),
                None => format!("{}: {}", held.part, held.reason.code()),
            };
            let parts: Vec<_> = held_back.iter().map(told).collect();
            Report::permanent(
                first.reason,
                format!("mend the product code in the shop: {}", parts.join("; ")),
            )
        }
    }
}
