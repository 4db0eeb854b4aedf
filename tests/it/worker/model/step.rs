//! The steps of a history and their random choice.

use proptest::prelude::*;

use super::world::{MAX_SKEW, MAX_VENDOR_DELAY, SUBJECTS, WORKERS};

/// The fate of a call.
#[derive(Clone, Copy, Debug)]
pub enum CallFate {
    /// Applied and answered.
    Success,
    /// Lost before it was applied.
    LostBefore,
    /// Applied, but the answer is lost.
    AnswerLost,
    /// The caller times out; the vendor applies the call this many seconds later.
    AppliedLater(i64),
    /// 429.
    Busy,
    /// Refused permanently.
    Refused,
}

/// One step of a history.
#[derive(Clone, Debug)]
pub enum Step {
    /// A subject changes and a webhook arrives; a duplicated one arrives at two receivers at once.
    Webhook { subject: usize, is_duplicated: bool },
    /// The last webhook arrives again.
    WebhookAgain,
    /// A webhook arrives and its process crashes before the commit.
    CrashBeforeCommit { subject: usize },
    /// A worker takes its next step; a call has this fate.
    Work { worker: usize, fate: CallFate },
    /// A worker crashes wherever it is.
    Crash { worker: usize },
    /// A worker runs its attempt to the end; a call has this fate.
    Finish { worker: usize, fate: CallFate },
    /// The due task crashes its worker this many times in a row.
    CrashLoop { times: u32 },
    /// A worker is suspended before its call while its subject may change and another worker goes on, for whose clock the
    /// lease may have run out. Then the first one makes its call, and the other one may be about to.
    Overtake { worker: usize, by: usize, ahead: i64, seconds: i64, changes: bool },
    /// Time passes.
    Advance { seconds: i64 },
    /// A worker's clock is set this many seconds ahead or behind, whatever it does.
    SetClock { worker: usize, skew: i64 },
    /// Expired leases are rescued, by a worker's clock.
    Rescue { worker: usize },
    /// An operator replays a subject.
    Replay { subject: usize },
    /// An operator cancels a waiting task.
    Cancel { subject: usize },
}

pub fn step() -> impl Strategy<Value = Step> {
    let fate = || {
        prop_oneof![
            6 => Just(CallFate::Success),
            2 => Just(CallFate::LostBefore),
            2 => Just(CallFate::AnswerLost),
            2 => (1..=MAX_VENDOR_DELAY).prop_map(CallFate::AppliedLater),
            1 => Just(CallFate::Busy),
            1 => Just(CallFate::Refused),
        ]
    };
    prop_oneof![
        3 => (0..SUBJECTS, any::<bool>()).prop_map(|(subject, is_duplicated)| Step::Webhook { subject, is_duplicated }),
        1 => Just(Step::WebhookAgain),
        1 => (0..SUBJECTS).prop_map(|subject| Step::CrashBeforeCommit { subject }),
        8 => (0..WORKERS, fate()).prop_map(|(worker, fate)| Step::Work { worker, fate }),
        2 => (0..WORKERS).prop_map(|worker| Step::Crash { worker }),
        3 => (0..WORKERS, fate()).prop_map(|(worker, fate)| Step::Finish { worker, fate }),
        1 => (1_u32..7).prop_map(|times| Step::CrashLoop { times }),
        1 => (0..WORKERS, 1..WORKERS, 0..=MAX_SKEW, prop_oneof![1_i64..4, 1_i64..40], any::<bool>()).prop_map(
            |(worker, next, ahead, seconds, changes)| {
                Step::Overtake { worker, by: (worker + next) % WORKERS, ahead, seconds, changes }
            }
        ),
        4 => prop_oneof![1_i64..4, 4_i64..6, 28_i64..40].prop_map(|seconds| Step::Advance { seconds }),
        2 => (0..WORKERS, -MAX_SKEW..=MAX_SKEW).prop_map(|(worker, skew)| Step::SetClock { worker, skew }),
        3 => (0..WORKERS).prop_map(|worker| Step::Rescue { worker }),
        1 => (0..SUBJECTS).prop_map(|subject| Step::Replay { subject }),
        1 => (0..SUBJECTS).prop_map(|subject| Step::Cancel{subject }),
    ]
}
