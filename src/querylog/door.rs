//! A sink of either kind: how it is opened, written to and closed.

use std::io::{self, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::json;
use super::lines::{self, Lines, To};
use super::socket::{self, Socket};
use crate::tap::{Exchange, Line};

/// What a sink is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Lines(Lines),
    Socket(Socket),
}

/// A sink, open or not.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) kind: Kind,
    open: Option<Open>,
}

#[derive(Debug)]
enum Open {
    Lines(lines::Open),
    Socket(UnixStream),
}

impl Door {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, open: None }
    }

    /// What people call it.
    pub(super) fn name(&self) -> String {
        match &self.kind {
            Kind::Lines(Lines { to: To::Stdout, .. }) => "standard output".into(),
            Kind::Lines(Lines { to: To::File(path), .. }) => path.display().to_string(),
            Kind::Socket(Socket { path, .. }) => format!("the socket {}", path.display()),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn open(&mut self) -> io::Result<()> {
        self.open = Some(match &self.kind {
            Kind::Lines(lines) => Open::Lines(lines.to.open()?),
            Kind::Socket(socket) => Open::Socket(socket::open(&socket.path)?),
        });
        Ok(())
    }

    /// Whether having opened it shows that it works: a socket has answered by then.
    pub(super) fn has_answered(&self) -> bool {
        matches!(self.open, Some(Open::Socket(_)))
    }

    /// Appends what a record says, in the form that goes out here.
    pub(super) fn encode(&self, record: &[u8], to: &mut Vec<u8>) {
        match &self.kind {
            Kind::Lines(lines) => {
                if let Some((line, regions)) = Line::read(record) {
                    json::write(&line, regions, lines.client, to);
                }
            }
            Kind::Socket(socket) => {
                if let Some(exchange) = Exchange::read(record) {
                    socket.sender.write(&exchange, to);
                }
            }
        }
    }

    /// Writes what is taken at once.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] when that is nothing; any other: it is broken.
    pub(super) fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = match &mut self.open {
            Some(Open::Lines(lines)) => lines.write(octets),
            Some(Open::Socket(stream)) => stream.write(octets),
            None => return Err(ErrorKind::NotConnected.into()),
        };
        match written {
            Ok(0) => Err(ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(0),
            written => written,
        }
    }

    /// Waits until it takes something, but no longer than that.
    pub(super) fn wait(&self, most: Duration) {
        let flags = PollFlags::OUT;
        let mut fds = match &self.open {
            Some(Open::Lines(lines)) => [PollFd::new(lines.file(), flags)],
            Some(Open::Socket(stream)) => [PollFd::new(stream, flags)],
            None => return std::thread::sleep(most),
        };
        let most = Timespec { tv_sec: 0, tv_nsec: most.subsec_nanos().into() };
        // A signal cuts it short.
        let _ = poll(&mut fds, Some(&most));
    }

    /// Whether something else, or nothing, has come into its place: then it is to be opened again.
    pub(super) fn is_replaced(&self) -> bool {
        match (&self.open, &self.kind) {
            (Some(Open::Lines(open)), Kind::Lines(lines)) => open.is_replaced(&lines.to),
            _ => false,
        }
    }

    /// Whether what is open is one that goes on where it stopped: a file does, and of a record that
    /// is written in part the rest can follow.
    pub(super) fn goes_on(&self) -> bool {
        matches!(self.open, Some(Open::Lines(_)))
    }

    /// Closes it without a word.
    pub(super) fn drop(&mut self) {
        self.open = None;
    }

    /// Closes it so that the other side knows that this is the end; it is told of nothing that is wrong,
    /// for what was written was taken.
    pub(super) fn close(&mut self) {
        if let Some(Open::Socket(stream)) = self.open.take() {
            let _ = socket::close(stream);
        }
    }
}
