//! Hot: UDP workers. One thread for each address and core, each with its own socket.
//!
//! A worker receives a batch with one system call, locates all, finishes all, and sends all
//! replies with one more. Sockets are bound before any worker starts and outlive it, so a worker
//! that panics is restarted without losing what waits in its queue. This is the one file with
//! `unsafe` in it: the two system calls have no safe wrapper that takes a batch.
#![expect(unsafe_code, reason = "recvmmsg and sendmmsg on buffers that this file owns")]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use super::engine::{Ends, Located, Shared, Transport, Verdict, Worker, fetch};
#[cfg(not(test))]
use super::engine::{finish, locate};
use crate::clock;
use crate::metrics::{Block, DropReason};
use crate::routing::{Handle, Reader, Snapshot};
#[cfg(test)]
use tests::{finish, locate};

#[cfg(test)]
mod tests;

/// Datagrams received and sent with one system call.
const BATCH: usize = u32::BITS as usize;
/// A datagram's room, and 64 octets so that the slots do not share cache sets.
const SLOT: usize = 4096 + 64;
/// Room for one ancillary message with the local address.
const CONTROL_WORDS: usize = 8;
/// How long a worker waits for a datagram before it looks around.
const HOUSEKEEPING: Duration = Duration::from_millis(200);
/// How long a worker goes on when told to stop; what waits in its queue takes a part of that.
const LAST_BATCHES: Duration = Duration::from_secs(1);
/// One batch in so many is timed.
const SAMPLE: u32 = 64;
/// The receive buffer that is asked for, in octets.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Opens a group of sockets that share an address, one for each worker.
///
/// # Errors
/// When the address cannot be bound.
pub fn bind(address: SocketAddr, workers: usize) -> io::Result<Vec<Arc<UdpSocket>>> {
    let mut missing = 0;
    let sockets = (0..workers)
        .map(|_| bind_one(address, &mut missing).map(Arc::new))
        .collect::<io::Result<Vec<_>>>()?;
    tell_missing(address, missing, "raise net.core.rmem_max");
    Ok(sockets)
}

/// Makes the group of sockets that share an address, at least one for each worker, from such as were
/// bound elsewhere; the workers share them. None may be left out, for the system spreads queries over
/// all of them.
///
/// # Errors
/// When one of them does not take the options that a worker needs.
pub fn adopt(
    address: SocketAddr,
    given: Vec<UdpSocket>,
    workers: usize,
) -> io::Result<Vec<Arc<UdpSocket>>> {
    let mut missing = 0;
    let mut sockets = Vec::with_capacity(given.len());
    for socket in given.into_iter().map(Socket::from) {
        socket.set_nonblocking(false)?;
        // Whoever opened it may have had rights that this process lacks: what it has is not made less.
        missing = short_of(&socket);
        if missing > 0 && force_buffer(&socket).is_ok() {
            missing = 0;
        }
        prepare(&socket, address)?;
        sockets.push(Arc::new(UdpSocket::from(socket)));
    }
    tell_missing(
        address,
        missing,
        "give them to whoever opens the sockets (ReceiveBuffer in systemd)",
    );
    let count = workers.max(sockets.len());
    Ok(sockets.iter().cycle().take(count).cloned().collect())
}

fn tell_missing(address: SocketAddr, missing: usize, remedy: &str) {
    if missing > 0 {
        tracing::warn!(
            "the receive buffers for {address} are {missing} octets short of {RECEIVE_BUFFER}: \
             {remedy}, or a burst of queries may be lost"
        );
    }
}

fn bind_one(address: SocketAddr, missing: &mut usize) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_port(true)?;
    *missing = receive_buffer(&socket);
    prepare(&socket, address)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Sets what a worker relies on.
fn prepare(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    if address.ip().is_unspecified() {
        local_address(socket, address)?;
    }
    socket.set_read_timeout(Some(HOUSEKEEPING))
}

/// Asks for a receive buffer that holds a burst; returns what is missing of it, in octets.
fn receive_buffer(socket: &Socket) -> usize {
    if force_buffer(socket).is_ok() {
        return 0;
    }
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    short_of(socket)
}

/// With CAP_NET_ADMIN, whatever the system's limit is.
fn force_buffer(socket: &Socket) -> io::Result<()> {
    set_option(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, RECEIVE_BUFFER as i32)
}

/// What its receive buffer is short of, in octets.
fn short_of(socket: &Socket) -> usize {
    // The kernel doubles what is set, for its own bookkeeping (socket(7)).
    RECEIVE_BUFFER.saturating_sub(socket.recv_buffer_size().unwrap_or_default() / 2)
}

/// Asks the kernel to tell the address that each datagram was sent to, so that the reply leaves
/// from it (RFC 1123 section 6.1.3.2 in spirit; needed where the socket is bound to any address).
fn local_address(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    match address {
        SocketAddr::V4(_) => set_option(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1),
        SocketAddr::V6(_) => set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1),
    }
}

fn set_option(socket: &Socket, level: i32, name: i32, value: i32) -> io::Result<()> {
    let len = size_of::<i32>() as libc::socklen_t;
    // SAFETY: the value is a live i32 and its length is given.
    let done = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const value).cast(), len)
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Running workers.
#[derive(Debug)]
pub struct UdpWorkers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl UdpWorkers {
    /// Starts a worker on each socket. `block` gives each its counters.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn spawn(
        sockets: &[Arc<UdpSocket>],
        handle: &Handle,
        shared: &Arc<Shared>,
        mut block: impl FnMut(SocketAddr) -> Arc<Block>,
    ) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::with_capacity(sockets.len());
        for (number, socket) in sockets.iter().enumerate() {
            let (socket, stop) = (Arc::clone(socket), Arc::clone(&stop));
            let (handle, block) = (handle.clone(), block(socket.local_addr()?));
            let shared = Arc::clone(shared);
            let run = move || {
                let mut reader = handle.reader();
                let mut desk = Desk::new();
                while !serve_until_panic(&socket, &mut reader, &block, &shared, &mut desk, &stop) {
                    desk.recover();
                    block.dropped(DropReason::Panic);
                    tracing::error!("UDP worker {number} panicked and was restarted");
                }
            };
            threads.push(std::thread::Builder::new().name(format!("udp-{number}")).spawn(run)?);
        }
        Ok(Self { stop, threads })
    }

    /// Answers what has been received, then ends the workers.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            // A worker catches its panics; there is nothing to learn from the result.
            let _ = thread.join();
        }
    }
}

/// Returns true when told to stop, false when it panicked.
fn serve_until_panic(
    socket: &UdpSocket,
    reader: &mut Reader,
    block: &Arc<Block>,
    shared: &Arc<Shared>,
    desk: &mut Desk,
    stop: &AtomicBool,
) -> bool {
    let mut worker = Worker::new(Arc::clone(block), fastrand::u64(..), Arc::clone(shared));
    catch_unwind(AssertUnwindSafe(|| serve(socket, reader, &mut worker, desk, stop))).is_ok()
}

fn serve(
    socket: &UdpSocket,
    reader: &mut Reader,
    worker: &mut Worker,
    desk: &mut Desk,
    stop: &AtomicBool,
) {
    let mut round = 0_u32;
    desk.bound = socket.local_addr().ok();
    // After a panic: what else was in the batch.
    desk.answer(reader.load(), worker);
    desk.send(socket, &worker.block);
    loop {
        let stopping = stop.load(Ordering::Relaxed);
        // Queries that never cease must not keep the process from ending.
        if stopping && desk.is_late() {
            return;
        }
        match desk.receive(socket, stopping) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) if stopping => return,
            Err(error) => {
                // Let go of a snapshot that was replaced while no query came.
                reader.load();
                if error.kind() != io::ErrorKind::WouldBlock {
                    // An error of the socket does not end the service; it must not spin either.
                    worker.block.dropped(DropReason::Receive);
                    std::thread::sleep(Duration::from_millis(10));
                }
                continue;
            }
        }
        round = round.wrapping_add(1);
        let started = round.is_multiple_of(SAMPLE).then(clock::now);
        worker.now = worker.shared.now();
        desk.answer(reader.load(), worker);
        if let Some(started) = started {
            worker.block.duration_sample(clock::now().saturating_duration_since(started));
        }
        desk.send(socket, &worker.block);
    }
}

/// What a worker has in hand. It outlives a panic, so that one query costs no other its reply.
struct Desk {
    batch: Batch,
    located: Vec<Located>,
    /// Queries in the batch.
    received: usize,
    /// How many of them were read, and how many finished; the one in hand counts.
    read: usize,
    finished: usize,
    /// Those that could not be read for a panic, a bit each.
    lost: u32,
    /// What its socket is bound to.
    bound: Option<SocketAddr>,
    /// When the worker ends although queries still come; known once it was told to stop.
    end: Option<Instant>,
}

impl Desk {
    fn new() -> Self {
        let located = (0..BATCH).map(|_| Located::default()).collect();
        let batch = Batch::new();
        let (bound, end) = (None, None);
        Self { batch, located, received: 0, read: 0, finished: 0, lost: 0, bound, end }
    }

    fn receive(&mut self, socket: &UdpSocket, at_once: bool) -> io::Result<()> {
        (self.received, self.read, self.finished, self.lost) = (0, 0, 0, 0);
        self.received = self.batch.receive(socket, at_once)?;
        Ok(())
    }

    /// Reads all queries that are not read, then finishes all that are not finished.
    fn answer(&mut self, snapshot: &Snapshot, worker: &mut Worker) {
        let Self { batch, located, received, read, finished, lost, bound, .. } = self;
        let tapped = snapshot.options.logged.is_some_and(|logged| logged.dnstap);
        for (slot, at) in located.iter_mut().enumerate().take(*received).skip(*read) {
            *read = slot.saturating_add(1);
            locate(snapshot, batch.from(slot), batch.request(slot), at);
        }
        fetch(snapshot, located.get(..*received).unwrap_or_default());
        for (slot, at) in located.iter().enumerate().take(*received).skip(*finished) {
            *finished = slot.saturating_add(1);
            if *lost >> (slot % BATCH) & 1 == 1 {
                continue;
            }
            if tapped {
                worker.ends = batch.ends(slot, *bound);
            }
            let buffer = batch.buffer(slot);
            let len = match finish(snapshot, at, Transport::Udp, buffer, worker) {
                Verdict::Reply(len) => len,
                Verdict::Nothing | Verdict::Transfer => 0,
            };
            batch.reply(slot, len);
        }
    }

    fn send(&mut self, socket: &UdpSocket, block: &Block) {
        for _ in 0..self.batch.send(socket) {
            block.dropped(DropReason::Send);
        }
    }

    /// After a panic: a query that was not read to its end gets no reply.
    fn recover(&mut self) {
        if self.finished == 0
            && let Some(slot) = self.read.checked_sub(1)
        {
            self.lost |= 1 << (slot % BATCH);
        }
    }

    /// Whether a worker that was told to stop has gone on for long enough.
    fn is_late(&mut self) -> bool {
        let now = clock::now();
        now >= *self.end.get_or_insert_with(|| now.checked_add(LAST_BATCHES).unwrap_or(now))
    }
}

/// Buffers for one batch, and the structures that the kernel reads and fills.
struct Batch {
    slots: Box<[[u8; SLOT]]>,
    names: Box<[libc::sockaddr_storage]>,
    control: Box<[[u64; CONTROL_WORDS]]>,
    vectors: Box<[libc::iovec]>,
    /// What is received, one for each slot; from the front on they become those of the replies.
    headers: Box<[libc::mmsghdr]>,
    /// How many slots the last round used, and so have to be made ready again.
    used: usize,
    /// How many replies are in line, which is at most as many as there were slots before them.
    replies: usize,
}

impl Batch {
    fn new() -> Self {
        // SAFETY: all of these are C structures for which all zeroes is a valid value.
        let (name, vector, header) = unsafe { (zeroed(), zeroed(), zeroed()) };
        Self {
            slots: vec![[0; SLOT]; BATCH].into(),
            names: vec![name; BATCH].into(),
            control: vec![[0; CONTROL_WORDS]; BATCH].into(),
            vectors: vec![vector; BATCH].into(),
            headers: vec![header; BATCH].into(),
            used: BATCH,
            replies: 0,
        }
    }

    /// Points the kernel at the buffers of the slots that the last round used.
    fn make_ready(&mut self) {
        let slots = self.slots.iter_mut().zip(&mut self.names).zip(&mut self.control);
        let kernel = self.vectors.iter_mut().zip(&mut self.headers);
        for (((slot, name), control), (vector, header)) in slots.zip(kernel).take(self.used) {
            *vector = libc::iovec { iov_base: slot.as_mut_ptr().cast(), iov_len: SLOT };
            header.msg_len = 0;
            header.msg_hdr.msg_name = (&raw mut *name).cast();
            header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_hdr.msg_iov = &raw mut *vector;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = control.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = size_of_val(control);
            header.msg_hdr.msg_flags = 0;
        }
        self.replies = 0;
    }

    /// Waits for datagrams, unless `at_once`, and returns how many there are.
    fn receive(&mut self, socket: &UdpSocket, at_once: bool) -> io::Result<usize> {
        self.make_ready();
        let wait = if at_once { libc::MSG_DONTWAIT } else { libc::MSG_WAITFORONE };
        // SAFETY: every header points to a name, a vector and a control buffer of this batch,
        // which are not moved or borrowed while the kernel writes to them.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                BATCH as libc::c_uint,
                wait as _,
                std::ptr::null_mut(),
            )
        };
        self.used = usize::try_from(count).unwrap_or_default();
        if count < 0 { Err(io::Error::last_os_error()) } else { Ok(self.used) }
    }

    fn request(&self, slot: usize) -> &[u8] {
        let len = self.headers.get(slot).map_or(0, |header| header.msg_len as usize);
        self.slots.get(slot).and_then(|octets| octets.get(..len)).unwrap_or_default()
    }

    /// Where a slot's datagram came from.
    fn from(&self, slot: usize) -> IpAddr {
        let Some(name) = self.names.get(slot) else { return Ipv4Addr::UNSPECIFIED.into() };
        // SAFETY: `sockaddr_storage` is large enough and aligned for either, its zeroes were valid
        // to begin with, and whatever the kernel writes is valid for structures of integers.
        unsafe {
            let name = &raw const *name;
            if i32::from((*name).ss_family) == libc::AF_INET6 {
                Ipv6Addr::from((*name.cast::<libc::sockaddr_in6>()).sin6_addr.s6_addr).into()
            } else {
                let address = (*name.cast::<libc::sockaddr_in>()).sin_addr.s_addr;
                Ipv4Addr::from(address.to_ne_bytes()).into()
            }
        }
    }

    /// Between whom a slot's datagram went, on a socket that is bound there.
    fn ends(&self, slot: usize, bound: Option<SocketAddr>) -> Ends {
        let client_port = self.names.get(slot).map_or(0, |name| {
            // SAFETY: as above; the port is in the same place in either.
            let port = unsafe { (*(&raw const *name).cast::<libc::sockaddr_in>()).sin_port };
            u16::from_be(port)
        });
        let asked = |bound: SocketAddr| match bound.ip().is_unspecified() {
            true => self.headers.get(slot).and_then(|header| destination(&header.msg_hdr)),
            false => Some(bound.ip()),
        };
        let server = bound.and_then(|at| Some(SocketAddr::new(asked(at)?, at.port())));
        Ends { client_port, server }
    }

    fn buffer(&mut self, slot: usize) -> &mut [u8] {
        self.slots.get_mut(slot).map_or(&mut [], |octets| octets.as_mut_slice())
    }

    /// Puts a slot's reply in line; a length of 0 is no reply. Slots come by rising number, each
    /// once: the line takes the headers of those before them.
    fn reply(&mut self, slot: usize, len: usize) {
        let (Some(vector), Some(header)) = (self.vectors.get_mut(slot), self.headers.get_mut(slot))
        else {
            return;
        };
        if len == 0 {
            return;
        }
        vector.iov_len = len.min(SLOT);
        any_interface(&mut header.msg_hdr);
        if self.replies < slot {
            self.headers.copy_within(slot..=slot, self.replies);
        }
        self.replies = self.replies.saturating_add(1);
    }

    /// Sends what is in line; returns how many the kernel did not take.
    #[expect(clippy::arithmetic_side_effects, reason = "numbers of replies in a batch")]
    fn send(&mut self, socket: &UdpSocket) -> usize {
        let line = self.headers.get_mut(..self.replies).unwrap_or_default();
        let (mut at, mut lost) = (0, 0);
        while let Some(rest) = line.get_mut(at..).filter(|rest| !rest.is_empty()) {
            // SAFETY: as for receiving; the kernel only reads what the headers point to.
            let sent = unsafe {
                libc::sendmmsg(socket.as_raw_fd(), rest.as_mut_ptr(), rest.len() as _, 0)
            };
            match usize::try_from(sent) {
                Ok(sent @ 1..) => at += sent,
                _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
                // The first in line cannot be sent (no route, say): the others still can.
                _ => (at, lost) = (at + 1, lost + 1),
            }
        }
        self.replies = 0;
        lost
    }
}

/// The address that a datagram was sent to, where the kernel was asked to tell it.
fn destination(header: &libc::msghdr) -> Option<IpAddr> {
    if header.msg_controllen == 0 {
        return None;
    }
    // SAFETY: as for `any_interface`, but nothing is written.
    unsafe {
        let control = libc::CMSG_FIRSTHDR(header);
        if control.is_null() {
            return None;
        }
        let data = libc::CMSG_DATA(control);
        let len = (*control).cmsg_len;
        match ((*control).cmsg_level, (*control).cmsg_type) {
            (libc::IPPROTO_IP, libc::IP_PKTINFO)
                if len >= libc::CMSG_LEN(size_of::<libc::in_pktinfo>() as _) as usize =>
            {
                let address = (*data.cast::<libc::in_pktinfo>()).ipi_addr.s_addr;
                Some(Ipv4Addr::from(address.to_ne_bytes()).into())
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO)
                if len >= libc::CMSG_LEN(size_of::<libc::in6_pktinfo>() as _) as usize =>
            {
                Some(Ipv6Addr::from((*data.cast::<libc::in6_pktinfo>()).ipi6_addr.s6_addr).into())
            }
            _ => None,
        }
    }
}

/// Lets the routing table choose the interface: of what came with the request, only the local
/// address is kept for the reply.
fn any_interface(header: &mut libc::msghdr) {
    if header.msg_controllen == 0 {
        header.msg_control = std::ptr::null_mut();
        return;
    }
    // SAFETY: the kernel has filled the control buffer and set its length; CMSG_FIRSTHDR checks
    // that a header fits, and the length of the data is checked before it is written to.
    unsafe {
        let control = libc::CMSG_FIRSTHDR(header);
        if control.is_null() {
            header.msg_controllen = 0;
            return;
        }
        let data = libc::CMSG_DATA(control);
        let len = (*control).cmsg_len;
        match ((*control).cmsg_level, (*control).cmsg_type) {
            (libc::IPPROTO_IP, libc::IP_PKTINFO)
                if len >= libc::CMSG_LEN(size_of::<libc::in_pktinfo>() as _) as usize =>
            {
                (*data.cast::<libc::in_pktinfo>()).ipi_ifindex = 0;
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO)
                if len >= libc::CMSG_LEN(size_of::<libc::in6_pktinfo>() as _) as usize =>
            {
                (*data.cast::<libc::in6_pktinfo>()).ipi6_ifindex = 0;
            }
            _ => header.msg_controllen = 0,
        }
    }
}
