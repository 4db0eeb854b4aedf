//! A proxy between the replicas and PostgreSQL: a unix socket that forwards bytes, and can be cut, slowed or stalled.

use std::{path::Path, time::Duration};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::watch,
};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::setup::pause;

/// What the proxy does with connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProxyState {
    /// Forwards everything.
    Open,
    /// Closes every connection, new ones at once.
    Cut,
    /// Delays every piece of data.
    Slow(Duration),
    /// Keeps connections open and forwards nothing.
    Stalled,
}

/// A running proxy; stops when dropped.
pub(super) struct DatabaseProxy {
    state: watch::Sender<ProxyState>,
    _task: AbortOnDropHandle<()>,
}

impl DatabaseProxy {
    /// Starts a proxy from a new socket in `directory` to the server's socket.
    pub(super) fn start(directory: &Path, server: &Path) -> Result<Self> {
        let listener = UnixListener::bind(directory.join(".s.PGSQL.5432"))?;
        let server = server.join(".s.PGSQL.5432");
        let (state, watched) = watch::channel(ProxyState::Open);
        let tasks = TaskTracker::new();
        let task = TaskTracker::new().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, watched) = (server.clone(), watched.clone());
                tasks.spawn(async move {
                    if *watched.borrow() != ProxyState::Cut
                        && let Ok(server) = UnixStream::connect(&server).await
                    {
                        carry(client, server, watched).await;
                    }
                });
            }
        });
        Ok(Self { state, _task: AbortOnDropHandle::new(task) })
    }

    /// Changes the state.
    pub(super) fn set(&self, state: ProxyState) {
        self.state.send_replace(state);
    }
}

async fn carry(client: UnixStream, server: UnixStream, watched: watch::Receiver<ProxyState>) {
    let mut cut = watched.clone();
    let (mut client_in, mut client_out) = client.into_split();
    let (mut server_in, mut server_out) = server.into_split();
    tokio::select! {
        _ = pass(&mut client_in, &mut server_out, watched.clone()) => {}
        _ = pass(&mut server_in, &mut client_out, watched) => {}
        _ = cut.wait_for(|state| *state == ProxyState::Cut) => {}
    }
}

async fn pass(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mut watched: watch::Receiver<ProxyState>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 32 << 10];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        let state = *watched.borrow();
        match state {
            ProxyState::Slow(late) => pause(late).await,
            ProxyState::Stalled => drop(watched.wait_for(|state| *state != ProxyState::Stalled).await),
            ProxyState::Open | ProxyState::Cut => {}
        }
        to.write_all(&buffer[..read]).await?;
    }
}
