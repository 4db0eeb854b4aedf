//! From signals to an orderly end: the first one asks, the grace period (or a second one) insists.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The two tokens of an orderly end.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Begin nothing new.
    pub soft: CancellationToken,
    /// Stop waiting for what runs.
    pub hard: CancellationToken,
}

impl Shutdown {
    /// Cancels `soft` at SIGTERM or SIGINT, and `hard` after the grace period or a second signal.
    pub async fn on_signals(self, grace: Duration) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = self.soft.cancelled() => {}
        }
        tracing::info!("stopping: nothing new is begun");
        self.soft.cancel();
        let again = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        let _ = tokio::time::timeout(grace, again).await;
        self.hard.cancel();
        Ok(())
    }
}
