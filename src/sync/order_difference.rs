//! Turns the dry run of an order into a difference of the report.

use super::run::{Run, reported_difference};
use crate::{
    domain::{
        event::subject::Subject,
        task::{outcome::Outcome, reason::Reason},
    },
    flows::AttemptResult,
    store::sync_differences::NewDifference,
};

/// The difference that a dry run found; `None` where the order is in sync.
pub(super) fn order_difference(
    run: &Run<'_>,
    subject: &Subject,
    result: AttemptResult,
) -> Option<NewDifference> {
    let AttemptResult { outcome, action, detail, .. } = result;
    let subject = subject.to_string();
    let found = match outcome {
        Outcome::Acted => {
            let (class, remedy) = class_and_remedy(action.unwrap_or_default());
            run.fixable_difference(subject, class, remedy)
        }
        Outcome::Permanent { reason } => NewDifference {
            reason: Some(reason),
            ..reported_difference(subject, "needs_attention", reason.description())
        },
        Outcome::Skipped { reason: reason @ Reason::UnknownInShop } => {
            let remedy = "the warehouse has it under our reference and the shop does not know it: find out who placed it";
            NewDifference { reason: Some(reason), ..reported_difference(subject, "unknown_in_shop", remedy) }
        }
        // It cannot be read now: reported, and read again by its task.
        Outcome::Retryable { reason }
        | Outcome::Snoozed { reason, .. }
        | Outcome::Unknown { reason }
        | Outcome::ConnectionFault { reason } => NewDifference {
            reason: Some(reason),
            ..run.fixable_difference(subject, "not_read", "it is read again")
        },
        Outcome::InSync | Outcome::Skipped { .. } | Outcome::Waiting { .. } => return None,
    };
    Some(NewDifference { detail, ..found })
}

/// The class of a difference, and what the action that fixes it does.
fn class_and_remedy(action: &str) -> (&'static str, &'static str) {
    match action {
        "place" => ("missing_at_warehouse", "it is sent to the warehouse"),
        "place_replacement" => ("missing_at_warehouse", "the confirmed replacement is sent to the warehouse"),
        "adopt" => ("not_remembered", "it is adopted and followed from now on"),
        "update" => ("edited_in_shop", "the edit is sent to the warehouse"),
        "cancel" => ("cancelled_in_shop", "it is cancelled at the warehouse"),
        _ => ("not_completed_in_shop", "it is completed in the shop, with its tracking code"),
    }
}
