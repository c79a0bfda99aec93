//! Lines to a file, a pipe or standard output.
//!
//! Whatever it is, it is never waited for: a pipe that is full takes nothing, and says so.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Client;

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// To what.
    pub to: To,
    /// How much is told of clients.
    pub client: Client,
}

/// A place for lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// Standard output.
    Stdout,
    /// A file, to which they are appended, or a named pipe.
    File(PathBuf),
}

/// What a pipe takes at once when it takes anything (PIPE_BUF of Linux).
const PIPE: usize = 4096;

/// A place that is open.
#[derive(Debug)]
pub(super) struct Open {
    file: File,
    /// Shared with others, so that its mode cannot be changed: it is asked before each write.
    shared: bool,
}

impl To {
    /// Opens it for appending.
    pub(super) fn open(&self) -> io::Result<Open> {
        match self {
            Self::Stdout => {
                let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
                Ok(Open { file, shared: true })
            }
            Self::File(path) => Ok(Open { file: open(path)?, shared: false }),
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    // Who asked what is not for everybody.
    options.append(true).create(true).mode(0o640).custom_flags(libc::O_NONBLOCK);
    let mut file = options.open(path).map_err(|error| match error.raw_os_error() {
        Some(libc::ENXIO) => io::Error::new(ErrorKind::NotConnected, "nobody reads from it"),
        _ => error,
    })?;
    if ends_within_a_line(path) {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

/// Whether whoever wrote to a file before did not come to the end of a line.
fn ends_within_a_line(path: &Path) -> bool {
    let last = || {
        if !std::fs::metadata(path)?.is_file() {
            return Ok(b'\n');
        }
        let mut file = File::open(path)?;
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        io::Result::Ok(last[0])
    };
    // An empty one has no last octet, and of one that is not to be read nothing is known.
    last().is_ok_and(|last| last != b'\n')
}

impl Open {
    /// Writes what it takes at once.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] when that is nothing.
    pub(super) fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if !self.shared {
            return self.file.write(octets);
        }
        if !takes(&self.file) {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.file.write(&octets[..octets.len().min(PIPE)])
    }

    /// Whether something else, or nothing, has come into its place.
    pub(super) fn is_replaced(&self, to: &To) -> bool {
        let To::File(path) = to else { return false };
        let Ok(own) = self.file.metadata() else { return true };
        std::fs::metadata(path)
            .map_or(true, |there| (there.dev(), there.ino()) != (own.dev(), own.ino()))
    }

    /// Where it can be waited for.
    pub(super) fn file(&self) -> &File {
        &self.file
    }
}

/// Whether something takes octets now.
fn takes(file: &impl AsFd) -> bool {
    let mut fds = [PollFd::new(file, PollFlags::OUT)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    // What is wrong with it is told by the write.
    poll(&mut fds, Some(&now)).map_or(true, |ready| ready > 0)
}
