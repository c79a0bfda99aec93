//! Requests put to the engine, as its transports do.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use trimtab::dns::engine::{
    Located, Now, Shared, Transport, Verdict, Worker, finish, locate, reply_max,
};
use trimtab::metrics::{Block, Metrics, Proto};
use trimtab::routing::{Secret, Snapshot};
use trimtab::wire::Family;

/// How a request comes in.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    pub(crate) transport: Transport,
    pub(crate) from: IpAddr,
    pub(crate) seed: u64,
    pub(crate) unix_secs: u32,
}

/// When most requests come.
pub(crate) const NOW: u32 = 1_700_000_000;

/// A reply, in a buffer that held something else, by a worker that answered something else.
pub(crate) fn answer(snapshot: &Snapshot, way: Way, request: &[u8], filled: u8) -> Option<Vec<u8>> {
    let room = reply_max(way.transport, 4096).max(request.len());
    let mut buffer = vec![filled; room];
    let mut at = Located::default();
    if filled & 1 == 0 {
        locate(snapshot, way.from, EARLIER, &mut at);
        buffer[..EARLIER.len()].copy_from_slice(EARLIER);
        finish(snapshot, &at, way.transport, &mut buffer, &mut worker(way));
    }
    locate(snapshot, way.from, request, &mut at);
    buffer[..request.len()].copy_from_slice(request);
    match finish(snapshot, &at, way.transport, &mut buffer, &mut worker(way)) {
        Verdict::Reply(len) => Some(buffer[..len].to_vec()),
        Verdict::Nothing => None,
        Verdict::Transfer => panic!("a transfer, and nobody may have one"),
    }
}

/// What answers the same way again and again, to be measured.
pub(crate) struct Bench {
    way: Way,
    pub(crate) worker: Worker,
    at: Located,
    pub(crate) buffer: Vec<u8>,
}

impl Bench {
    pub(crate) fn new(way: Way) -> Self {
        let (worker, at) = (worker(way), Located::default());
        Self { way, worker, at, buffer: vec![0; 65535] }
    }

    /// The length of the reply. The request is copied to where the reply will be, once.
    pub(crate) fn answer(&mut self, snapshot: &Snapshot, request: &[u8]) -> usize {
        let Self { way, worker, at, buffer } = self;
        buffer[..request.len()].copy_from_slice(request);
        locate(snapshot, way.from, &buffer[..request.len()], at);
        match finish(snapshot, at, way.transport, buffer, worker) {
            Verdict::Reply(len) => len,
            Verdict::Nothing | Verdict::Transfer => 0,
        }
    }
}

/// With a subnet in it, for a name behind a chain.
const EARLIER: &[u8] = b"\x01\x02\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\
\x05toapp\x07example\x04test\x00\x00\x01\x00\x01\
\x00\x00\x29\x10\x00\x00\x00\x80\x00\x00\x0b\x00\x08\x00\x07\x00\x01\x18\x00\x08\x08\x08";

fn worker(way: Way) -> Worker {
    static BLOCK: LazyLock<Arc<Block>> =
        LazyLock::new(|| Metrics::new().block(Proto::Udp, Family::V4, true));
    static SHARED: LazyLock<Arc<Shared>> = LazyLock::new(shared);
    let mut worker = Worker::new(Arc::clone(&BLOCK), way.seed, Arc::clone(&SHARED));
    worker.now = Now { unix_secs: way.unix_secs, ..Now::default() };
    worker
}

/// With a secret that is always the same.
pub(crate) fn shared() -> Arc<Shared> {
    Arc::new(Shared::with_secret(Secret(*b"sixteen of them!")))
}
