//! The floor: what a UDP nameserver costs when it does no work at all.
//!
//! One thread receives a batch, copies each datagram's id into the one answer that it knows, and
//! sends the batch. What remains is the kernel's share, which no nameserver on sockets can avoid.
//! `run.py` builds it with `rustc -O`, so there is no dependency: the few parts of libc that are
//! needed are declared here, in the layout of 64-bit Linux.
//!
//! Usage: `floor ADDRESS:PORT`

use std::ffi::{c_int, c_uint, c_void};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::ptr::null_mut;

const BATCH: usize = 32;
/// Not a power of two, so that the slots do not share cache sets.
const SLOT: usize = 2048 + 64;
/// `sizeof(struct sockaddr_storage)`.
const NAME: usize = 128;
const MSG_WAITFORONE: c_int = 0x10000;

/// All but the id of the answer to `www.versus.test. A`: QR, AA, NOERROR, one address.
const ANSWER: &[u8] = b"\x84\x00\x00\x01\x00\x01\x00\x00\x00\x00\
    \x03www\x06versus\x04test\x00\x00\x01\x00\x01\
    \xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x02\x01";
/// Octets of the id, which stays.
const ID: usize = 2;

#[repr(C)]
#[derive(Clone, Copy)]
struct IoVec {
    start: *mut u8,
    len: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct MsgHdr {
    name: *mut u8,
    name_len: c_uint,
    vector: *mut IoVec,
    vectors: usize,
    control: *mut c_void,
    control_len: usize,
    flags: c_int,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct MMsgHdr {
    header: MsgHdr,
    len: c_uint,
}

impl MsgHdr {
    fn new(name: &mut [u8; NAME], vector: &mut IoVec) -> Self {
        Self {
            name: name.as_mut_ptr(),
            name_len: NAME as c_uint,
            vector,
            vectors: 1,
            control: null_mut(),
            control_len: 0,
            flags: 0,
        }
    }
}

unsafe extern "C" {
    fn recvmmsg(
        fd: c_int,
        messages: *mut MMsgHdr,
        n: c_uint,
        flags: c_int,
        t: *mut c_void,
    ) -> c_int;
    fn sendmmsg(fd: c_int, messages: *mut MMsgHdr, n: c_uint, flags: c_int) -> c_int;
}

fn main() {
    let address = std::env::args().nth(1).expect("usage: floor ADDRESS:PORT");
    let socket = UdpSocket::bind(&address).expect("the address can be bound");
    let fd = socket.as_raw_fd();
    let mut slots = vec![[0_u8; SLOT]; BATCH];
    let mut names = vec![[0_u8; NAME]; BATCH];
    let mut vectors = vec![IoVec { start: null_mut(), len: 0 }; BATCH];
    let mut messages: Vec<MMsgHdr> = names
        .iter_mut()
        .zip(&mut vectors)
        .map(|(name, vector)| MMsgHdr { header: MsgHdr::new(name, vector), len: 0 })
        .collect();
    let mut used = BATCH;
    loop {
        for ((message, vector), slot) in
            messages.iter_mut().zip(&mut vectors).zip(&mut slots).take(used)
        {
            message.header.name_len = NAME as c_uint;
            *vector = IoVec { start: slot.as_mut_ptr(), len: SLOT };
        }
        // SAFETY: every message points to a name, and by a vector to a slot, all of which live as
        // long as this loop, and which nothing else touches during the call.
        let count = unsafe {
            recvmmsg(fd, messages.as_mut_ptr(), BATCH as c_uint, MSG_WAITFORONE, null_mut())
        };
        used = usize::try_from(count).unwrap_or(0);
        for (slot, vector) in slots.iter_mut().zip(&mut vectors).take(used) {
            slot[ID..ID + ANSWER.len()].copy_from_slice(ANSWER);
            vector.len = ID + ANSWER.len();
        }
        let mut sent = 0;
        while sent < used {
            // SAFETY: as above; `sent` is below `used`, which is at most the batch.
            let n = unsafe {
                sendmmsg(fd, messages.as_mut_ptr().add(sent), (used - sent) as c_uint, 0)
            };
            // A reply that cannot be sent is given up, like a datagram lost on the way.
            sent += usize::try_from(n).unwrap_or(1).max(1);
        }
    }
}
