//! The query log as `app` sees it: told what to write, and to stop.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::Builder;
use std::time::Duration;

use rustix::process::nice;

use super::Settings;
use super::door::Kind;
use super::writer::{Command, Writer};
use crate::metrics;
use crate::tap::{Sink, Taps};

/// Added to the nice value: answers come first.
const GIVE_WAY: i32 = 5;
/// How long the writers may take for what is left at the end.
const STOP: Duration = Duration::from_secs(3);

/// The query log of a server; off until it is told what to write.
#[derive(Debug)]
pub struct QueryLog {
    taps: Arc<Taps>,
    counts: Arc<metrics::QueryLog>,
    writers: [Option<Running>; 2],
}

/// A writer on its thread.
#[derive(Debug)]
struct Running {
    commands: Sender<Command>,
    /// Closed when the thread has ended.
    ended: Receiver<()>,
}

impl QueryLog {
    /// Of what comes through these taps.
    #[must_use]
    pub fn new(taps: Arc<Taps>, counts: Arc<metrics::QueryLog>) -> Self {
        Self { taps, counts, writers: [None, None] }
    }

    /// Writes there from now on. A file is opened again, be it the same as before.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn set(&mut self, settings: &Settings) -> io::Result<()> {
        let Settings { lines, socket } = settings.clone();
        self.tell(Sink::Json, lines.map(Kind::Lines))?;
        self.tell(Sink::Dnstap, socket.map(Kind::Socket))
    }

    fn tell(&mut self, sink: Sink, kind: Option<Kind>) -> io::Result<()> {
        let [json, dnstap] = &mut self.writers;
        let running = match sink {
            Sink::Json => json,
            Sink::Dnstap => dnstap,
        };
        let running = match running {
            Some(running) => running,
            None if kind.is_none() => return Ok(()),
            None => running.insert(start(sink, &self.taps, &self.counts)?),
        };
        running.commands.send(Command::Set(kind)).map_err(io::Error::other)
    }

    /// Writes what is left, as far as it is taken within a few seconds, and ends. To be called when
    /// nothing is answered any more.
    pub fn stop(self) {
        let running = || self.writers.iter().flatten();
        for writer in running() {
            // One that has ended needs not be told.
            let _ = writer.commands.send(Command::Stop);
        }
        for writer in running() {
            let _ = writer.ended.recv_timeout(STOP);
        }
    }
}

fn start(sink: Sink, taps: &Arc<Taps>, counts: &Arc<metrics::QueryLog>) -> io::Result<Running> {
    let (commands, told) = mpsc::channel();
    let (alive, ended) = mpsc::channel();
    let writer = Writer::new(sink, Arc::clone(taps), Arc::clone(counts));
    let run = move || {
        let _alive = alive;
        // A system that refuses leaves it as urgent as all else.
        let _ = nice(GIVE_WAY);
        writer.run(&told);
    };
    let name = match sink {
        Sink::Json => "query-log",
        Sink::Dnstap => "dnstap",
    };
    Builder::new().name(name.into()).spawn(run)?;
    Ok(Running { commands, ended })
}
