//! One item of a product at the warehouse: read, decide, act.

use super::{Action, AttemptResult, Context};
use crate::{
    domain::{
        product::{
            CodeRegister, Decision, ItemDraft, ItemView, KnownItem, WarehouseProduct, decide, is_same_code,
        },
        task::{
            action::{ActionKind, ActionState, Doubt, MAX_REPEATS},
            ledger::LedgerChange,
            outcome::Outcome,
            reason::Reason,
        },
    },
    vendors::http::error::Effect,
};

/// What an item's sync came to.
pub(super) enum ItemOutcome {
    /// The warehouse has it, with this id and this code.
    InSync { id: Option<String>, code: String },
    /// An action was performed, after which the warehouse has it under this code.
    Acted { result: Box<AttemptResult>, code: String },
}

/// Syncs one item: reads what the warehouse has, decides, and performs one action.
pub(super) async fn sync_at_warehouse(
    context: &Context,
    draft: &ItemDraft,
    known: &KnownItem,
    register: &CodeRegister,
) -> Result<ItemOutcome, Box<AttemptResult>> {
    let warehouse = &context.clients.warehouse;
    let there = read_warehouse(context, draft, register).await?;
    let is_other = |code: &&String| !is_same_code(code, &draft.code);
    let before = match known.code.as_ref().filter(|_| there.is_none()).filter(is_other) {
        Some(code) => warehouse.get_product(code).await.map_err(AttemptResult::read_failed)?,
        None => None,
    };
    let (owner, rename) = (register.owner(draft), context.clients.product_policy.rename);
    let view = ItemView { draft, there: there.as_ref(), before: before.as_ref(), owner, rename };
    let sent = format!("{} {}", draft.item, draft.hash());
    let (kind, target) = match decide(&view) {
        Decision::Nothing => {
            let WarehouseProduct { id, code, .. } = there.unwrap_or_default();
            return Ok(ItemOutcome::InSync { id, code });
        }
        Decision::AskOperator { reason, detail } => {
            return Err(Box::new(AttemptResult::permanent(reason, detail)));
        }
        Decision::Create => ("create", None),
        Decision::Update => ("update", there.as_ref()),
        Decision::Rename { .. } => ("rename", before.as_ref()),
    };
    let done = if let Some(target) = target {
        let action = Action::unrecorded(context, kind, &sent);
        action
            .perform(context, |()| None, async |key| warehouse.update_product(target, draft, key).await)
            .await
    } else {
        check_once(context, draft)?;
        let action = Action::new(context, ActionKind::Create, Effect::Once, &sent).on(&draft.item);
        action.perform(context, |()| None, async |key| warehouse.create_product(draft, key).await).await
    };
    match done {
        Ok(((), result)) => {
            let code = there.map_or_else(|| draft.code.clone(), |there| there.code);
            Ok(ItemOutcome::Acted { result: Box::new(result), code })
        }
        Err(error) => Err(Box::new(error.result)),
    }
}

/// Reads what the warehouse has under the draft's code, as the warehouse spells it. The spelling that is known may be an
/// old one.
async fn read_warehouse(
    context: &Context,
    draft: &ItemDraft,
    register: &CodeRegister,
) -> Result<Option<WarehouseProduct>, Box<AttemptResult>> {
    let warehouse = &context.clients.warehouse;
    let spelt = register.spellings.at_warehouse(&draft.code);
    let spelt = spelt.map_err(|it| AttemptResult::permanent(Reason::CodeRepeated, it.detail()))?;
    let there = warehouse.get_product(spelt).await.map_err(AttemptResult::read_failed)?;
    if there.is_some() || spelt == draft.code {
        return Ok(there);
    }
    warehouse.get_product(&draft.code).await.map_err(AttemptResult::read_failed)
}

/// What the ledger says against creating an item now: an earlier creation may still appear at the warehouse, or it
/// was created too often.
fn check_once(context: &Context, draft: &ItemDraft) -> Result<(), Box<AttemptResult>> {
    let Context { clients, ledger, clock, .. } = context;
    if let Some(entry) = ledger.open(ActionKind::Create, &draft.item)
        && let Doubt::Wait { until, counts } = entry.doubt(clock.now(), clients.recheck_delay)
    {
        let reason = Reason::SettlingTime;
        let number = entry.number;
        let ledger = counts.then_some(LedgerChange::ReadInVain { number }).into_iter().collect();
        return Err(Box::new(AttemptResult {
            ledger,
            ..AttemptResult::new(Outcome::Waiting { until, reason })
        }));
    }
    if ledger.repeats(ActionKind::Create, &draft.item) >= MAX_REPEATS {
        let detail = "created as often as is allowed, and never found: look at the warehouse".to_owned();
        return Err(Box::new(AttemptResult::permanent(Reason::RepeatedTooOften, detail)));
    }
    Ok(())
}

/// Ends a creation of unknown outcome whose item is at the warehouse.
pub(super) fn creation_found(
    context: &Context,
    item: &str,
    remote_id: Option<String>,
) -> Option<LedgerChange> {
    let entry = context.ledger.open(ActionKind::Create, item)?;
    Some(LedgerChange::Ended { number: entry.number, state: ActionState::Applied, remote_id })
}
