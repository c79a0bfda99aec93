//! One socket or connection, and what waits on it.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};

use super::tcp::Tcp;
use super::udp::Udp;
use super::waiting::Waiting;

/// How queries go, and how answers come.
#[derive(Debug)]
enum Wire {
    Udp(Box<Udp>),
    Tcp(Box<Tcp>),
}

/// Queries in and answers out. Ids are each channel's own.
#[derive(Debug)]
pub(crate) struct Channel {
    wire: Wire,
    pub(crate) waiting: Waiting,
}

impl Channel {
    /// A socket of its own.
    pub(crate) fn udp(server: SocketAddr) -> io::Result<Self> {
        Ok(Self { wire: Wire::Udp(Box::new(Udp::new(server)?)), waiting: Waiting::default() })
    }

    /// A connection of its own.
    pub(crate) fn tcp(server: SocketAddr) -> io::Result<Self> {
        Ok(Self { wire: Wire::Tcp(Box::new(Tcp::new(server)?)), waiting: Waiting::default() })
    }

    /// How many more queries can be put before [`Self::send`].
    pub(crate) fn room(&self) -> usize {
        match &self.wire {
            Wire::Udp(udp) => udp.room(),
            Wire::Tcp(tcp) => tcp.room(),
        }
    }

    /// Puts a query; `write` returns its length.
    pub(crate) fn put(&mut self, write: impl FnOnce(&mut [u8]) -> usize) {
        match &mut self.wire {
            Wire::Udp(udp) => udp.put(write),
            Wire::Tcp(tcp) => tcp.put(write),
        }
    }

    /// Sends what was put. A connection may keep a part for the next time.
    pub(crate) fn send(&mut self) -> io::Result<()> {
        match &mut self.wire {
            Wire::Udp(udp) => udp.send(),
            Wire::Tcp(tcp) => tcp.send(),
        }
    }

    /// Takes a batch of answers, if there are any; returns how many.
    ///
    /// # Errors
    /// When the connection has ended: see [`Self::renew`].
    pub(crate) fn receive(&mut self) -> io::Result<usize> {
        match &mut self.wire {
            Wire::Udp(udp) => udp.receive(),
            Wire::Tcp(tcp) => tcp.receive(),
        }
    }

    /// An answer of the batch.
    pub(crate) fn answer(&self, number: usize) -> &[u8] {
        match &self.wire {
            Wire::Udp(udp) => udp.answer(number),
            Wire::Tcp(tcp) => tcp.answer(number),
        }
    }

    /// Connects again after a connection has ended.
    pub(crate) fn renew(&mut self) -> io::Result<()> {
        match &mut self.wire {
            Wire::Udp(_) => Ok(()),
            Wire::Tcp(tcp) => tcp.renew(),
        }
    }

    /// Whether a part of what was put has not been sent.
    pub(crate) fn is_unsent(&self) -> bool {
        match &self.wire {
            Wire::Udp(_) => false,
            Wire::Tcp(tcp) => tcp.is_unsent(),
        }
    }

    /// What to wait on.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        match &self.wire {
            Wire::Udp(udp) => udp.as_fd(),
            Wire::Tcp(tcp) => tcp.as_fd(),
        }
    }
}
