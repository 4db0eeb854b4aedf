//! The model beside PostgreSQL: the same history through `store`, and the same rows after every step.

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
            outcome::Outcome,
            reason::Reason,
            state::{LeasedTask, TaskState},
            subject_state::BegunAction,
            transition::{AttemptEnd, transition},
        },
    },
    store::{
        claim::{self, ClaimRequest, ConnectionCapacity},
        ingest::{self, IncomingEvent},
        observations,
        tasks::{self, Fenced},
    },
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Mutant,
    machine::{MAX_ATTEMPTS, Machine, Row},
    world::{POLICY, SUBJECTS},
};
use crate::harness::{CONNECTION, TestSilta, secs, settle_task};

/// What both are led through: every statement that moves a task.
#[derive(Clone, Debug)]
enum Move {
    Receive {
        subject: usize,
        fingerprint: u32,
    },
    Claim,
    /// The n-th of the claims ever taken ends like this, whether it is still leased or not.
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
    Passes {
        seconds: u64,
    },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (0..SUBJECTS, 0_u32..12).prop_map(|(subject, fingerprint)| Move::Receive { subject, fingerprint }),
        4 => Just(Move::Claim),
        5 => (0_usize..12, 0_usize..9).prop_map(|(claim, outcome)| Move::Settle { claim, outcome }),
        1 => (0_usize..12).prop_map(|claim| Move::Release { claim }),
        2 => (0_usize..12).prop_map(|claim| Move::Begin { claim }),
        2 => Just(Move::Rescue),
        1 => (0..SUBJECTS).prop_map(|subject| Move::Cancel { subject }),
        3 => prop_oneof![1_u64..5, 30_u64..40].prop_map(|seconds| Move::Passes { seconds }),
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
        sqlx::raw_sql("truncate task, event, attempt, subject_state cascade")
            .execute(&silta.pool)
            .await
            .unwrap();
        let history = moves().new_tree(&mut runner).unwrap().current();
        let mut pair = Pair::new(silta.pool.acquire().await.unwrap().detach(), round);
        for (at, step) in history.iter().enumerate() {
            refused += usize::from(!pair.play(step).await);
            steps += 1;
            let (model, rows) = (pair.model_rows(), pair.rows().await);
            assert_eq!(model, rows, "after step {at} of {history:#?}");
        }
    }
    assert!(steps > 1000 && refused > 50, "{steps} steps, of which {refused} came too late");
}

struct Pair {
    db: PgConnection,
    machine: Machine,
    now: Timestamp,
    claims: Vec<LeasedTask>,
    /// Tasks of the model by place, and those of the database.
    ids: BTreeMap<Uuid, Uuid>,
    drawn: u128,
}

/// What is compared: everything that the machine moves.
type Seen = (usize, TaskState, [u32; 5], Timestamp, Option<Uuid>, Option<Timestamp>);

impl Pair {
    fn new(db: PgConnection, round: u128) -> Self {
        let now = Timestamp::from_timestamp(1_790_000_000, 0).unwrap();
        let machine = Machine::new(Mutant::None);
        Self { db, machine, now, claims: Vec::new(), ids: BTreeMap::new(), drawn: round << 64 }
    }

    fn draw(&mut self) -> Uuid {
        self.drawn += 1;
        Uuid::from_u128(self.drawn)
    }

    /// True where the step found what it expected; both must agree on that.
    async fn play(&mut self, step: &Move) -> bool {
        match *step {
            Move::Receive { subject, fingerprint } => {
                self.receive(subject, fingerprint).await;
                true
            }
            Move::Claim => self.claim().await,
            Move::Settle { claim, outcome: at } => {
                let Some(leased) = self.claims.get(claim).cloned() else { return true };
                let outcome = outcome(at, self.now);
                let next = transition(
                    &leased,
                    &AttemptEnd { outcome: &outcome, in_doubt_since: None, at: self.now, jitter: 0.5 },
                    &POLICY,
                );
                let settled = settle_task(&mut self.db, &leased, &outcome, &next, self.now).await;
                let modelled = self.machine.settle(&self.modelled(&leased), &next, self.now);
                assert_eq!(settled == Fenced::Written, modelled, "{step:?}");
                modelled
            }
            Move::Release { claim } => {
                let Some(leased) = self.claims.get(claim).cloned() else { return true };
                let released = tasks::release(&mut self.db, &leased).await.unwrap() == Fenced::Written;
                if released {
                    let reason: Option<String> = sqlx::query_scalar("select reason from task where id = $1")
                        .bind(leased.id.0)
                        .fetch_one(&mut self.db)
                        .await
                        .unwrap();
                    self.machine.release(&self.modelled(&leased), reason.is_some());
                }
                released
            }
            Move::Begin { claim } => {
                let Some(leased) = self.claims.get(claim).cloned() else { return true };
                let begun = BegunAction { action: "place".into(), key: "k".into(), at: self.now };
                let written = observations::begin_action(&mut self.db, &leased, &begun).await.unwrap()
                    == Fenced::Written;
                assert_eq!(written, self.machine.begin(&self.modelled(&leased), begun), "{step:?}");
                written
            }
            Move::Rescue => {
                tasks::rescue_expired(&mut self.db, MAX_ATTEMPTS, self.now).await.unwrap();
                self.machine.rescue(self.now);
                self.compare_subject_states().await;
                true
            }
            Move::Cancel { subject } => {
                let open = self.machine.rows.iter().rfind(|row| row.subject == subject);
                let Some(id) = open.map(|row| self.ids[&row.id]) else { return true };
                let cancelled = tasks::cancel(&mut self.db, TaskId(id), self.now).await.unwrap();
                assert_eq!(cancelled, self.machine.cancel(subject), "{step:?}");
                cancelled
            }
            Move::Passes { seconds } => {
                self.now += secs(seconds);
                true
            }
        }
    }

    async fn receive(&mut self, subject: usize, number: u32) {
        let (id, task_id) = (self.draw(), self.draw());
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
        let arrival = IncomingEvent { event, task_id: TaskId(task_id), priority: Priority(0) };
        let received = ingest::ingest(&mut self.db, &[arrival]).await.unwrap().remove(0);
        assert_eq!(received.duplicate, self.machine.knows(number));
        let before = self.machine.rows.len();
        self.machine.receive(subject, number, None, self.now);
        if let Some(new) = self.machine.rows.get(before) {
            assert!(received.opened);
            self.ids.insert(new.id, task_id);
        }
    }

    async fn claim(&mut self) -> bool {
        let fence = self.draw();
        let leased_until = self.now + secs(30);
        let capacities = [ConnectionCapacity { connection: CONNECTION.into(), max_tasks: 1 }];
        let request = ClaimRequest {
            claim_ids: &[fence],
            worker: "mirror",
            capacities: &capacities,
            background: 1,
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
        // Of those due at the same time PostgreSQL may take any.
        let id = self.modelled(&leased).id.0;
        assert!(claimable.contains(&id));
        let modelled = self.machine.claim(id, fence, self.now, leased_until).unwrap();
        let counts = |leased: &LeasedTask| (leased.failures, leased.number, leased.actions);
        assert_eq!(counts(&leased), counts(&modelled));
        self.claims.push(leased);
        true
    }

    /// The same claim, by the model's id of its task.
    fn modelled(&self, leased: &LeasedTask) -> LeasedTask {
        let (model, _) = self.ids.iter().find(|(_, id)| **id == leased.id.0).unwrap();
        LeasedTask { id: TaskId(*model), ..leased.clone() }
    }

    async fn compare_subject_states(&mut self) {
        let begun: Vec<(String, Timestamp)> = sqlx::query_as(
            "select subject, begun_at from subject_state where begun_at is not null order by subject",
        )
        .fetch_all(&mut self.db)
        .await
        .unwrap();
        let modelled = self.machine.subject_states.iter();
        let modelled: Vec<_> = modelled
            .filter_map(|(subject, known)| Some((format!("order:{subject}"), known.begun.as_ref()?.at)))
            .collect();
        assert_eq!(begun, modelled);
    }

    fn model_rows(&self) -> Vec<(Uuid, Seen)> {
        let seen = |row: &Row| {
            let counts = [row.failures, row.attempts, row.actions, row.revision, row.claimed_revision];
            let due_at = if row.state.is_closed() { Timestamp::UNIX_EPOCH } else { row.due_at };
            (self.ids[&row.id], (row.subject, row.state, counts, due_at, row.claim, row.leased_until))
        };
        let mut rows: Vec<_> = self.machine.rows.iter().map(seen).collect();
        rows.sort_by_key(|(id, _)| *id);
        rows
    }

    async fn rows(&mut self) -> Vec<(Uuid, Seen)> {
        type Wide =
            (Uuid, String, String, i32, i32, i32, i32, i32, Timestamp, Option<Uuid>, Option<Timestamp>);
        let rows: Vec<Wide> = sqlx::query_as(
            "select id, subject, state, failures, attempts, actions, revision, claimed_revision, due_at, claim_id, leased_until
             from task order by id",
        )
        .fetch_all(&mut self.db)
        .await
        .unwrap();
        let seen = |(
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
        ): Wide| {
            let state: TaskState = state.parse().unwrap();
            let counts = [failures, attempts, actions, revision, at_claim].map(i32::unsigned_abs);
            let due_at = if state.is_closed() { Timestamp::UNIX_EPOCH } else { due_at };
            let subject = subject.strip_prefix("order:").unwrap().parse().unwrap();
            (id, (subject, state, counts, due_at, claim, until))
        };
        rows.into_iter().map(seen).collect()
    }
}
