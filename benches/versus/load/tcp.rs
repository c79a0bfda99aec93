//! A TCP connection that is kept: queries are written one behind the other without waiting, and
//! answers are taken as they come.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::messages::LONGEST;

/// Queries for one write.
const BATCH: usize = 64;
/// Octets of answers taken at once; one answer fits in any case.
const BUFFER: usize = 2 * (1 << 16);
const CONNECT: Duration = Duration::from_secs(5);

/// A connection.
#[derive(Debug)]
pub(crate) struct Tcp {
    server: SocketAddr,
    stream: TcpStream,
    /// What is to be sent.
    output: Vec<u8>,
    put: usize,
    input: Vec<u8>,
    filled: usize,
    /// Where the answers of the batch are, and behind them what is not complete.
    answers: Vec<Range<usize>>,
    taken: usize,
}

impl Tcp {
    pub(crate) fn new(server: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            server,
            stream: connect(server)?,
            output: Vec::with_capacity(BATCH * LONGEST),
            put: 0,
            input: vec![0; BUFFER],
            filled: 0,
            answers: Vec::new(),
            taken: 0,
        })
    }

    /// None while a part of the last batch has not been sent.
    pub(crate) fn room(&self) -> usize {
        if self.put == 0 && self.is_unsent() { 0 } else { BATCH - self.put }
    }

    pub(crate) fn put(&mut self, write: impl FnOnce(&mut [u8]) -> usize) {
        let start = self.output.len();
        self.output.resize(start + 2 + LONGEST, 0);
        let len = write(&mut self.output[start + 2..]);
        self.output[start..start + 2].copy_from_slice(&(len as u16).to_be_bytes());
        self.output.truncate(start + 2 + len);
        self.put += 1;
    }

    pub(crate) fn send(&mut self) -> io::Result<()> {
        self.put = 0;
        while !self.output.is_empty() {
            match self.stream.write(&self.output) {
                Ok(len) => drop(self.output.drain(..len)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(crate) fn receive(&mut self) -> io::Result<usize> {
        self.input.copy_within(self.taken..self.filled, 0);
        self.filled -= self.taken;
        self.taken = 0;
        self.answers.clear();
        match self.stream.read(&mut self.input[self.filled..]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(len) => self.filled += len,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
        while let Some(len) = self.input[self.taken..self.filled].first_chunk::<2>() {
            let start = self.taken + 2;
            let end = start + usize::from(u16::from_be_bytes(*len));
            if end > self.filled {
                break;
            }
            self.answers.push(start..end);
            self.taken = end;
        }
        Ok(self.answers.len())
    }

    pub(crate) fn answer(&self, number: usize) -> &[u8] {
        self.answers.get(number).map_or(&[], |range| &self.input[range.clone()])
    }

    pub(crate) fn renew(&mut self) -> io::Result<()> {
        *self = Self::new(self.server)?;
        Ok(())
    }

    pub(crate) fn is_unsent(&self) -> bool {
        !self.output.is_empty()
    }
}

impl AsFd for Tcp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&server, CONNECT)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}
