//! A program that runs for a while: its process group, its end, and the beginning of what it says.
//!
//! A thread waits for each program; so it is reaped whatever becomes of the probe. When it has ended, by
//! itself or because it was killed, all that it has left in its process group is killed before its number
//! can be another's, and reaped where it is this process that inherits it.

use std::io::{self, PipeReader, PipeWriter, pipe};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, WaitStatus, kill_process, kill_process_group,
    waitid, waitpgid, waitpid,
};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::task::JoinHandle;

/// So much of an output is kept.
pub(super) const KEPT: usize = 4096;
/// What was killed is waited for so long; afterwards only its thread still waits.
const REAPED: Duration = Duration::from_secs(1);
/// Behind what is kept, reading pauses: a flood is to cost its writer more than this process.
const PAUSE: Duration = Duration::from_millis(1);
/// Between two pauses so much is read: what a pipe holds.
const FLOOD: usize = 64 << 10;

/// A program under way. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Program {
    life: Arc<Life>,
    ended: JoinHandle<io::Result<WaitStatus>>,
    stdout: Output,
    stderr: Output,
}

/// How a program ended and what it said first.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: WaitStatus,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

impl Program {
    /// Starts a program in a process group of its own, with nothing on its standard input.
    ///
    /// # Errors
    /// When there are no descriptors left. That it cannot be started is told by [`Program::end`].
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        let (stdout, out) = output()?;
        let (stderr, err) = output()?;
        command.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0);
        let life = Arc::new(Life::default());
        let theirs = Arc::clone(&life);
        let ended = tokio::task::spawn_blocking(move || theirs.live(command));
        Ok(Self { life, ended, stdout, stderr })
    }

    /// Waits for its end, and listens meanwhile.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) async fn end(&mut self) -> io::Result<Ended> {
        let status = loop {
            tokio::select! {
                biased;
                ended = &mut self.ended => break ended.map_err(io::Error::other)??,
                () = self.stdout.listen() => {}
                () = self.stderr.listen() => {}
            }
        };
        let (stdout, stderr) = (self.stdout.finish(), self.stderr.finish());
        Ok(Ended { status, stdout, stderr })
    }

    /// Kills it and all in its group, and waits for that, but not for long.
    pub(super) async fn kill(mut self) {
        self.life.kill();
        let _ = tokio::time::timeout(REAPED, &mut self.ended).await;
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.life.kill();
    }
}

/// A program as it can be killed from elsewhere.
#[derive(Debug, Default)]
struct Life(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    /// It has not been started.
    #[default]
    Before,
    /// It runs, or nobody knows yet that it has ended: the number is its own, and that of its group.
    Running(Pid),
    /// It has ended, or is not to be started any more.
    Over,
}

impl Life {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kill(&self) {
        let mut state = self.state();
        match *state {
            // Its thread sees to the rest.
            State::Running(pid) => kill_all(pid),
            State::Before => *state = State::Over,
            State::Over => {}
        }
    }

    /// From its start to its end; blocks.
    fn live(&self, mut command: Command) -> io::Result<WaitStatus> {
        let pid = {
            let mut state = self.state();
            if matches!(*state, State::Over) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let pid = Pid::from_child(&command.spawn()?);
            *state = State::Running(pid);
            pid
        };
        // With it go the ends of the pipes that are the program's.
        drop(command);
        // It is left to be reaped, so that its number stays its own.
        while let Err(Errno::INTR) =
            waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
        {}
        {
            let mut state = self.state();
            kill_all(pid);
            *state = State::Over;
        }
        let status = loop {
            match waitpid(Some(pid), WaitOptions::empty()) {
                Ok(Some((_, status))) => break status,
                Ok(None) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        };
        while matches!(waitpgid(pid, WaitOptions::empty()), Ok(_) | Err(Errno::INTR)) {}
        Ok(status)
    }
}

/// The process as well: it may have changed its group.
fn kill_all(pid: Pid) {
    let _ = kill_process_group(pid, Signal::KILL);
    let _ = kill_process(pid, Signal::KILL);
}

/// What a program says on one of its outputs.
#[derive(Debug)]
struct Output {
    pipe: Option<Receiver>,
    kept: Vec<u8>,
}

fn output() -> io::Result<(Output, PipeWriter)> {
    let (reader, writer): (PipeReader, PipeWriter) = pipe()?;
    let pipe = Receiver::from_owned_fd(OwnedFd::from(reader))?;
    Ok((Output { pipe: Some(pipe), kept: Vec::new() }, writer))
}

impl Output {
    /// Reads a piece; never returns once all is said.
    async fn listen(&mut self) {
        let Some(pipe) = &mut self.pipe else { return std::future::pending().await };
        if self.kept.len() >= KEPT {
            tokio::time::sleep(PAUSE).await;
        }
        let flood = self.kept.len() >= KEPT;
        let mut buffer = vec![0; if flood { FLOOD } else { KEPT }];
        match pipe.read(&mut buffer).await {
            Ok(length @ 1..) => self.keep(buffer.get(..length).unwrap_or_default()),
            Ok(0) | Err(_) => self.pipe = None,
        }
    }

    fn keep(&mut self, octets: &[u8]) {
        let room = KEPT.saturating_sub(self.kept.len());
        self.kept.extend(octets.iter().take(room));
    }

    /// Takes what is there already; others may hold the pipe open.
    fn finish(&mut self) -> Vec<u8> {
        while let Some(pipe) = self.pipe.take_if(|_| self.kept.len() < KEPT) {
            let mut buffer = [0; KEPT];
            if let Ok(length @ 1..) = pipe.try_read(&mut buffer) {
                self.keep(buffer.get(..length).unwrap_or_default());
                self.pipe = Some(pipe);
            }
        }
        std::mem::take(&mut self.kept)
    }
}
