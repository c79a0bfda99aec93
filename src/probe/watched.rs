//! A stream that remembers when its first byte came in: hyper only tells when a whole response
//! head is there, which a target that trickles can put off for long.

use std::future::Future;
use std::io::Result;
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::clock;

/// A verdict, while the connection that it comes over is driven. What came over it is judged even when it
/// has ended.
pub(super) async fn beside<T>(connection: impl Future, verdict: impl Future<Output = T>) -> T {
    let (mut verdict, connection) = (pin!(verdict), pin!(connection));
    tokio::select! {
        biased;
        verdict = &mut verdict => verdict,
        _ = connection => verdict.await,
    }
}

/// When the first byte came in, shared with the stream.
pub(super) type FirstByte = Arc<OnceLock<Instant>>;

/// The stream.
#[derive(Debug)]
pub(super) struct Watched<S> {
    inner: S,
    first: FirstByte,
}

impl<S> Watched<S> {
    pub(super) const fn new(inner: S, first: FirstByte) -> Self {
        Self { inner, first }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.first.get_or_init(clock::now);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
