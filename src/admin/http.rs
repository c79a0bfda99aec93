//! An HTTP/1.1 server with limits: how many connections, how long each may take.
//!
//! Why not `axum::serve`: it bounds neither, so that one slow client after another could hold
//! every file descriptor of a nameserver. Who gives way to whom is decided by [`crate::admission`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

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
    /// For a request's header, from the first byte or from the end of the request before.
    pub header: Duration,
    /// For a connection in all; then the request in hand is finished and the connection closed.
    pub connection: Duration,
    /// For the requests in hand once the server or the connection is to stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            places: Places { all: 128, per_client: 32 },
            header_octets: 16 << 10,
            header: Duration::from_secs(10),
            connection: Duration::from_secs(60),
            grace: Duration::from_secs(5),
        }
    }
}

/// Connections that may be on their way out before the next is let in.
const LEAVING: usize = 16;
/// After a failed `accept`, which out of file descriptors fails again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop`; returns when the requests in hand are answered, or out of time.
pub async fn run(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken) {
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
        tasks.spawn(async move {
            tokio::select! {
                () = close.cancelled() => {}
                () = connection(stream, router, limits, stop) => {}
            }
            lock(&open).leave(id);
            drop(place);
        });
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

/// One connection, to its end or that of its time.
async fn connection(stream: TcpStream, router: Router, limits: Limits, stop: CancellationToken) {
    let service = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.header);
    http.max_buf_size(limits.header_octets);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    // How a connection ends is the client's business: errors are not told.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.cancelled() => {}
        () = sleep(limits.connection) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(limits.grace, connection).await;
}

/// Nothing is left half-done by a panic while this is locked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
