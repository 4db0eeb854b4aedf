//! One connection of the server: how long it may write and live, and whom its requests count for.

use std::{
    io,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    server::conn::http1,
    service::HttpService,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{address_slots::AddressSlot, request_head::H2Preface};

/// A connection with its service.
type Connection<S> = http1::Connection<TokioIo<WriteTimeout>, S>;

/// Runs a connection to its end. Once its lifetime is over, or the server stops, it takes no further request. What it is
/// answering then may end: at the end of its lifetime within the write timeout, at a stop for as long as the server waits.
pub(super) async fn run<S>(
    connection: Connection<S>,
    (lifetime, write_timeout): (Duration, Duration),
    stop: CancellationToken,
) where
    S: HttpService<Incoming, ResBody = Body>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut connection = pin!(connection);
    let is_too_old = tokio::select! {
        _ = connection.as_mut() => return, // a broken connection concerns its client only
        stopped = timeout(lifetime, stop.cancelled()) => stopped.is_err(),
    };
    connection.as_mut().graceful_shutdown();
    if is_too_old {
        let _ = timeout(write_timeout, connection).await;
    } else {
        let _ = connection.await;
    }
}

/// A stream whose writes fail once the client has accepted nothing for a while. A preface of HTTP/2 is made readable.
pub(super) struct WriteTimeout {
    stream: TcpStream,
    limit: Duration,
    /// Ends the wait of a write that makes no progress.
    waiting: Option<Pin<Box<Sleep>>>,
    preface: H2Preface,
}

impl WriteTimeout {
    pub(super) fn new(stream: TcpStream, limit: Duration) -> Self {
        Self { stream, limit, waiting: None, preface: H2Preface::default() }
    }

    /// Fails a write that has waited for too long.
    fn watch<T>(&mut self, task: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let limit = self.limit;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + limit)));
        waiting.as_mut().poll(task).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for WriteTimeout {
    fn poll_read(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(task, buffer);
        this.preface.rewrite(&mut buffer.filled_mut()[before..]);
        read
    }
}

impl AsyncWrite for WriteTimeout {
    fn poll_write(self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(task, bytes);
        this.watch(task, written)
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(task)
    }

    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(task)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(task, slices);
        this.watch(task, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// The body of an answer that keeps its client's slot until it is sent.
pub(super) struct SlotBody {
    pub(super) body: Body,
    pub(super) _slot: AddressSlot,
}

impl HttpBody for SlotBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(task)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
