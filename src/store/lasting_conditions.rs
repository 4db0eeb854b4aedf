//! What has lasted for too long to be nobody's concern: gaps of lists, and orders that wait for goods.

use sqlx::PgConnection;

use super::{
    Result,
    poll_gaps::{self, LastingGaps},
    views::waiting::{self, OverdueOrders},
};
use crate::domain::{
    Timestamp,
    alert::{AlertKind, Condition},
};

/// How often a gap is read again in vain before it is an alert: its waits double from a minute on, so that this is half
/// an hour, whatever a clock says.
const LASTING_GAP_ATTEMPTS: i32 = 5;

/// Finds these conditions. `polls` names lists that should have been read: connections and lists. Orders that wait since
/// before `waiting_before` have waited too long.
pub(super) async fn list(
    db: &mut PgConnection,
    connections: &[String],
    waiting_before: Option<Timestamp>,
    polls: (&[String], &[String]),
) -> Result<Vec<Condition>> {
    let gaps = poll_gaps::list_lasting(db, polls, LASTING_GAP_ATTEMPTS).await?;
    let overdue = match waiting_before {
        Some(before) => waiting::list_overdue(db, connections, before).await?,
        None => Vec::new(),
    };
    let overdue = overdue.into_iter().map(overdue_condition);
    Ok(gaps.into_iter().map(gap_condition).chain(overdue).collect())
}

fn gap_condition(LastingGaps { connection, count, detail }: LastingGaps) -> Condition {
    Condition { connection, kind: AlertKind::ListGap, count, detail }
}

fn overdue_condition(OverdueOrders { connection, count, detail }: OverdueOrders) -> Condition {
    Condition { connection, kind: AlertKind::WaitingForProducts, count, detail }
}
