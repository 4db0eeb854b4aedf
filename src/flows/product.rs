//! The product's flow: each part of it (itself, or its variations) is created, updated or renamed at the warehouse where
//! it lacks or differs. A item whose code is unusable, or is another item's too, is held back and describe to a person; the
//! rest goes on. A part of which exactly this was sent before costs no call.

use async_trait::async_trait;

use super::{Action, AttemptResult, Context, Flow};
use crate::{
    domain::{
        Timestamp,
        product::{
            CatalogueItem, Decision, ItemDraft, ItemView, KnownItem, WithheldItem, decide, draft_items,
        },
        task::{
            outcome::{Outcome, Reason},
            subject_state::{Learnt, SubjectState},
        },
    },
    vendors::http::error::{CallError, Effect},
};

pub(super) struct ProductFlow;

/// Actions in one attempt, so that a product of many variations stays well within its lease.
const MAX_ACTIONS_PER_ATTEMPT: usize = 8;

/// How long a product waits at most before it asks again whether the catalogue was read.
const CATALOGUE_RECHECK: chrono::Duration = chrono::Duration::minutes(10);

#[async_trait]
impl Flow for ProductFlow {
    async fn run(&self, context: &Context) -> AttemptResult {
        let Context { clients, subject, clock, ledger, .. } = context;
        let seen_at = clock.now();
        let product = match clients.shop.get_product(&subject.key).await {
            Ok(product) => product,
            Err(error) => return AttemptResult::read_failed(&error),
        };
        let entries =
            product.as_ref().map(|product| CatalogueItem::of(product, &clients.products)).unwrap_or_default();
        // CodeRegister and committed before anything is sent: whoever takes the same code at this moment sees us.
        let register = match ledger.register_items(subject, &entries, seen_at).await {
            Ok(register) => register,
            Err(reason) => return AttemptResult::interrupted(reason, false),
        };
        let follow_ups = register.left.clone();
        let Some(product) = product else {
            return AttemptResult { follow_ups, ..AttemptResult::skipped(Reason::UnknownInShop) };
        };
        if !register.is_complete {
            let (until, reason) = (seen_at + CATALOGUE_RECHECK, Reason::CatalogueUnread); // and sooner, once it is read
            return AttemptResult { follow_ups, ..AttemptResult::new(Outcome::Waiting { until, reason }) };
        }

        let drafts = register.withhold_duplicates(draft_items(&product, &clients.products));
        let mut run = ProductRun {
            context,
            seen_at,
            learnt: Vec::new(),
            last_action: None,
            refused: None,
            action_count: 0,
        };
        for draft in drafts.iter().flatten() {
            let known = register.known.get(&draft.item).cloned().unwrap_or_default();
            if let Err(result) = run.sync_item(draft, &known, register.owner(draft)).await {
                return AttemptResult { learnt: run.learnt, follow_ups, ..*result };
            }
            if run.action_count == MAX_ACTIONS_PER_ATTEMPT {
                break;
            }
        }
        let ProductRun { mut learnt, last_action, refused, .. } = run;
        let mut result = last_action.or(refused).map_or_else(|| summarize(&drafts), |result| *result);
        if !matches!(result.outcome, Outcome::Acted) {
            // Only a product at rest has been seen: a poll must find it again until then.
            let known = SubjectState { shop_version: product.version, ..SubjectState::default() };
            learnt.insert(0, Learnt { subject: subject.to_string(), seen_at, known });
        }
        result.learnt = learnt;
        result.follow_ups = follow_ups;
        result
    }
}

/// One attempt's way through the items.
struct ProductRun<'a> {
    context: &'a Context,
    seen_at: Timestamp,
    learnt: Vec<Learnt>,
    last_action: Option<Box<AttemptResult>>,
    /// A item that the warehouse, or its state there, refuses: describe at the end, when the others have gone on.
    refused: Option<Box<AttemptResult>>,
    action_count: usize,
}

impl ProductRun<'_> {
    async fn sync_item(
        &mut self,
        draft: &ItemDraft,
        known: &KnownItem,
        owner: Option<&str>,
    ) -> Result<(), Box<AttemptResult>> {
        let hash = draft.hash();
        if known.code.as_ref() == Some(&draft.code) && known.sent_hash.as_ref() == Some(&hash) {
            return Ok(());
        }
        match step(self.context, draft, known, owner).await {
            Ok(Step::InSync(id)) => self.observe(draft, hash, id),
            Ok(Step::Acted(result)) => {
                self.action_count += 1;
                self.last_action = Some(result);
                self.observe(draft, hash, None);
            }
            Err(result) if matches!(result.outcome, Outcome::Permanent { .. }) => {
                let detail = result.detail.as_deref().unwrap_or_default();
                let detail = Some(format!("{} ({:?}): {detail}", draft.item, draft.code));
                self.refused.get_or_insert(Box::new(AttemptResult { detail, ..*result }));
            }
            Err(result) => return Err(result),
        }
        Ok(())
    }

    fn observe(&mut self, draft: &ItemDraft, hash: String, ogoship_id: Option<String>) {
        let known = SubjectState {
            mycashflow_id: Some(draft.id().to_owned()),
            ogoship_id,
            code: Some(draft.code.clone()),
            sent_hash: Some(hash),
            ..SubjectState::default()
        };
        self.learnt.push(Learnt { subject: draft.item.clone(), seen_at: self.seen_at, known });
    }
}

enum Step {
    /// The warehouse has it, under this id.
    InSync(Option<String>),
    /// An action was done.
    Acted(Box<AttemptResult>),
}

async fn step(
    context: &Context,
    draft: &ItemDraft,
    known: &KnownItem,
    owner: Option<&str>,
) -> Result<Step, Box<AttemptResult>> {
    let Context { clients, known: state, clock, .. } = context;
    let read_failed = |error: CallError| Box::new(AttemptResult::read_failed(&error));
    let there = clients.warehouse.get_product(&draft.code).await.map_err(read_failed)?;
    let before = match known.code.as_ref().filter(|code| **code != draft.code && there.is_none()) {
        Some(code) => clients.warehouse.get_product(code).await.map_err(read_failed)?,
        None => None,
    };
    let view = ItemView { draft, known, there: there.as_ref(), before: before.as_ref(), owner };
    let sent = format!("{} {}", draft.item, draft.hash());
    let (kind, target) = match decide(&view) {
        Decision::Nothing => return Ok(Step::InSync(there.and_then(|there| there.id))),
        Decision::AskOperator { reason, detail } => {
            return Err(Box::new(AttemptResult::permanent(reason, detail)));
        }
        Decision::Create => ("create", None),
        Decision::Update => ("update", there.as_ref()),
        Decision::Rename { .. } => ("rename", before.as_ref()),
    };
    let done = if let Some(target) = target {
        let action = Action::new(context, kind, Effect::Idempotent, &sent);
        action.perform(context, async |key| clients.warehouse.update_product(target, draft, key).await).await
    } else {
        if let Some(until) =
            state.begun.as_ref().and_then(|it| it.next_read_at(clock.now(), clients.recheck_delay))
        {
            let reason = Reason::SettlingTime;
            return Err(Box::new(AttemptResult::new(Outcome::Waiting { until, reason })));
        }
        let action = Action::new(context, kind, Effect::Once, &sent);
        action.perform(context, async |key| clients.warehouse.create_product(draft, key).await).await
    };
    match done {
        Ok(((), result)) => Ok(Step::Acted(Box::new(result))),
        Err(error) => Err(Box::new(error.result)),
    }
}

/// Every usable item is in sync; what is held back goes to a person.
fn summarize(drafts: &[Result<ItemDraft, WithheldItem>]) -> AttemptResult {
    let withheld: Vec<_> = drafts.iter().filter_map(|draft| draft.as_ref().err()).collect();
    match (drafts.is_empty(), withheld.first()) {
        (true, _) => AttemptResult::skipped(Reason::Excluded),
        (false, None) => AttemptResult::new(Outcome::InSync),
        (false, Some(first)) => {
            let describe = |held: &&WithheldItem| match &held.detail {
                Some(detail) => format!("{}: {detail}", held.item),
                None => format!("{}: {}", held.item, held.reason.code()),
            };
            let items: Vec<_> = withheld.iter().map(describe).collect();
            AttemptResult::permanent(
                first.reason,
                format!("fix the product code in the shop: {}", items.join("; ")),
            )
        }
    }
}
