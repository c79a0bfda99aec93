//! A socket of this machine behind which somebody takes dnstap.

use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, SockAddr, Type};

pub use super::dnstap::Sender;
use super::frames;

/// Where dnstap goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// The path of the socket.
    pub path: PathBuf,
    /// What goes with each message.
    pub sender: Sender,
}

/// How long the other side may take to introduce itself, and to take leave.
const PATIENCE: Duration = Duration::from_millis(500);

/// Connects, and waits for the other side to introduce itself.
pub(super) fn open(path: &Path) -> io::Result<UnixStream> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // Where nobody accepts, connecting would wait as well.
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => io::Error::new(ErrorKind::TimedOut, "nobody accepts"),
        _ => error,
    })?;
    let mut stream = UnixStream::from(socket);
    wait(&stream, true)?;
    frames::introduce(&mut stream).map_err(late)?;
    wait(&stream, false)?;
    Ok(stream)
}

/// Takes leave; the other side may have gone.
pub(super) fn close(mut stream: UnixStream) -> io::Result<()> {
    wait(&stream, true)?;
    frames::take_leave(&mut stream).map_err(late)
}

fn wait(stream: &UnixStream, so: bool) -> io::Result<()> {
    stream.set_nonblocking(!so)?;
    stream.set_read_timeout(so.then_some(PATIENCE))?;
    stream.set_write_timeout(so.then_some(PATIENCE))
}

fn late(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock => io::Error::new(ErrorKind::TimedOut, "it does not answer"),
        ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "it has hung up"),
        _ => error,
    }
}
