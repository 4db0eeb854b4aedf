//! Runs the same history through the model and through `store`, and compares the rows after every step.

use std::collections::BTreeMap;

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use silta::{
    domain::{
        Timestamp,
        event::{
            dedup::{DedupScope, fingerprint},
            new_event::NewEvent,
            source::Source,
            subject::{Priority, Subject},
        },
        id::{EventId, TaskId},
        task::{
            action::{ActionKind, LedgerEntry, NewAction},
            outcome::Outcome,
            reason::Reason,
            state::{LeasedTask, TaskState},
            transition::{AttemptEnd, transition},
        },
    },
    store::{
        begun_actions::{self, Beginning, Begun},
        claim::{self, ClaimRequest, ConnectionCapacity},
        ingest::{self, IncomingEvent},
        tasks::{self, Fenced},
    },
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    machine::{MAX_ATTEMPTS, Machine, Row},
    mutants::Mutant,
    world::{POLICY, SUBJECTS},
};
use crate::harness::{CONNECTION, TestSilta, secs, settle_task};

/// Every statement that changes a task.
#[derive(Clone, Debug)]
enum Operation {
    Receive {
        subject: usize,
        fingerprint: u32,
    },
    Claim,
    /// Settles the n-th claim ever taken, whether it still holds its lease or not.
    Settle {
        claim: usize,
        outcome: usize,
    },
    Release {
        claim: usize,
    },
    Begin {
        claim: usize,
    },
    Rescue,
    Cancel {
        subject: usize,
    },
    Advance {
        seconds: u64,
    },
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let one = prop_oneof![
        4 => (0..SUBJECTS, 0_u32..12).prop_map(|(subject, fingerprint)| Operation::Receive { subject, fingerprint }),
        4 => Just(Operation::Claim),
        5 => (0_usize..12, 0_usize..9).prop_map(|(claim, outcome)| Operation::Settle { claim, outcome }),
        1 => (0_usize..12).prop_map(|claim| Operation::Release { claim }),
        2 => (0_usize..12).prop_map(|claim| Operation::Begin { claim }),
        2 => Just(Operation::Rescue),
        1 => (0..SUBJECTS).prop_map(|subject| Operation::Cancel { subject }),
        3 => prop_oneof![1_u64..5, 30_u64..40].prop_map(|seconds| Operation::Advance { seconds }),
    ];
    proptest::collection::vec(one, 20..60)
}

fn outcome(at: usize, now: Timestamp) -> Outcome {
    let reason = Reason::VendorFailed;
    let until = now + secs(20);
    [
        Outcome::Acted,
        Outcome::InSync,
        Outcome::Skipped { reason },
        Outcome::Waiting { until, reason },
        Outcome::Retryable { reason },
        Outcome::Snoozed { after: None, reason },
        Outcome::Unknown { reason },
        Outcome::Permanent { reason },
        Outcome::ConnectionFault { reason },
    ][at]
        .clone()
}

#[tokio::test]
async fn model_and_postgresql_agree_after_every_step() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let (mut steps, mut refused) = (0, 0);
    for round in 0..40 {
        sqlx::raw_sql(
            "truncate task, event, attempt, action, subject_state, open_task_count, open_task_change cascade",
        )
        .execute(&silta.pool)
        .await
        .unwrap();
        let history = operations().new_tree(&mut runner).unwrap().current();
        let mut both = ModelAndDatabase::new(silta.pool.acquire().await.unwrap().detach(), round);
        for (at, step) in history.iter().enumerate() {
            refused += usize::from(!both.run_step(step).await);
            steps += 1;
            let (model, rows) = (both.model_rows(), both.rows().await);
            assert_eq!(model, rows, "after step {at} of {history:#?}");
            both.compare_open_counts().await;
        }
    }
    assert!(steps > 1000 && refused > 50, "{steps} steps, of which {refused} came too late");
}

fn place(leased: &LeasedTask) -> NewAction {
    NewAction {
        kind: ActionKind::Place,
        target: String::new(),
        key: "k".into(),
        reference: Some(format!("shop-{}", leased.subject.key)),
        sent: None,
        inputs: None,
        policy_digest: None,
    }
}

struct ModelAndDatabase {
    db: PgConnection,
    machine: Machine,
    now: Timestamp,
    claims: Vec<LeasedTask>,
    /// Task ids of the model, and the matching ids in the database.
    ids: BTreeMap<Uuid, Uuid>,
    last_id: u128,
}

/// The compared part of a row: everything that the machine changes.
type RowView = (usize, TaskState, [u32; 5], Timestamp, Option<Uuid>, Option<Timestamp>);

impl ModelAndDatabase {
    fn new(db: PgConnection, round: u128) -> Self {
        let now = Timestamp::from_timestamp(1_790_000_000, 0).unwrap();
        let machine = Machine::new(Mutant::None);
        Self { db, machine, now, claims: Vec::new(), ids: BTreeMap::new(), last_id: round << 64 }
    }

    fn next_id(&mut self) -> Uuid {
        self.last_id += 1;
        Uuid::from_u128(self.last_id)
    }

    /// Runs one step on both; false if the claim was lost. Both must agree on that.
    async fn run_step(&mut self, step: &Operation) -> bool {
        match *step {
            Operation::Receive { subject, fingerprint } => {
                self.receive(subject, fingerprint).await;
                true
            }
            Operation::Claim => self.claim().await,
            Operation::Settle { claim, outcome: at } => {
                let Some(leased) = self.claims.get(claim).cloned() else { return true };
                let outcome = outcome(at, self.now);
                let next = transition(
                    &leased,
                    &AttemptEnd {
                        outcome: &outcome,
                        in_doubt_since: None,
                        keeps_place: false,
                        at: self.now,
                        jitter: 0.5,
                    },
                    &POLICY,
                );
                let settled = settle_task(&mut self.db, &leased, &outcome, &next, self.now).await;
                let in_model = self.machine.settle(&self.in_model(&leased), &next, self.now);
                assert_eq!(settled == Fenced::Written, in_model, "{step:?}");
                in_model
            }
            Operation::Release { claim } => {
                let Some(leased) = self.claims.get(claim).cloned() else { return true };
                let released =
                    tasks::return_claim(&mut self.db, &leased, None).await.unwrap() == Fenced::Written;
                if released {
                    let reason: Option<String> = sqlx::query_scalar("select reason from task where id = $1")
                        .bind(leased.id.0)
                        .fetch_one(&mut self.db)
                        .await
                        .unwrap();
                    self.machine.release(&self.in_model(&leased), reason.is_some());
                }
                released
            }
            Operation::Begin { claim } => {
                let Some(leased) = self.claims.get(claim).cloned() else { return true };
                // The machine has no cap.
                let open = self.machine.ledgers.values().any(|ledger| ledger.0.len() >= 5);
                if open {
                    return true;
                }
                let (leased, action) = (&leased, &place(&leased));
                let beginning = Beginning { leased, action };
                let begun = begun_actions::begin(&mut self.db, &[beginning], self.now).await.unwrap()[0];
                let in_model = self.machine.begin(&self.in_model(leased), self.now);
                assert_eq!(begun, in_model.map_or(Begun::LeaseLost, Begun::Entered), "{step:?}");
                in_model.is_some()
            }
            Operation::Rescue => {
                tasks::rescue_expired(&mut self.db, MAX_ATTEMPTS, self.now).await.unwrap();
                self.machine.rescue(self.now);
                self.compare_ledgers().await;
                true
            }
            Operation::Cancel { subject } => {
                let open = self.machine.rows.iter().rfind(|row| row.subject == subject);
                let Some(id) = open.map(|row| self.ids[&row.id]) else { return true };
                let cancelled = tasks::cancel(&mut self.db, TaskId(id), self.now).await.unwrap();
                assert_eq!(cancelled, self.machine.cancel(subject), "{step:?}");
                cancelled
            }
            Operation::Advance { seconds } => {
                self.now += secs(seconds);
                true
            }
        }
    }

    async fn receive(&mut self, subject: usize, number: u32) {
        let (id, task_id) = (self.next_id(), self.next_id());
        let body = number.to_string().into_bytes();
        let event = NewEvent {
            id: EventId(id),
            connection: CONNECTION.into(),
            source: Source::Poll,
            topic: "t".into(),
            subject: Some(Subject::order(subject.to_string())),
            received_at: self.now,
            fingerprint: fingerprint(Source::Poll, "t", &body, DedupScope::Permanent, self.now),
            body,
        };
        let incoming = IncomingEvent { event, task_id: TaskId(task_id), priority: Priority(0) };
        let ingested = ingest::ingest(&mut self.db, &[incoming]).await.unwrap().remove(0);
        assert_eq!(ingested.duplicate, self.machine.has_event(number));
        let before = self.machine.rows.len();
        self.machine.receive(subject, number, None, self.now);
        if let Some(new) = self.machine.rows.get(before) {
            assert!(ingested.opened);
            self.ids.insert(new.id, task_id);
        }
    }

    async fn claim(&mut self) -> bool {
        let fence = self.next_id();
        let leased_until = self.now + secs(30);
        let capacities = [ConnectionCapacity {
            connection: CONNECTION.into(),
            max_tasks: 1,
            max_background: 1,
            max_risen: 0,
        }];
        let request = ClaimRequest {
            claim_ids: &[fence],
            worker: "mirror",
            capacities: &capacities,
            background: 1,
            is_trial: false,
            since: Timestamp::UNIX_EPOCH,
            now: self.now,
            leased_until,
        };
        let claimed = claim::claim_due(&mut self.db, &request).await.unwrap().pop();
        let claimable = self.machine.claimable(self.now);
        let Some(leased) = claimed else {
            assert_eq!(claimable, Vec::<Uuid>::new());
            return false;
        };
        // PostgreSQL may take any of the tasks that are due at the same time.
        let id = self.in_model(&leased).id.0;
        assert!(claimable.contains(&id));
        let in_model = self.machine.claim(id, fence, self.now, leased_until).unwrap();
        let counts = |leased: &LeasedTask| (leased.failures, leased.number, leased.actions);
        assert_eq!(counts(&leased), counts(&in_model));
        self.claims.push(leased);
        true
    }

    /// The same claim with the model's task id.
    fn in_model(&self, leased: &LeasedTask) -> LeasedTask {
        let (model, _) = self.ids.iter().find(|(_, id)| **id == leased.id.0).unwrap();
        LeasedTask { id: TaskId(*model), ..leased.clone() }
    }

    async fn compare_ledgers(&mut self) {
        let entries: Vec<(String, i32, String, Timestamp, Option<Timestamp>)> = sqlx::query_as(
            "select subject, number, state, begun_at, ended_at from action order by subject, number",
        )
        .fetch_all(&mut self.db)
        .await
        .unwrap();
        let in_model = self.machine.ledgers.iter().flat_map(|(subject, ledger)| {
            let view = move |entry: &LedgerEntry| {
                let state = entry.state.as_str().to_owned();
                (format!("order:{subject}"), entry.number, state, entry.begun_at, entry.ended_at)
            };
            ledger.0.iter().map(view)
        });
        assert_eq!(entries, in_model.collect::<Vec<_>>());
    }

    /// The kept count of open tasks, beside the rows.
    async fn compare_open_counts(&mut self) {
        let (kept, counted): (i64, i64) = sqlx::query_as(
            "select (select coalesce(sum(change), 0)::bigint from open_task_change),
                    (select count(*) from task where settled_at is null)",
        )
        .fetch_one(&mut self.db)
        .await
        .unwrap();
        assert_eq!(kept, counted, "open tasks");
    }

    fn model_rows(&self) -> Vec<(Uuid, RowView)> {
        let view = |row: &Row| {
            let counts = [row.failures, row.attempts, row.actions, row.revision, row.claimed_revision];
            let due_at = if row.state.is_closed() { Timestamp::UNIX_EPOCH } else { row.due_at };
            (self.ids[&row.id], (row.subject, row.state, counts, due_at, row.claim, row.leased_until))
        };
        let mut rows: Vec<_> = self.machine.rows.iter().map(view).collect();
        rows.sort_by_key(|(id, _)| *id);
        rows
    }

    async fn rows(&mut self) -> Vec<(Uuid, RowView)> {
        type RowColumns =
            (Uuid, String, String, i32, i32, i32, i32, i32, Timestamp, Option<Uuid>, Option<Timestamp>);
        let rows: Vec<RowColumns> = sqlx::query_as(
            "select id, subject, state, failures, attempts, actions, revision, claimed_revision, due_at, claim_id, leased_until
             from task order by id",
        )
        .fetch_all(&mut self.db)
        .await
        .unwrap();
        let view = |(
            id,
            subject,
            state,
            failures,
            attempts,
            actions,
            revision,
            at_claim,
            due_at,
            claim,
            until,
        ): RowColumns| {
            let state: TaskState = state.parse().unwrap();
            let counts = [failures, attempts, actions, revision, at_claim].map(i32::unsigned_abs);
            let due_at = if state.is_closed() { Timestamp::UNIX_EPOCH } else { due_at };
            let subject = subject.strip_prefix("order:").unwrap().parse().unwrap();
            (id, (subject, state, counts, due_at, claim, until))
        };
        rows.into_iter().map(view).collect()
    }
}
