//! A UDP socket on which a system call sends or receives a batch.
#![expect(unsafe_code, reason = "sendmmsg and recvmmsg have no safe wrapper that takes a batch")]

use std::io::{self, ErrorKind};
use std::mem::zeroed;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use socket2::{Domain, Socket, Type};

use super::messages::LONGEST;

/// Datagrams for one system call.
const BATCH: usize = 64;
/// Room for an answer, and a line of cache so that the slots do not share sets.
const ANSWER: usize = 4096 + 64;
/// Answers to a burst wait here, so that none is lost to the generator.
const RECEIVE_BUFFER: usize = 8 << 20;

/// Buffers of one direction.
struct Batch<const LEN: usize> {
    slots: Box<[[u8; LEN]]>,
    /// Point to the slots.
    vectors: Box<[libc::iovec]>,
    /// Point to the vectors.
    headers: Box<[libc::mmsghdr]>,
}

impl<const LEN: usize> Batch<LEN> {
    fn new() -> Self {
        let mut slots = vec![[0; LEN]; BATCH].into_boxed_slice();
        let vector =
            |slot: &mut [u8; LEN]| libc::iovec { iov_base: slot.as_mut_ptr().cast(), iov_len: LEN };
        let mut vectors: Box<[_]> = slots.iter_mut().map(vector).collect();
        let header = |vector: &mut libc::iovec| {
            // SAFETY: a C structure for which all zeroes is a valid value: no name, no control.
            let mut header: libc::mmsghdr = unsafe { zeroed() };
            header.msg_hdr.msg_iov = &raw mut *vector;
            header.msg_hdr.msg_iovlen = 1;
            header
        };
        let headers = vectors.iter_mut().map(header).collect();
        Self { slots, vectors, headers }
    }
}

/// A connected socket.
pub(crate) struct Udp {
    socket: UdpSocket,
    output: Batch<LONGEST>,
    put: usize,
    input: Batch<ANSWER>,
}

impl std::fmt::Debug for Udp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Udp").field(&self.socket).finish()
    }
}

impl Udp {
    pub(crate) fn new(server: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(server), Type::DGRAM, None)?;
        receive_buffer(&socket);
        let any = match server {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        socket.bind(&any.into())?;
        socket.connect(&server.into())?;
        Ok(Self { socket: socket.into(), output: Batch::new(), put: 0, input: Batch::new() })
    }

    pub(crate) fn room(&self) -> usize {
        BATCH - self.put
    }

    pub(crate) fn put(&mut self, write: impl FnOnce(&mut [u8]) -> usize) {
        let len = write(&mut self.output.slots[self.put]);
        self.output.vectors[self.put].iov_len = len;
        self.put += 1;
    }

    pub(crate) fn send(&mut self) -> io::Result<()> {
        let mut left = &mut self.output.headers[..std::mem::take(&mut self.put)];
        while !left.is_empty() {
            // SAFETY: every header points to a vector and by it to a slot of this batch; neither
            // is moved or borrowed while the kernel reads them.
            let sent = unsafe {
                libc::sendmmsg(self.socket.as_raw_fd(), left.as_mut_ptr(), left.len() as u32, 0)
            };
            match usize::try_from(sent) {
                Ok(sent) => left = &mut left[sent..],
                // A server that is just not there: told once, and then sending works again.
                Err(_) => pass(io::Error::last_os_error(), &[ErrorKind::ConnectionRefused])?,
            }
        }
        Ok(())
    }

    pub(crate) fn receive(&mut self) -> io::Result<usize> {
        // SAFETY: as above; the kernel writes to the slots and to the lengths in the headers.
        let count = unsafe {
            libc::recvmmsg(
                self.socket.as_raw_fd(),
                self.input.headers.as_mut_ptr(),
                BATCH as u32,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        };
        if let Ok(count) = usize::try_from(count) {
            return Ok(count);
        }
        pass(io::Error::last_os_error(), &[ErrorKind::WouldBlock, ErrorKind::ConnectionRefused])?;
        Ok(0)
    }

    pub(crate) fn answer(&self, number: usize) -> &[u8] {
        let len = self.input.headers[number].msg_len as usize;
        &self.input.slots[number][..len.min(ANSWER)]
    }
}

impl AsFd for Udp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Errors after which one goes on.
fn pass(error: io::Error, also: &[ErrorKind]) -> io::Result<()> {
    let harmless = error.kind() == ErrorKind::Interrupted || also.contains(&error.kind());
    if harmless { Ok(()) } else { Err(error) }
}

/// As much as there may be: more than the system's limit where the process may.
fn receive_buffer(socket: &Socket) {
    let size = RECEIVE_BUFFER as i32;
    // SAFETY: the value is a live i32 and its length is given.
    let forced = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVBUFFORCE,
            (&raw const size).cast(),
            size_of::<i32>() as u32,
        )
    };
    if forced != 0 {
        // What the limit allows, then; whoever loses answers sees it as loss.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    }
}
