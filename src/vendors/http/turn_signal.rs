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
    pub(super) async fn has_come(&self) -> bool {
        *self.0.wait().await
    }
}
