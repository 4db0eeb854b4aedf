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
    store::intents::Wish,
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
