//! An HTTP/1.1 server with limits: how many connections, how long each may take; over TLS where there is
//! a certificate.
//!
//! Why not `axum::serve`: it bounds neither, so that one slow client after another could hold
//! every file descriptor of a nameserver. Who gives way to whom is decided by [`crate::admission`].

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access::Access;
use crate::admission::{Places, Table};
use crate::clock;

/// What one HTTP server puts up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time, of all and of one client. A newcomer is served, and the oldest one gives
    /// way: of that client, or of the network that has most.
    pub places: Places,
    /// Octets of a request's header.
    pub header_octets: usize,
    /// For a request's header, from the first byte or from the end of the request before; and for the
    /// handshake of TLS.
    pub header: Duration,
    /// For a connection in all; then the request in hand is finished and the connection closed.
    pub connection: Duration,
    /// For the request in hand then.
    pub request: Duration,
    /// For the requests in hand once the server is to stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            places: Places { all: 128, per_client: 32 },
            header_octets: 16 << 10,
            header: Duration::from_secs(10),
            connection: Duration::from_secs(60),
            request: Duration::from_secs(100),
            grace: Duration::from_secs(5),
        }
    }
}

/// Connections that may be on their way out before the next is let in.
const LEAVING: usize = 16;
/// After a failed `accept`, which out of file descriptors fails again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Whom a request comes from; among its extensions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Where TLS comes from, for each connection anew; `None`: it is never spoken.
pub type Tls = Option<watch::Receiver<Arc<Access>>>;

/// Serves until `stop`; returns when the requests in hand are answered, or out of time.
pub async fn run(
    listener: TcpListener,
    router: Router,
    tls: Tls,
    limits: Limits,
    stop: CancellationToken,
) {
    let open = Arc::new(Mutex::new(Table::default()));
    let all = Arc::new(Semaphore::new(limits.places.all.saturating_add(LEAVING)));
    let started = clock::now();
    let tasks = TaskTracker::new();
    loop {
        let accepted = async {
            let place = Arc::clone(&all).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, stream, from) = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            (place, accepted) = accepted => match accepted {
                Ok((stream, from)) => (place, stream, from.ip()),
                Err(error) => {
                    tracing::debug!(%error, "an HTTP connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let close = CancellationToken::new();
        let now = u64::try_from((clock::now() - started).as_millis()).unwrap_or(u64::MAX);
        let (id, displaced) = lock(&open).enter(from, now, limits.places, close.clone());
        if let Some(displaced) = displaced {
            displaced.what.cancel();
        }
        let (router, stop, open) = (router.clone(), stop.clone(), Arc::clone(&open));
        let tls = tls.as_ref().and_then(|tls| tls.borrow().tls.clone());
        tasks.spawn(async move {
            let served = async {
                match tls {
                    None => connection(stream, from, router, limits, stop).await,
                    Some(tls) => {
                        let shaken = handshake(stream, tls.into());
                        let Ok(Some(stream)) = timeout(limits.header, shaken).await else { return };
                        connection(stream, from, router, limits, stop).await;
                    }
                }
            };
            tokio::select! {
                () = close.cancelled() => {}
                () = served => {}
            }
            lock(&open).leave(id);
            drop(place);
        });
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

/// What a client hears that speaks plain HTTP where TLS is spoken.
const PLAIN: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n\
    This port speaks TLS: use an https:// address.\n";

/// TLS with a client that speaks it.
async fn handshake(
    mut stream: TcpStream,
    tls: TlsAcceptor,
) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
    let mut first = [0];
    if stream.peek(&mut first).await.ok()? == 1 && first[0].is_ascii_uppercase() {
        // A method; no handshake begins so (RFC 8446 section 5.1).
        let _ = stream.write_all(PLAIN).await;
        let _ = stream.shutdown().await;
        // What is not read before the end would take the reply with it; the time for this is limited.
        while stream.read(&mut [0; 1024]).await.is_ok_and(|octets| octets > 0) {}
        return None;
    }
    // How a handshake fails is the client's business, too.
    tls.accept(stream).await.ok()
}

/// One connection, to its end or that of its time.
async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    from: IpAddr,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(from));
        router.call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.header);
    http.max_buf_size(limits.header_octets);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    // How a connection ends is the client's business: errors are not told.
    let left = tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.cancelled() => limits.grace,
        () = sleep(limits.connection) => limits.request,
    };
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = timeout(left, connection) => {}
        () = async { stop.cancelled().await; sleep(limits.grace).await } => {}
    }
}

/// Nothing is left half-done by a panic while this is locked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
