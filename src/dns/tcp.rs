//! TCP: an accept loop of our own, so that connections are bounded and `accept` never ends.
//!
//! Queries of a connection are answered in order, as many as have arrived at once (RFC 7766
//! section 6.2.1.1). Under pressure the connection that has been idle longest is closed, and the
//! new one is served.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout_at;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::engine::{self, Located, Transport, Verdict, Worker, finish, locate};
use crate::clock;
use crate::metrics::Block;
use crate::routing::Handle;

/// How long a client may take for its first message.
const FIRST_MESSAGE: Duration = Duration::from_secs(3);
/// How long the loop rests when `accept` fails, for want of file descriptors, say.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);
/// How long what the system has received may take to get here once the server stops.
const LAST_MESSAGES: Duration = Duration::from_millis(250);
/// Octets of a message's length (RFC 1035 section 4.2.2).
const PREFIX: usize = 2;
/// The largest message with its length.
const MESSAGE_MAX: usize = u16::MAX as usize + PREFIX;
/// Replies are sent on when so much is ready.
const FLUSH: usize = 64 << 10;

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub struct TcpLimits {
    /// Connections at a time.
    pub max_connections: usize,
    /// Connections of one client (an IPv4 address, an IPv6 /64) at a time.
    pub max_per_client: usize,
    /// How long a connection may be idle.
    pub idle_timeout: Duration,
}

/// Serves any number of listeners under common limits.
#[derive(Debug, Clone)]
pub struct TcpServer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: Mutex<TcpLimits>,
    handle: Handle,
    engine: Arc<engine::Shared>,
    open: Mutex<HashMap<u64, Arc<Open>>>,
    next: AtomicU64,
    started: Instant,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// A connection as the limits see it.
#[derive(Debug)]
struct Open {
    /// Where it comes from.
    from: IpAddr,
    /// Whom it counts for.
    client: IpAddr,
    /// When its last message came, in milliseconds since the server started.
    active: AtomicU64,
    close: CancellationToken,
}

impl TcpServer {
    /// A server without listeners; `stop` ends it after what has been received is answered.
    #[must_use]
    pub fn new(
        limits: TcpLimits,
        handle: Handle,
        engine: Arc<engine::Shared>,
        stop: CancellationToken,
    ) -> Self {
        let shared = Shared {
            limits: Mutex::new(limits),
            handle,
            engine,
            open: Mutex::default(),
            next: AtomicU64::new(0),
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

    /// Serves a listener until the server stops.
    pub fn listen(&self, listener: TcpListener, block: Arc<Block>) {
        let shared = Arc::clone(&self.shared);
        self.shared.tasks.spawn(async move {
            // Who is connected by then may have asked already, and is heard out.
            let end = async {
                shared.stop.cancelled().await;
                tokio::time::sleep(LAST_MESSAGES).await;
            };
            let mut end = std::pin::pin!(end);
            loop {
                let accepted = tokio::select! {
                    biased;
                    () = &mut end => return,
                    accepted = listener.accept() => accepted,
                };
                match accepted {
                    Ok((stream, client)) => {
                        let open = shared.admit(client);
                        let (shared, block) = (Arc::clone(&shared), Arc::clone(&block));
                        let tasks = shared.tasks.clone();
                        tasks.spawn(async move {
                            let (id, open) = open;
                            // What goes wrong on a connection ends that connection only.
                            let _ = shared.connection(stream, &open, block).await;
                            lock(&shared.open).remove(&id);
                        });
                    }
                    Err(_) => tokio::time::sleep(ACCEPT_BACKOFF).await,
                }
            }
        });
    }

    /// Waits until all connections have ended; call it after stopping.
    pub async fn stopped(&self) {
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

impl Shared {
    fn limits(&self) -> TcpLimits {
        *lock(&self.limits)
    }

    fn millis(&self) -> u64 {
        u64::try_from((clock::now() - self.started).as_millis()).unwrap_or(u64::MAX)
    }

    /// Makes room for a new connection and enters it.
    fn admit(&self, client: SocketAddr) -> (u64, Arc<Open>) {
        let limits = self.limits();
        let (from, client) = (client.ip(), network(client.ip()));
        let mut all = lock(&self.open);
        let of_client = all.values().filter(|open| open.client == client).count();
        let over = if of_client >= limits.max_per_client {
            longest_idle(all.iter().filter(|(_, open)| open.client == client))
        } else if all.len() >= limits.max_connections {
            longest_idle(all.iter())
        } else {
            None
        };
        if let Some(open) = over.and_then(|id| all.remove(&id)) {
            open.close.cancel();
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let open = Arc::new(Open {
            from,
            client,
            active: AtomicU64::new(self.millis()),
            close: CancellationToken::new(),
        });
        all.insert(id, Arc::clone(&open));
        (id, open)
    }

    async fn connection(
        &self,
        mut stream: TcpStream,
        open: &Open,
        block: Arc<Block>,
    ) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut worker = Worker::new(block, fastrand::u64(..), Arc::clone(&self.engine));
        let mut at = Located::default();
        let mut input = Vec::with_capacity(512);
        // A whole message is to be there by then, however it trickles in.
        let mut deadline = clock::now() + FIRST_MESSAGE.min(self.limits().idle_timeout);
        let mut stopping = false;
        loop {
            let read = tokio::select! {
                biased;
                read = timeout_at(deadline.into(), stream.read_buf(&mut input)) => read??,
                () = open.close.cancelled() => return Ok(()),
                () = self.stop.cancelled(), if !stopping => {
                    stopping = true;
                    deadline = deadline.min(clock::now() + LAST_MESSAGES);
                    continue;
                }
            };
            if read == 0 {
                return Ok(());
            }
            while let Some(Answered { replies, close }) =
                self.answer(open.from, &mut input, &mut at, &mut worker)
            {
                open.active.store(self.millis(), Ordering::Relaxed);
                let later = clock::now() + self.limits().idle_timeout;
                tokio::select! {
                    sent = timeout_at(later.into(), stream.write_all(&replies)) => sent??,
                    // Who does not read must not hold a place that is given to another.
                    () = open.close.cancelled() => return Ok(()),
                }
                if close {
                    return Ok(());
                }
                if !stopping {
                    deadline = clock::now() + self.limits().idle_timeout;
                }
            }
        }
    }

    /// Answers the whole messages at the start of `input`, which come `from` there, and takes them
    /// out of it. `None`: there is none.
    fn answer(
        &self,
        from: IpAddr,
        input: &mut Vec<u8>,
        at: &mut Located,
        worker: &mut Worker,
    ) -> Option<Answered> {
        let mut rest = message(input)?;
        let snapshot = self.handle.current();
        worker.now = self.engine.now();
        let (mut replies, mut close) = (Vec::new(), false);
        let mut taken = 0;
        let mut scratch = vec![0; MESSAGE_MAX];
        loop {
            locate(&snapshot, from, rest, at);
            taken += PREFIX + rest.len();
            let (prefix, buffer) = scratch.split_at_mut(PREFIX);
            buffer.get_mut(..rest.len())?.copy_from_slice(rest);
            let Verdict::Reply(len) = finish(&snapshot, at, Transport::Tcp, buffer, worker) else {
                close = true;
                break;
            };
            prefix.copy_from_slice(&u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes());
            replies.extend_from_slice(scratch.get(..PREFIX + len).unwrap_or_default());
            match message(input.get(taken..).unwrap_or_default()) {
                Some(next) if replies.len() < FLUSH => rest = next,
                _ => break,
            }
        }
        input.drain(..taken);
        Some(Answered { replies, close })
    }
}

/// Whom the limit of connections counts as one client: an IPv4 address, or an IPv6 /64, which is
/// one host's to choose from.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

/// What messages came to.
struct Answered {
    /// Each with its length.
    replies: Vec<u8>,
    /// What came behind them is not a query, and the connection is to be closed.
    close: bool,
}

/// The message that `input` starts with, if all of it is there.
fn message(input: &[u8]) -> Option<&[u8]> {
    let (len, rest) = input.split_first_chunk::<PREFIX>()?;
    rest.get(..usize::from(u16::from_be_bytes(*len)))
}

fn longest_idle<'a>(open: impl Iterator<Item = (&'a u64, &'a Arc<Open>)>) -> Option<u64> {
    open.min_by_key(|(_, open)| open.active.load(Ordering::Relaxed)).map(|(id, _)| *id)
}

/// Nothing is left half-done by a panic while one of these is locked.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
