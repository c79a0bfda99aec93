//! The thread of one sink: takes what the answering threads have left, and writes it.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use super::door::{Door, Kind};
use super::outbox::Outbox;
use crate::clock;
use crate::metrics::{LogSink, QueryLog};
use crate::tap::{Queue, Sink, Taps};

/// How long it rests when there was something, and when there was nothing.
const BUSY: Duration = Duration::from_millis(5);
const CALM: Duration = Duration::from_millis(20);
/// How many octets are written at once, and how long fewer may wait.
const LOT: usize = 32 << 10;
const FLUSH: Duration = Duration::from_millis(200);
/// How often it is looked whether a file is still there.
const LOOK: Duration = Duration::from_secs(1);
/// How long a sink may take nothing before people are told.
const SLOW: Duration = Duration::from_secs(1);
/// How long it is until what is broken is tried again: at first, and at most.
const RETRY: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(5);
/// By then every answering thread knows that there is no log any more.
const LAST: Duration = Duration::from_millis(500);
/// How long the last records may take when a sink is given up.
const END: Duration = Duration::from_secs(1);
/// Records taken from one queue before the next has its turn.
const TURN: usize = 64;

/// What a writer is told.
#[derive(Debug)]
pub(super) enum Command {
    /// Write to that, or to nothing. A file is opened again, be it the same.
    Set(Option<Kind>),
    /// Write what there is, and end.
    Stop,
}

/// A writer and what it has in hand.
#[derive(Debug)]
pub(super) struct Writer {
    sink: Sink,
    taps: Arc<Taps>,
    counts: Arc<QueryLog>,
    queues: Vec<Queue>,
    door: Option<Door>,
    outbox: Outbox,
    record: Vec<u8>,
    trouble: Option<Trouble>,
    /// Since when the sink has taken nothing although there was something.
    stuck: Option<Instant>,
    /// When something was last written, and when the file was last looked for.
    wrote: Instant,
    looked: Instant,
    /// When the sink is to be closed.
    closes: Option<Instant>,
}

/// A sink that is broken.
#[derive(Debug)]
struct Trouble {
    retry: Instant,
    wait: Duration,
}

impl Writer {
    pub(super) fn new(sink: Sink, taps: Arc<Taps>, counts: Arc<QueryLog>) -> Self {
        let now = clock::now();
        Self {
            sink,
            taps,
            counts,
            queues: Vec::new(),
            door: None,
            outbox: Outbox::default(),
            record: Vec::new(),
            trouble: None,
            stuck: None,
            wrote: now,
            looked: now,
            closes: None,
        }
    }

    /// Writes until it is told to stop.
    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        let mut rest = CALM;
        loop {
            let command = match self.door {
                None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
                // It has waited for the sink already.
                Some(_) if rest.is_zero() => commands.try_recv().map_err(|error| match error {
                    TryRecvError::Empty => RecvTimeoutError::Timeout,
                    TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
                }),
                Some(_) => commands.recv_timeout(rest),
            };
            match command {
                Ok(Command::Set(kind)) => self.set(kind),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return self.stop(),
            }
            rest = self.round(false);
            if self.closes.is_some_and(|at| clock::now() >= at) {
                self.leave();
                self.closes = None;
                self.lose_all();
            }
        }
    }

    fn set(&mut self, kind: Option<Kind>) {
        self.closes = None;
        let Some(kind) = kind else {
            // What is answered by a thread that does not know yet still belongs here.
            self.closes = self.door.is_some().then(|| clock::now() + LAST);
            return;
        };
        match &mut self.door {
            Some(door) if door.kind == kind => self.reopen(),
            Some(_) => {
                self.leave();
                self.enter(kind);
            }
            None => self.enter(kind),
        }
    }

    fn enter(&mut self, kind: Kind) {
        self.door = Some(Door::new(kind));
        (self.trouble, self.stuck) = (None, None);
    }

    /// Opens a file again; a socket stays as it is.
    fn reopen(&mut self) {
        if self.door.as_ref().is_some_and(Door::goes_on) {
            self.write(true);
            if let Some(door) = &mut self.door {
                door.drop();
            }
            self.lose_torn();
        }
        if let Some(trouble) = &mut self.trouble {
            *trouble = Trouble { retry: clock::now(), wait: RETRY };
        }
    }

    /// One round of everything; returns how long to rest.
    fn round(&mut self, last: bool) -> Duration {
        let Some(mut door) = self.door.take() else { return CALM };
        self.take_queues();
        let now = clock::now();
        let waits = self.trouble.as_ref().is_some_and(|trouble| now < trouble.retry);
        if waits && !last {
            self.door = Some(door);
            return CALM;
        }
        if door.is_open() && now.saturating_duration_since(self.looked) >= LOOK {
            self.looked = now;
            if door.is_replaced() {
                self.door = Some(door);
                self.reopen();
                let Some(again) = self.door.take() else { return CALM };
                door = again;
            }
        }
        if !door.is_open() {
            match door.open() {
                Ok(()) if door.has_answered() => self.works(&door),
                Ok(()) => {}
                Err(error) => self.breaks(&door, &error.to_string()),
            }
        }
        let open = door.is_open();
        let taken = if open { self.fill(&door) } else { false };
        self.door = Some(door);
        if open {
            self.write(last);
        } else {
            self.stuck = None;
        }
        match (self.stuck, taken) {
            (Some(_), _) => Duration::ZERO,
            (None, true) => BUSY,
            (None, false) => CALM,
        }
    }

    fn take_queues(&mut self) {
        self.queues.extend(self.taps.take(self.sink));
        self.queues.retain(|queue| !queue.is_over());
    }

    /// Takes from the queues in turn what there is room for; whether there was anything.
    fn fill(&mut self, door: &Door) -> bool {
        let mut any = false;
        loop {
            let mut more = false;
            for queue in &mut self.queues {
                for _ in 0..TURN {
                    if self.outbox.is_full() || !queue.pop(&mut self.record) {
                        break;
                    }
                    self.outbox.add(|to| door.encode(&self.record, to));
                    more = true;
                }
            }
            any |= more;
            if !more || self.outbox.is_full() {
                return any;
            }
        }
    }

    /// Writes what has gathered, or all when it is the `last`, as long as it is taken.
    fn write(&mut self, last: bool) {
        let Some(mut door) = self.door.take() else { return };
        let now = clock::now();
        let due = last || now.saturating_duration_since(self.wrote) >= FLUSH;
        while !self.outbox.rest().is_empty() && (due || self.outbox.rest().len() >= LOT) {
            match door.write(self.outbox.rest()) {
                Ok(octets) => {
                    let records = self.outbox.advance(octets);
                    self.counts.written(label(self.sink), records);
                    self.wrote = now;
                    self.works(&door);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.waits_for(&door);
                    break;
                }
                Err(error) => {
                    self.breaks(&door, &error.to_string());
                    // A full disk may have room again; of a pipe or a socket nothing is left.
                    if !door.goes_on() || error.kind() == ErrorKind::BrokenPipe {
                        door.drop();
                        self.lose_torn();
                    }
                    break;
                }
            }
        }
        self.door = Some(door);
    }

    /// The sink takes nothing: neither does this thread do anything else.
    fn waits_for(&mut self, door: &Door) {
        let now = clock::now();
        let since = *self.stuck.get_or_insert(now);
        if now.saturating_duration_since(since) >= SLOW && self.trouble.is_none() {
            self.trouble = Some(Trouble { retry: now, wait: RETRY });
            tracing::error!(
                "the query log is not taken by {}: answers go on, and what is lost of the log is counted",
                door.name()
            );
        }
        door.wait(CALM);
    }

    fn works(&mut self, door: &Door) {
        self.stuck = None;
        if self.trouble.take().is_some() {
            tracing::info!("the query log is written to {} again", door.name());
        }
    }

    fn breaks(&mut self, door: &Door, error: &str) {
        let now = clock::now();
        self.stuck = None;
        let wait = match &self.trouble {
            Some(trouble) => (trouble.wait * 2).min(RETRY_MAX),
            None => {
                tracing::error!(
                    "the query log cannot be written to {}: {error}; answers go on, what is lost of \
                     the log is counted, and it is tried again",
                    door.name()
                );
                RETRY
            }
        };
        self.trouble = Some(Trouble { retry: now + wait, wait });
    }

    fn lose_torn(&mut self) {
        if self.outbox.skip_torn() {
            self.counts.lost(label(self.sink), 1);
        }
    }

    /// Gives up what cannot be written any more.
    fn lose_all(&mut self) -> u64 {
        let mut lost = self.outbox.clear();
        self.take_queues();
        for queue in &mut self.queues {
            while queue.pop(&mut self.record) {
                lost += 1;
            }
        }
        self.counts.lost(label(self.sink), lost);
        lost
    }

    /// Writes what there is, if it is taken in time, and closes the sink.
    fn leave(&mut self) {
        let end = clock::now() + END;
        while self.door.is_some() {
            let rest = self.round(true);
            let empty = self.outbox.records() == 0;
            if empty && rest == CALM || clock::now() >= end {
                break;
            }
            if self.trouble.is_some() {
                // Whatever is wrong with it, it is not worth waiting for until the end.
                std::thread::sleep(CALM);
            }
        }
        let Some(mut door) = self.door.take() else { return };
        if self.outbox.skip_torn() {
            self.counts.lost(label(self.sink), 1);
            door.drop();
        }
        door.close();
        self.trouble = None;
        self.stuck = None;
    }

    fn stop(mut self) {
        let name = self.door.as_ref().map(Door::name);
        self.leave();
        let lost = self.lose_all();
        if let Some(name) = name.filter(|_| lost > 0) {
            tracing::warn!("{lost} answers of the query log were not taken by {name} in the end");
        }
    }
}

const fn label(sink: Sink) -> LogSink {
    match sink {
        Sink::Json => LogSink::Json,
        Sink::Dnstap => LogSink::Dnstap,
    }
}
