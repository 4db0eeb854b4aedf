//! Releases what waits for something in the configuration: for a switch, or for a shipping rule.
//!
//! Once the switch is "automatic", or the rule is there, everything that waits for it is read and decided again; what may
//! still not go (an order that is not paid) says so then. Products and stock figures that are switched to "manual" are
//! released the same way, with the wish of the person who asks. Orders are not: a transfer by hand is asked for each order,
//! since it overrides what else stands against it.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    ActionError, Actor, ConflictError, MAX_REPLAYED, Replay, order::record_wish, replay::replay_subject,
};
use crate::{
    domain::{
        Timestamp,
        event::subject::SubjectKind,
        id::TaskId,
        shipping::{ShippingRule, matches_named_method},
        switch::Switch,
        task::reason::Reason,
    },
    store::{
        StoreError,
        connections::{self, ConnectionRow},
        intents::Wish,
        replays::{self, NewReplay},
        shipping_rules, tasks,
        views::releasable::{self, WaitingFilter, WaitingGroup},
    },
};

/// The configured shipping rules of each connection.
pub type ConfiguredRules = HashMap<String, Vec<ShippingRule>>;

/// Tasks that wait for the same, and whether it is there now.
#[derive(Clone, Debug, Serialize)]
pub struct Releasable {
    /// Their connection.
    pub connection: String,
    /// order, product or stock.
    pub kind: String,
    /// Closed reason code.
    pub reason: String,
    /// For a missing shipping rule: what the last attempt said, which names the method.
    pub detail: Option<String>,
    /// How many wait.
    pub count: i64,
    /// When the oldest of them was opened.
    pub oldest_at: Timestamp,
    /// True where what they wait for is there: the switch is automatic, or a rule matches.
    pub ready: bool,
    /// True where a person may release them: they are ready, or products or stock figures that are manual.
    pub can_release: bool,
}

/// Lists what waits for a switch or a shipping rule.
pub async fn list_releasable(
    db: &mut PgConnection,
    rules: &ConfiguredRules,
) -> Result<Vec<Releasable>, StoreError> {
    let rows = connections::list(db).await?;
    let mut listed = Vec::new();
    for group in releasable::list_groups(db).await? {
        let Some(row) = rows.iter().find(|row| row.name == group.connection) else { continue };
        let Some((ready, can_release)) = judge(db, rules, row, &group).await? else { continue };
        let WaitingGroup { connection, kind, reason, detail, count, oldest_at } = group;
        listed.push(Releasable { connection, kind, reason, detail, count, oldest_at, ready, can_release });
    }
    Ok(listed)
}

/// Whether a group is ready, and whether it may be released; `None` for one that waits for nothing of this kind.
async fn judge(
    db: &mut PgConnection,
    rules: &ConfiguredRules,
    row: &ConnectionRow,
    group: &WaitingGroup,
) -> Result<Option<(bool, bool)>, StoreError> {
    Ok(match Reason::parse(&group.reason).and_then(cause) {
        Some(Cause::Switch(kind)) => {
            let switch = row.switches().of(kind);
            let can_be_asked = switch == Switch::Manual && kind != SubjectKind::Order;
            Some((switch == Switch::Automatic, switch == Switch::Automatic || can_be_asked))
        }
        Some(Cause::Rule) => {
            let configured = rules.get(&row.name).map(Vec::as_slice).unwrap_or_default();
            let by_hand = shipping_rules::load(db, &row.name).await?;
            let all: Vec<_> = configured.iter().chain(&by_hand).cloned().collect();
            // Without any rule the merchant has one method, and no code is sent.
            let needs_none = rules.get(&row.name).is_some_and(Vec::is_empty);
            let detail = group.detail.as_deref();
            let ready = needs_none || detail.is_some_and(|detail| matches_named_method(detail, &all));
            Some((ready, ready))
        }
        None => None,
    })
}

/// What tasks of a reason wait for.
enum Cause {
    Switch(SubjectKind),
    Rule,
}

const fn cause(reason: Reason) -> Option<Cause> {
    match reason {
        Reason::ManualTransfer | Reason::TransferOff => Some(Cause::Switch(SubjectKind::Order)),
        Reason::ManualUpload | Reason::UploadOff => Some(Cause::Switch(SubjectKind::Product)),
        Reason::ManualStockUpdate | Reason::StockUpdateOff => Some(Cause::Switch(SubjectKind::Stock)),
        Reason::ShippingUnmapped => Some(Cause::Rule),
        _ => None,
    }
}

/// Releases the tasks of a group, at most [`MAX_REPLAYED`] at once: a replay of their subjects.
pub async fn release(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    filter: &WaitingFilter<'_>,
) -> Result<Replay, ActionError> {
    let WaitingFilter { connection, reason, .. } = *filter;
    let is_asked = check_release(db, connection, reason).await?;
    let waiting = releasable::list(db, filter, MAX_REPLAYED).await?;
    if waiting.is_empty() {
        return Err(ConflictError::NothingWaits.into());
    }
    let (mut tasks_released, mut opened) = (Vec::with_capacity(waiting.len()), Vec::new());
    for task in &waiting {
        let replayed =
            replay_subject(db, actor, connection, &task.subject, Some(TaskId(task.id)), task.id).await?;
        if is_asked {
            let subject = tasks::parse_subject(&task.subject)?;
            record_wish(db, actor, connection, &subject, Wish::Sync(replayed.task)).await?;
        }
        tasks_released.push(replayed.task.0);
        opened.extend(replayed.opened.then_some(replayed.task.0));
    }
    let at = actor.now();
    let id: Uuid = actor.entropy.id(at);
    let shown = json!({ "connection": connection, "reason": reason, "detail": filter.detail });
    let detail = json!({ "filter": shown, "count": tasks_released.len() });
    let new = NewReplay { id, actor: actor.name, filter: shown, tasks: &tasks_released, opened: &opened, at };
    replays::insert(db, &new).await?;
    actor.audit(db, "tasks.release", Some(connection), Some(id.to_string()), detail).await?;
    Ok(Replay { id, tasks: tasks_released })
}

/// Refuses where nothing would be done; true where the tasks need a person's wish to write anything.
async fn check_release(db: &mut PgConnection, connection: &str, reason: &str) -> Result<bool, ActionError> {
    let row = connections::find(db, connection).await?.ok_or(ActionError::NotFound)?;
    match Reason::parse(reason).and_then(cause) {
        None => Err(ActionError::NotFound),
        Some(Cause::Rule) => Ok(false),
        Some(Cause::Switch(kind)) => match (row.switches().of(kind), kind) {
            (Switch::Automatic, _) => Ok(false),
            (Switch::Off, kind) => Err(ConflictError::switched_off(kind).into()),
            (Switch::Manual, SubjectKind::Order) => Err(ConflictError::TransferManual.into()),
            (Switch::Manual, SubjectKind::Product | SubjectKind::Stock) => Ok(true),
        },
    }
}
