//! Graceful shutdown: the first signal stops new work, the grace period or a second signal stops running work.

use std::{future::pending, io, time::Duration};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long components may take to end once running work must stop. Then the process ends without them.
const LAST_WAIT: Duration = Duration::from_secs(3);

/// The signals of the process, from the moment on when this value was made: none is lost while the service starts.
pub struct Signals {
    /// Those that end the process.
    pub stop: StopSignals,
    /// SIGHUP, which asks for a reload.
    pub hangup: Signal,
}

impl Signals {
    /// Listens from now on. Call it before the runtime is built that waits for the signals: the driver of a running one
    /// could take a signal between the installation of the handler and the registration of the listener, and it would be
    /// lost.
    pub fn listen() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let _context = runtime.enter();
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { stop: StopSignals { terminate, interrupt }, hangup: signal(SignalKind::hangup())? })
    }
}

/// SIGTERM and SIGINT.
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Waits for one of them.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The two stages of a shutdown.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Cancelled when nothing new may start.
    pub soft: CancellationToken,
    /// Cancelled when running work must stop.
    pub hard: CancellationToken,
}

impl Shutdown {
    /// Cancels `soft` at SIGTERM or SIGINT, and `hard` after the grace period or a second signal. Returns when the process
    /// must end, whatever still runs.
    pub async fn on_signals(self, mut signals: StopSignals, grace: Duration) {
        tokio::select! {
            () = signals.next() => {}
            () = self.soft.cancelled() => {}
        }
        tracing::info!("shutting down, no new work is started");
        self.soft.cancel();
        let _ = tokio::time::timeout(grace, signals.next()).await;
        self.hard.cancel();
        let _ = tokio::time::timeout(LAST_WAIT, pending::<()>()).await;
    }
}
