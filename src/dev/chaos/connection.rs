//! The line between the replicas and PostgreSQL: a unix socket that passes bytes on, and can be cut, slowed or muted.

use std::{path::Path, time::Duration};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::watch,
};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::pause;

/// How the line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// As it should be.
    Open,
    /// Every connection is cut, and every new one at once.
    Cut,
    /// Every piece of data comes so late.
    Slow(Duration),
    /// Connections stand, and nothing comes through.
    Mute,
}

/// A line; down when dropped.
pub(super) struct Line {
    state: watch::Sender<State>,
    _task: AbortOnDropHandle<()>,
}

impl Line {
    /// A line from a socket to be made in `directory` to the server's socket.
    pub(super) fn lay(directory: &Path, server: &Path) -> Result<Self> {
        let listener = UnixListener::bind(directory.join(".s.PGSQL.5432"))?;
        let server = server.join(".s.PGSQL.5432");
        let (state, watched) = watch::channel(State::Open);
        let tasks = TaskTracker::new();
        let task = TaskTracker::new().spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (server, watched) = (server.clone(), watched.clone());
                tasks.spawn(async move {
                    if *watched.borrow() != State::Cut
                        && let Ok(far) = UnixStream::connect(&server).await
                    {
                        carry(near, far, watched).await;
                    }
                });
            }
        });
        Ok(Self { state, _task: AbortOnDropHandle::new(task) })
    }

    /// From now on it is like this.
    pub(super) fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn carry(near: UnixStream, far: UnixStream, watched: watch::Receiver<State>) {
    let mut cut = watched.clone();
    let (mut near_in, mut near_out) = near.into_split();
    let (mut far_in, mut far_out) = far.into_split();
    tokio::select! {
        _ = pass(&mut near_in, &mut far_out, watched.clone()) => {}
        _ = pass(&mut far_in, &mut near_out, watched) => {}
        _ = cut.wait_for(|state| *state == State::Cut) => {}
    }
}

async fn pass(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mut watched: watch::Receiver<State>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 32 << 10];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        let state = *watched.borrow();
        match state {
            State::Slow(late) => pause(late).await,
            State::Mute => drop(watched.wait_for(|state| *state != State::Mute).await),
            State::Open | State::Cut => {}
        }
        to.write_all(&buffer[..read]).await?;
    }
}
