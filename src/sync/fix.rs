//! The last step: enqueues a task for each fixable difference, unless it would fix too much at once.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{error::SyncError, run::Run};
use crate::{
    domain::{
        event::{
            source::Source,
            subject::{Priority, Subject, SubjectKind},
        },
        id::{EventId, TaskId},
        switch::Switch,
        sync::SyncKind,
        sync_schedule::SCHEDULE,
        task::reason::Reason,
    },
    flows::ConnectionClients,
    store::{
        ingest::{self, IncomingEvent, InternalEvent},
        intents::{self, NewIntent, Wish},
        subject_states, sync_differences,
    },
};

/// Every class of differences that a task can fix, as `[connections.polls] approve` names them.
pub const FIXABLE_DIFFERENCES: [&str; 12] = [
    "products.missing_at_warehouse",
    "products.vanished_at_warehouse",
    "products.differs_at_warehouse",
    "products.renamed_in_shop",
    "stock.figure_differs",
    "stock.falls_to_zero",
    "orders.missing_at_warehouse",
    "orders.not_remembered",
    "orders.edited_in_shop",
    "orders.cancelled_in_shop",
    "orders.not_completed_in_shop",
    "orders.not_read",
];

/// Tasks enqueued in one transaction.
const BATCH_SIZE: i64 = 200;

/// Counts what was at the warehouse when last observed and is in its list still.
pub(super) const STILL_AT_WAREHOUSE: &str = "still_at_warehouse";

/// Enqueues the tasks, page by page. A kind that is switched to manual is fixed only where a person has asked for this sync
/// or approved it, and one that is off never.
pub(super) async fn fix(run: &mut Run<'_>, clients: &ConnectionClients) -> Result<(), SyncError> {
    let switch = run.switch;
    if switch == Switch::Off {
        return Ok(());
    }
    let is_asked = run.leased.approved || run.leased.actor != SCHEDULE;
    if switch == Switch::Manual && !is_asked {
        return Ok(()); // the differences wait for approval
    }
    let mut withheld = Vec::new();
    if !run.leased.approved {
        run.braked = brake_reason(run, clients);
        if run.braked.is_some() {
            return Ok(());
        }
        withheld = classes_to_approve(run);
    }
    loop {
        let mut tx = run.begin_transaction().await?;
        let waiting =
            sync_differences::list_awaiting_approval(&mut tx, run.leased.id, &withheld, BATCH_SIZE).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        let (positions, subjects): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .filter_map(|(position, subject)| Some((position, subject.parse::<Subject>().ok()?)))
            .unzip();
        let products = subjects.iter().filter(|subject| subject.kind == SubjectKind::Product);
        let products: Vec<_> = products.map(ToString::to_string).collect();
        subject_states::clear_sent_hash(&mut tx, &run.leased.connection, &products).await?;
        let events: Vec<_> = subjects.into_iter().map(|subject| found_event(run, subject)).collect();
        let ingested = ingest::ingest(&mut tx, &events).await?;
        let tasks = ingested.iter().zip(&events);
        let tasks: Vec<_> = tasks.map(|(it, event)| it.task_id.unwrap_or(event.task_id).0).collect();
        if switch == Switch::Manual {
            record_wishes(run, &mut tx, &events, &tasks).await?;
        }
        sync_differences::mark_fixing(&mut tx, run.leased.id, &positions, &tasks).await?;
        run.commit_page(tx, &[], String::new(), 0).await?;
    }
}

/// Records for each product and figure that a person wants it written: by the task that was enqueued for it, and no other.
async fn record_wishes(
    run: &Run<'_>,
    tx: &mut PgConnection,
    events: &[IncomingEvent],
    tasks: &[Uuid],
) -> Result<(), SyncError> {
    let Run { deps, leased, .. } = run;
    let at = deps.clock.now();
    let actor = leased.approved_by.as_deref().unwrap_or(&leased.actor);
    let subjects = events.iter().filter_map(|event| event.event.subject.as_ref());
    for (subject, task) in subjects.zip(tasks).filter(|(subject, _)| subject.kind != SubjectKind::Order) {
        let (id, subject, wish) = (deps.entropy.id(at), subject.to_string(), Wish::Sync(TaskId(*task)));
        let new = NewIntent {
            id,
            connection: &leased.connection,
            subject: &subject,
            wish,
            actor,
            at,
            leaves_at: None,
            bulk: None,
        };
        intents::insert(tx, &new).await?;
    }
    Ok(())
}

/// The event that enqueues a subject which this sync found out of sync.
pub(super) fn found_event(run: &Run<'_>, subject: Subject) -> IncomingEvent {
    let at = run.deps.clock.now();
    let topic = format!("synced.{}", run.leased.what);
    let event = InternalEvent {
        connection: &run.leased.connection,
        // A thousand differences never delay a live order.
        priority: Priority::BACKGROUND,
        body: serde_json::json!({ "sync": run.leased.id, "subject": subject.to_string() }),
        subject,
        source: Source::Poll,
        topic: &topic,
        at,
    };
    let entropy = &run.deps.entropy;
    event.into_incoming(EventId(entropy.id(at)), TaskId(entropy.id(at)))
}

/// Why nothing may be fixed: so many differences of one kind that a list is more likely wrong than the data.
fn brake_reason(run: &Run<'_>, clients: &ConnectionClients) -> Option<Reason> {
    let vanished = run.count_of("vanished_at_warehouse");
    if clients.stock_policy.should_brake(vanished, run.count_of(STILL_AT_WAREHOUSE)) {
        return Some(Reason::ListPartial);
    }
    if run.leased.what == SyncKind::Stock {
        let to_zero = run.count_of("falls_to_zero");
        if clients.stock_policy.should_brake(to_zero, run.count_of("in_stock")) {
            return Some(Reason::StockBraked);
        }
    }
    None
}

/// The classes that a scheduled sync fixes only after approval. An operator who requests a sync approves all of them.
fn classes_to_approve(run: &Run<'_>) -> Vec<String> {
    if run.leased.actor != SCHEDULE {
        return Vec::new();
    }
    let prefix = format!("{}.", run.leased.what);
    let schedule = run.deps.schedules.get(&run.leased.connection);
    let classes = schedule.into_iter().flat_map(|it| &it.approve);
    classes.filter_map(|class| class.strip_prefix(&prefix)).map(ToOwned::to_owned).collect()
}
