//! What the ledger says: doubt, foreign orders, references, completions.

use std::time::Duration;

use super::case::*;
use crate::domain::{
    event::reference::ReferencePrefixes,
    order::*,
    task::{
        action::{ActionKind, ActionState, LedgerEntry},
        ledger::Ledger,
        subject_state::SubjectState,
    },
};

#[test]
fn unknown_outcome_waits_for_two_reads_a_settling_time_apart() {
    let doubt = |reads, seconds| Case { ledger: in_doubt(ActionKind::Place, reads, seconds), ..case() };
    let five = |state| {
        let entries = (1..=5).map(|number| LedgerEntry { number, ..entry(ActionKind::Place, state, 0) });
        Ledger(entries.collect())
    };
    let tired = |mut ledger: Ledger| {
        let last = ledger.0.last_mut().expect("some");
        (last.reads, last.watched) = (1, Some(Duration::from_secs(10)));
        Case { ledger, ..case() }
    };
    let table = vec![
        (doubt(0, 0), "doubt 10"),
        (doubt(0, 5), "doubt 5"),
        (doubt(0, 10), "doubt 10 counted"),
        (doubt(0, 99), "doubt 10 counted"),
        (doubt(1, 5), "doubt 5"),
        (doubt(1, 10), "place k-1042"),
        (Case { warehouse: Some(at_warehouse(WarehouseStatus::New)), ..doubt(0, 1) }, "adopt Some(1)"),
        // A placed order is never placed again, whatever the search shows.
        (Case { ledger: placed(), ..case() }, "wait 10 settling_time"),
        (Case { ledger: placed(), now: 601, ..case() }, "ask vanished_at_warehouse"),
        // Also where a later placing of it is still in doubt: the earlier one was found.
        (
            Case { ledger: placed_then(in_doubt(ActionKind::Place, 1, 10).0.remove(0)), ..case() },
            "wait 10 settling_time",
        ),
        // What a person says counts for ever.
        (
            Case {
                ledger: Ledger(vec![entry(ActionKind::Place, ActionState::ResolvedApplied, 0)]),
                ..case()
            },
            "skip resolved_by_operator",
        ),
        (
            Case {
                ledger: Ledger(vec![entry(ActionKind::Place, ActionState::ResolvedNotApplied, 0)]),
                ..case()
            },
            "place k-1042",
        ),
        // Whatever is read, there is an end.
        (tired(five(ActionState::Unknown)), "ask repeated_too_often"),
        (tired(five(ActionState::Refused)), "place k-1042"),
        (tired(five(ActionState::NotSent)), "place k-1042"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {row}");
    }
}

#[test]
fn order_that_was_never_sent_is_adopted_only_if_it_is_the_same() {
    let lines = |code: &str, quantity| vec![WarehouseLine { code: code.into(), quantity }];
    let there = |lines| WarehouseOrder { lines, ..at_warehouse(WarehouseStatus::Shipped) };
    let with = |warehouse| Case { warehouse: Some(warehouse), ..case() };
    let edited = |second| WarehouseOrder { edited_at: Some(at(second)), ..there(lines("a", 1)) };
    let late = Some(ShopOrder { created_at: Some(at(8000)), ..order() });
    let twin = WarehouseOrder { twins: vec![WarehouseStatus::New], ..there(lines("A", 1)) };
    let old_twin = WarehouseOrder { twins: vec![WarehouseStatus::Cancelled], ..there(lines("A", 1)) };
    let table = vec![
        (with(there(lines("A", 1))), "adopt None"),
        (with(there(lines("A", 2))), "ask not_ours_at_warehouse"),
        (with(there(lines("B", 1))), "ask not_ours_at_warehouse"),
        (with(there(Vec::new())), "ask not_ours_at_warehouse"),
        (with(edited(60)), "adopt None"),
        (Case { shop: late.clone(), ..with(edited(7000)) }, "adopt None"),
        (Case { shop: late, ..with(edited(60)) }, "ask not_ours_at_warehouse"),
        (Case { intent: Some(Intent::Adopt), ..with(there(lines("B", 1))) }, "adopt None"),
        (
            Case { shop: shop_is(ShopStatus::Completed), ..with(there(lines("B", 1))) },
            "skip completed_in_shop",
        ),
        (
            Case { shop: shop_is(ShopStatus::Cancelled), ..with(there(lines("B", 1))) },
            "skip cancelled_in_shop",
        ),
        (with(twin.clone()), "ask doubled_at_warehouse"),
        (Case { ledger: placed(), ..with(twin) }, "ask doubled_at_warehouse"),
        (with(old_twin), "adopt None"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {row}");
    }
}

#[test]
fn reference_of_the_ledger_outlives_another_prefix() {
    let renamed = || OrderPolicy { references: ReferencePrefixes::new("new-"), ..policy() };
    let with = |ledger| Case { ledger, policy: renamed(), ..case() };
    let refused = Ledger(vec![entry(ActionKind::Place, ActionState::Refused, 0)]);
    assert_eq!(describe(&with(in_doubt(ActionKind::Place, 1, 10))), "place k-1042");
    assert_eq!(describe(&with(refused)), "place new-1042", "it is not there under the old one");
    assert_eq!(describe(&with(Ledger::default())), "place new-1042");
}

#[test]
fn completion_happens_once_in_the_life_of_an_order() {
    use ActionState::{Applied, Refused, ResolvedApplied, ResolvedNotApplied};
    let shipped = |ledger| Case { ledger, warehouse: Some(at_warehouse(WarehouseStatus::Shipped)), ..case() };
    let completed = |state| shipped(placed_then(entry(ActionKind::Complete, state, 0)));
    let doubt = |reads, seconds| {
        let doubtful = in_doubt(ActionKind::Complete, reads, seconds).0.remove(0);
        shipped(placed_then(doubtful))
    };
    let reopened = SubjectState { completed_at: Some(at(50)), ..SubjectState::default() };
    let table = vec![
        (shipped(placed()), "quick-process JJFI1"),
        (doubt(0, 0), "doubt 10"),
        (doubt(0, 10), "doubt 10 counted"),
        (doubt(1, 10), "quick-process JJFI1"),
        (completed(Applied), "skip reopened_in_shop"),
        (completed(Refused), "quick-process JJFI1"),
        (completed(ResolvedApplied), "skip resolved_by_operator"),
        (completed(ResolvedNotApplied), "quick-process JJFI1"),
        (Case { known: reopened.clone(), ..shipped(placed()) }, "skip reopened_in_shop"),
        (Case { known: reopened.clone(), ..case() }, "skip reopened_in_shop"),
        (Case { known: reopened, intent: Some(Intent::Transfer), ..case() }, "place k-1042"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {row}");
    }
}
