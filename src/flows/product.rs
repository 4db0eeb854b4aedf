//! The product flow: each item of a product (itself, or its variations) is created, updated or renamed at the
//! warehouse. An item whose code is unusable, or is another item's too, is withheld and reported; the others
//! continue. An item that was sent unchanged before costs no call.

use async_trait::async_trait;

use super::{
    AttemptResult, Context, Flow,
    item::{ItemOutcome, creation_found, sync_at_warehouse},
};
use crate::domain::{
    Timestamp,
    event::subject::Subject,
    product::{
        CatalogueItem, CodeRegister, ItemDraft, KnownItem, ShopProduct, WithheldItem, draft_items,
        is_same_code,
    },
    switch::Switch,
    task::{
        ledger::LedgerChange,
        outcome::Outcome,
        reason::Reason,
        subject_state::{Observation, SubjectState},
    },
};

/// The most actions of one attempt, so that a product of many variations stays within its lease.
const MAX_ACTIONS_PER_ATTEMPT: usize = 8;

/// The longest wait for the catalogue to be read.
const CATALOGUE_RECHECK: chrono::Duration = chrono::Duration::minutes(10);

/// Syncs a product.
pub(super) struct ProductFlow;

#[async_trait]
impl Flow for ProductFlow {
    async fn run(&self, context: &Context) -> AttemptResult {
        sync(context).await.unwrap_or_else(|result| *result)
    }
}

async fn sync(context: &Context) -> Result<AttemptResult, Box<AttemptResult>> {
    let Context { clients, subject, clock, task_store, .. } = context;
    let seen_at = clock.now();
    let reading = task_store.begin_reading().await.map_err(AttemptResult::store_failed)?;
    let product = clients.shop.get_product(&subject.key).await.map_err(AttemptResult::read_failed)?;
    if let Some(detail) = product.as_ref().and_then(ShopProduct::unreadable_detail) {
        let known = known_version(product.and_then(|product| product.version));
        let observation = Observation { subject: subject.to_string(), seen_at, known };
        return Ok(AttemptResult::permanent(Reason::FieldUnreadable, detail).with_observation(observation));
    }
    let items = product
        .as_ref()
        .map(|product| CatalogueItem::of(product, &clients.product_policy))
        .unwrap_or_default();
    // Registered and committed before anything is sent: another product that takes the same code now sees this
    // one.
    let register = task_store.register_items(subject, &items, reading).await;
    let register = register.map_err(AttemptResult::store_failed)?;
    let result = match product {
        None => AttemptResult::skipped(Reason::UnknownInShop),
        // Registered all the same: orders and stock figures need to know the shop's codes.
        Some(_) if clients.product_policy.upload == Switch::Off => AttemptResult::skipped(Reason::UploadOff),
        Some(_) if !register.is_complete => {
            let until = seen_at + CATALOGUE_RECHECK; // sooner, once it is read
            AttemptResult::new(Outcome::Waiting { until, reason: Reason::CatalogueUnread })
        }
        Some(product) => sync_items(context, product, &register, seen_at).await,
    };
    let stock = register.codes_without_stock_task.into_iter().map(Subject::stock);
    let follow_ups = register.released.into_iter().chain(stock).collect();
    Ok(AttemptResult { follow_ups, ..result })
}

async fn sync_items(
    context: &Context,
    product: ShopProduct,
    register: &CodeRegister,
    seen_at: Timestamp,
) -> AttemptResult {
    let drafts = register.withhold_duplicates(draft_items(&product, &context.clients.product_policy));
    let mut progress = Progress::new(context, seen_at);
    for draft in drafts.iter().flatten() {
        let known = register.known.get(&draft.item).cloned().unwrap_or_default();
        if let Err(result) = progress.sync_item(draft, &known, register).await {
            let Progress { observations, ledger, .. } = progress;
            return AttemptResult { observations, ledger, ..*result };
        }
        if progress.action_count == MAX_ACTIONS_PER_ATTEMPT {
            break;
        }
    }
    let Progress { mut observations, ledger, last_action, refused, unasked, .. } = progress;
    let result = last_action.or(refused).or(unasked).map_or_else(|| summarize(&drafts), |result| *result);
    if !matches!(result.outcome, Outcome::Acted) {
        // Only a product with nothing left to do counts as seen; until then a poll must find it again.
        let known = known_version(product.version);
        observations.insert(0, Observation { subject: context.subject.to_string(), seen_at, known });
    }
    AttemptResult { observations, ledger, ..result }
}

fn known_version(shop_version: Option<String>) -> SubjectState {
    SubjectState { shop_version, ..SubjectState::default() }
}

/// One attempt's progress through the items.
struct Progress<'a> {
    context: &'a Context,
    seen_at: Timestamp,
    observations: Vec<Observation>,
    /// What every item's actions showed: a later item that fails must not lose it.
    ledger: Vec<LedgerChange>,
    last_action: Option<Box<AttemptResult>>,
    /// The first item that the warehouse refused: reported at the end, after the others.
    refused: Option<Box<AttemptResult>>,
    /// What would be done to the items that wait until an operator asks.
    unasked: Option<Box<AttemptResult>>,
    action_count: usize,
}

impl<'a> Progress<'a> {
    const fn new(context: &'a Context, seen_at: Timestamp) -> Self {
        Self {
            context,
            seen_at,
            observations: Vec::new(),
            ledger: Vec::new(),
            last_action: None,
            refused: None,
            unasked: None,
            action_count: 0,
        }
    }

    async fn sync_item(
        &mut self,
        draft: &ItemDraft,
        known: &KnownItem,
        register: &CodeRegister,
    ) -> Result<(), Box<AttemptResult>> {
        let hash = draft.hash();
        let is_same = known.code.as_ref().is_some_and(|code| is_same_code(code, &draft.code));
        if is_same && known.sent_hash.as_ref() == Some(&hash) {
            return Ok(());
        }
        match sync_at_warehouse(self.context, draft, known, register).await {
            Ok(ItemOutcome::InSync { id, code }) => {
                self.ledger.extend(creation_found(self.context, &draft.item, id.clone()));
                self.record_code(&code, register).await?;
                self.observe(draft, hash, (id, code));
            }
            Ok(ItemOutcome::Acted { mut result, code }) => {
                self.ledger.append(&mut result.ledger);
                self.action_count += 1;
                self.last_action = Some(result);
                self.record_code(&code, register).await?;
                self.observe(draft, hash, (None, code));
            }
            Err(mut result) if matches!(result.outcome, Outcome::Permanent { .. }) => {
                self.ledger.append(&mut result.ledger);
                let detail = result.detail.as_deref().unwrap_or_default();
                let detail = Some(format!("{} ({:?}): {detail}", draft.item, draft.code));
                self.refused.get_or_insert(Box::new(AttemptResult { detail, ..*result }));
            }
            Err(mut result) => {
                self.ledger.append(&mut result.ledger);
                if !matches!(result.outcome, Outcome::Skipped { .. }) {
                    return Err(result);
                }
                self.record_unasked(draft, *result);
            }
        }
        Ok(())
    }

    /// Says what would be done to an item, and goes on: an operator sees as many as one attempt would do.
    fn record_unasked(&mut self, draft: &ItemDraft, result: AttemptResult) {
        self.action_count += 1;
        let would = match result.action {
            Some("create") => "would create",
            Some("rename") => "would rename",
            _ => "would update",
        };
        let said = format!("{would} {:?}", draft.code);
        let before = self.unasked.take().and_then(|earlier| earlier.detail);
        let detail = Some(before.map_or_else(|| said.clone(), |before| format!("{before}; {said}")));
        self.unasked = Some(Box::new(AttemptResult { detail, ..result }));
    }

    /// Records how the warehouse spells the code.
    async fn record_code(&self, code: &str, register: &CodeRegister) -> Result<(), Box<AttemptResult>> {
        if register.spellings.is_at_warehouse(code) {
            return Ok(());
        }
        self.context.task_store.record_warehouse_codes(&[code]).await.map_err(AttemptResult::store_failed)
    }

    fn observe(&mut self, draft: &ItemDraft, hash: String, (ogoship_id, code): (Option<String>, String)) {
        let known = SubjectState {
            mycashflow_id: Some(draft.id().to_owned()),
            ogoship_id,
            code: Some(code),
            sent_hash: Some(hash),
            ..SubjectState::default()
        };
        self.observations.push(Observation { subject: draft.item.clone(), seen_at: self.seen_at, known });
    }
}

/// Summarizes a product whose usable items are in sync: withheld items need attention.
fn summarize(drafts: &[Result<ItemDraft, WithheldItem>]) -> AttemptResult {
    let withheld: Vec<_> = drafts.iter().filter_map(|draft| draft.as_ref().err()).collect();
    match (drafts.is_empty(), withheld.first()) {
        (true, _) => AttemptResult::skipped(Reason::Excluded),
        (false, None) => AttemptResult::new(Outcome::InSync),
        (false, Some(first)) => {
            let describe = |withheld: &&WithheldItem| match &withheld.detail {
                Some(detail) => format!("{}: {detail}", withheld.item),
                None => format!("{}: {}", withheld.item, withheld.reason.code()),
            };
            let items: Vec<_> = withheld.iter().map(describe).collect();
            let detail = format!("fix the product code in the shop: {}", items.join("; "));
            AttemptResult::permanent(first.reason, detail)
        }
    }
}
