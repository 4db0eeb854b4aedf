//! Syncs one product or one stock figure, also where its switch is "manual".

use serde_json::json;
use sqlx::PgConnection;

use super::{
    ActionError, Actor,
    enqueue::{EnqueuedTask, OperatorEvent, enqueue},
    order::record_wish,
    switch::require_switched_on,
};
use crate::{
    domain::event::subject::{Subject, SubjectKind},
    store::{
        intents::Wish,
        tasks,
        views::items::{self, ItemRow},
    },
};

/// The longest key of a subject that is asked for.
const MAX_KEY: usize = 200;

/// Enqueues the task of a product or a stock figure, which writes what differs. Orders have requests of their own.
pub async fn sync_subject(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    subject: Subject,
) -> Result<EnqueuedTask, ActionError> {
    let is_product_id = subject.key.bytes().all(|byte| byte.is_ascii_digit());
    let is_known = match subject.kind {
        SubjectKind::Order => false,
        SubjectKind::Product => is_product_id,
        SubjectKind::Stock => true,
    };
    if !is_known || subject.key.len() > MAX_KEY || subject.key.chars().any(char::is_control) {
        return Err(ActionError::NotFound);
    }
    require_switched_on(db, connection, subject.kind).await?;
    let asked = OperatorEvent::live("subject.sync", subject.kind);
    let enqueued = enqueue(db, actor, (connection, &subject), asked).await?;
    // For this task and no later one.
    record_wish(db, actor, connection, &subject, Wish::Sync(enqueued.task)).await?;
    let detail = json!({ "task": enqueued.task, "opened": enqueued.opened });
    actor.audit(db, "subject.sync", Some(connection), Some(subject.to_string()), detail).await?;
    Ok(enqueued)
}

/// Enqueues the tasks of an item's product and of its stock figure: of each whose switch is not off. An item whose code cannot
/// be sent has no stock figure.
pub async fn sync_item(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    item: &str,
) -> Result<ItemRow, ActionError> {
    let row = items::find(db, connection, item).await?.ok_or(ActionError::NotFound)?;
    let code = row.code.as_deref().filter(|_| row.code_problem.is_none());
    let product = tasks::parse_subject(&row.product)?;
    let mut refused = None;
    let mut asked = 0;
    for subject in code.map(Subject::stock).into_iter().chain([product]) {
        match sync_subject(db, actor, connection, subject).await {
            Ok(_) => asked += 1,
            Err(ActionError::Conflict(conflict)) => refused = refused.or(Some(conflict)),
            Err(error) => return Err(error),
        }
    }
    match refused {
        Some(conflict) if asked == 0 => Err(conflict.into()),
        _ => Ok(row),
    }
}
