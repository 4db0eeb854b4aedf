//! Two reads at the same time, of which the second begins once the first has its turn at its vendor: an attempt whose first
//! call gets no turn makes no call at all, and is put off without a trace.

use std::sync::Arc;

use tokio::sync::SetOnce;

/// Tells the second of two reads whether the first has its turn.
#[derive(Clone, Debug, Default)]
pub struct TurnSignal(Arc<SetOnce<bool>>);

impl TurnSignal {
    /// The first read has its turn.
    pub fn come(&self) {
        let _ = self.0.set(true);
    }

    /// The first read has ended. Where its turn never came, the second makes no call.
    pub fn end(&self) {
        let _ = self.0.set(false);
    }

    /// Waits until it is known; true if the first has its turn.
    async fn has_come(&self) -> bool {
        *self.0.wait().await
    }
}

/// How the turns of a client's calls depend on another's.
#[derive(Clone, Debug, Default)]
pub(super) enum Turns {
    /// Not at all.
    #[default]
    Free,
    /// They are announced to another.
    First(TurnSignal),
    /// They follow another's.
    Second(TurnSignal),
}

impl Turns {
    pub(super) const fn is_second(&self) -> bool {
        matches!(self, Self::Second(_))
    }

    /// Says to the other that the turn has come.
    pub(super) fn announce(&self) {
        if let Self::First(signal) = self {
            signal.come();
        }
    }

    /// Waits for the turn of the other, where there is one; false if that never comes.
    pub(super) async fn may_follow(&self) -> bool {
        match self {
            Self::Second(first) => first.has_come().await,
            Self::Free | Self::First(_) => true,
        }
    }
}
