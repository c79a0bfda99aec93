//! TCP: an accept loop of our own, so that connections are bounded and `accept` never ends.
//!
//! A newcomer is always served; who gives way to it is decided by [`crate::admission`]. What goes
//! on within a connection is in `connection`, how messages are answered in `turn`.

mod connection;
mod input;
#[cfg(test)]
mod tests;
mod turn;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::connection::{Connection, End};
use self::turn::Desks;
use super::engine;
use crate::admission::{Displaced, Id, Places, Table, Why};
use crate::clock;
use crate::metrics::{Block, Connections, DropReason};
use crate::routing::Handle;

/// How long the loop rests when `accept` fails, for want of file descriptors, say.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);
/// Connections that may be on their way out before the next is let in: their files are still open.
const DISPLACED_MAX: usize = 32;
/// How long what the system has received may take to get here once the server stops.
const LAST_MESSAGES: Duration = Duration::from_millis(250);
/// How exactly the table knows when a connection was last heard of. What comes more often than that
/// does not take its lock.
const TICK: Duration = Duration::from_millis(100);

/// Zones that are sent at the same time; others wait for their turn.
const TRANSFERS: usize = 32;

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub struct TcpLimits {
    /// Connections at a time.
    pub max_connections: usize,
    /// Connections of one client (an IPv4 address, an IPv6 /64) at a time.
    pub max_per_client: usize,
    /// How long a connection may take for its first message.
    pub first_message_timeout: Duration,
    /// How long it may take from one message to the next, and to read what it is sent.
    pub idle_timeout: Duration,
    /// Queries of a connection that are answered before their replies are sent.
    pub max_in_flight: usize,
}

/// Serves any number of listeners under common limits.
#[derive(Debug, Clone)]
pub struct TcpServer {
    shared: Arc<Shared>,
}

/// What all connections have in common.
#[derive(Debug)]
struct Shared {
    limits: Mutex<TcpLimits>,
    handle: Handle,
    engine: Arc<engine::Shared>,
    open: Mutex<Table<Arc<Open>>>,
    /// How many there are, those that had to go and have not gone yet included.
    there_are: AtomicUsize,
    /// Those that had to go and have not gone yet.
    displaced: AtomicUsize,
    counters: Arc<Connections>,
    /// Places for transfers.
    transfers: Semaphore,
    started: Instant,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What the connections of one listener have in common.
#[derive(Debug)]
struct Listener {
    block: Arc<Block>,
    desks: Desks,
}

/// A connection as others see it.
#[derive(Debug)]
struct Open {
    /// Where it comes from.
    from: IpAddr,
    /// The tick in which it was last heard of.
    heard: AtomicU64,
    /// Set once it has to go.
    close: CancellationToken,
    /// Why it has to go; of no meaning before.
    why: Mutex<Why>,
}

/// A connection's place in the table, which is free again when this is dropped, by a panic too.
struct Entered {
    shared: Arc<Shared>,
    listener: Arc<Listener>,
    id: Id,
    open: Arc<Open>,
}

impl TcpServer {
    /// A server without listeners; `stop` ends it after what has been received is answered.
    #[must_use]
    pub fn new(
        limits: TcpLimits,
        handle: Handle,
        engine: Arc<engine::Shared>,
        counters: Arc<Connections>,
        stop: CancellationToken,
    ) -> Self {
        let shared = Shared {
            limits: Mutex::new(limits),
            handle,
            engine,
            open: Mutex::default(),
            there_are: AtomicUsize::new(0),
            displaced: AtomicUsize::new(0),
            counters,
            transfers: Semaphore::new(TRANSFERS),
            started: clock::now(),
            stop,
            tasks: TaskTracker::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Changes the limits; connections that are open stay.
    pub fn set_limits(&self, limits: TcpLimits) {
        *lock(&self.shared.limits) = limits;
    }

    /// Serves a listener until the server stops; must be called within a runtime.
    pub fn listen(&self, listener: TcpListener, block: Arc<Block>) {
        let common = Arc::new(Listener {
            desks: Desks::new(Arc::clone(&block), Arc::clone(&self.shared.engine)),
            block,
        });
        self.shared.tasks.spawn(Arc::clone(&self.shared).accept(listener, common));
    }

    /// Waits until all connections have ended; call it after stopping.
    pub async fn stopped(&self) {
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

impl Shared {
    async fn accept(self: Arc<Self>, listener: TcpListener, common: Arc<Listener>) {
        // Who is connected by then may have asked already, and is heard out.
        let end = async {
            self.stop.cancelled().await;
            tokio::time::sleep(LAST_MESSAGES).await;
        };
        let mut end = std::pin::pin!(end);
        loop {
            while self.displaced.load(Ordering::Relaxed) > DISPLACED_MAX {
                tokio::task::yield_now().await;
            }
            let accepted = tokio::select! {
                biased;
                () = &mut end => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, client)) => self.serve(stream, client, &common),
                Err(error) => {
                    self.counters.accept_failed();
                    if !is_of_the_connection(&error) {
                        self.make_room();
                        tokio::time::sleep(ACCEPT_BACKOFF).await;
                    }
                }
            }
        }
    }

    fn serve(self: &Arc<Self>, stream: TcpStream, client: SocketAddr, listener: &Arc<Listener>) {
        self.counters.accepted();
        let entered = self.enter(client.ip(), Arc::clone(listener));
        self.tasks.spawn(async move {
            let end = Connection::new(stream, client.port(), &entered).serve().await;
            // What goes wrong on a connection ends that connection only.
            entered.leave(end);
        });
    }

    /// Makes room for a new connection and enters it.
    fn enter(self: &Arc<Self>, from: IpAddr, listener: Arc<Listener>) -> Entered {
        let limits = self.limits();
        let places = Places { all: limits.max_connections, per_client: limits.max_per_client };
        let now = self.tick();
        let open = Arc::new(Open {
            from,
            heard: AtomicU64::new(now),
            close: CancellationToken::new(),
            why: Mutex::new(Why::All),
        });
        let (id, displaced) = lock(&self.open).enter(from, now, places, Arc::clone(&open));
        if let Some(Displaced { what, why }) = displaced {
            self.displace(&what, why);
        }
        self.there_are.fetch_add(1, Ordering::Relaxed);
        Entered { shared: Arc::clone(self), listener, id, open }
    }

    /// Closes a connection when there is nothing left to open another one with.
    fn make_room(&self) {
        let open = lock(&self.open).make_room();
        if let Some(open) = open {
            self.displace(&open, Why::All);
        }
    }

    fn displace(&self, open: &Open, why: Why) {
        *lock(&open.why) = why;
        self.displaced.fetch_add(1, Ordering::Relaxed);
        open.close.cancel();
    }

    /// Whether seven eighths of all places are taken.
    fn is_crowded(&self, limits: &TcpLimits) -> bool {
        let all = limits.max_connections;
        self.there_are.load(Ordering::Relaxed) > all.saturating_sub(all.div_ceil(8))
    }

    fn limits(&self) -> TcpLimits {
        *lock(&self.limits)
    }

    fn tick(&self) -> u64 {
        let since = clock::now().saturating_duration_since(self.started);
        since.as_millis().checked_div(TICK.as_millis()).unwrap_or_default() as u64
    }
}

impl Entered {
    /// A message came.
    fn heard(&self) {
        let now = self.shared.tick();
        if self.open.heard.swap(now, Ordering::Relaxed) != now {
            lock(&self.shared.open).heard(self.id, now);
        }
    }

    fn leave(self, end: End) {
        self.shared.counters.closed(end);
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.shared.there_are.fetch_sub(1, Ordering::Relaxed);
        // Who has been displaced is not in the table any more.
        if lock(&self.shared.open).leave(self.id).is_none() {
            self.shared.displaced.fetch_sub(1, Ordering::Relaxed);
        }
        if std::thread::panicking() {
            self.shared.counters.closed(End::Error);
            self.listener.block.dropped(DropReason::Panic);
            tracing::error!("a TCP connection was closed by a panic");
        }
    }
}

/// Whether `accept` has failed for the connection that it would have given, not for want of
/// anything here (accept(2): Linux tells errors of the new socket in that way).
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::Interrupted
            | Kind::NetworkDown
            | Kind::NetworkUnreachable
            | Kind::HostUnreachable
    )
}

/// Nothing is left half-done by a panic while one of these is locked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
