//! Graceful shutdown: the first signal stops new work, the grace period or a second signal stops running work.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The two stages of a shutdown.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Cancelled when nothing new may start.
    pub soft: CancellationToken,
    /// Cancelled when running work must stop.
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
        tracing::info!("shutting down, no new work is started");
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
