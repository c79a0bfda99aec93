//! The loop: what is due is sent, what has come is checked, what is too old is lost.

use std::io;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::args::Args;
use super::channel::Channel;
use super::messages::Messages;
use super::order::Chooser;
use super::pace::{Pace, Pacer};
use super::questions;
use super::tally::{Expected, Tally};
use super::waiting::{Asked, Found};

/// How often lost queries are looked for at least, in nanoseconds.
const LOOK_AROUND: u64 = 10_000_000;
/// How long a closed loop looks for answers before it sleeps, in microseconds.
const SPIN: u32 = 50;

/// A run that is over.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) sent: u64,
    pub(crate) tally: Tally,
    /// From the first query to the last query or answer.
    pub(crate) secs: f64,
    /// What the generator itself needed of a core, in nanoseconds.
    pub(crate) cpu_nanos: u64,
    /// TCP connections that had to be opened again.
    pub(crate) renewed: u64,
}

/// Asks as the arguments say.
pub(crate) fn run(args: &Args) -> anyhow::Result<Summary> {
    let mut rng = fastrand::Rng::with_seed(args.seed);
    let questions = questions::read(&args.questions)?;
    let messages = Messages::new(&questions, args.extras(), &mut rng)?;
    let count = u32::try_from(questions.len()).context("too many questions")?;
    let expected = Expected { rcode: args.expect, answers: args.expect_answers.clone() };
    let spin = args.spin.unwrap_or(if let Pace::Closed { .. } = args.pace() { SPIN } else { 0 });
    let number = args.channels()?;
    let mut load = Load {
        channels: channels(args, number).context("no connection to the server")?,
        turn: 0,
        chooser: Chooser::new(args.order, count),
        messages,
        pacer: Pacer::new(args.pace(), args.end(), args.burst),
        rng,
        timeout: u64::from(args.timeout) * 1_000_000,
        spin: u64::from(spin) * 1000,
        waiting: 0,
        last: 0,
        renewed: 0,
        tally: Tally { expected, ..Tally::default() },
        start: now(),
    };
    precise_sleep();
    let cpu = cpu_nanos()?;
    load.start = now();
    load.run()?;
    Ok(Summary {
        sent: load.pacer.sent(),
        tally: load.tally,
        secs: load.last as f64 / 1e9,
        cpu_nanos: cpu_nanos()?.saturating_sub(cpu),
        renewed: load.renewed,
    })
}

fn channels(args: &Args, number: u16) -> io::Result<Vec<Channel>> {
    let open = if args.tcp.is_some() { Channel::tcp } else { Channel::udp };
    (0..number).map(|_| open(args.server)).collect()
}

struct Load {
    channels: Vec<Channel>,
    /// Which channel sends next.
    turn: usize,
    chooser: Chooser,
    messages: Messages,
    pacer: Pacer,
    rng: fastrand::Rng,
    timeout: u64,
    spin: u64,
    /// Queries outstanding on all channels.
    waiting: u64,
    /// When something was sent or received last.
    last: u64,
    renewed: u64,
    tally: Tally,
    start: Instant,
}

impl Load {
    fn run(&mut self) -> anyhow::Result<()> {
        let mut looked_around = 0;
        loop {
            let before = self.last;
            self.send_due()?;
            self.receive()?;
            let now = self.now();
            if now >= looked_around + LOOK_AROUND {
                looked_around = now;
                self.give_up(now);
            }
            if self.pacer.is_over(now) && self.waiting == 0 {
                return Ok(());
            }
            if self.last == before && now >= self.last + self.spin {
                self.sleep(now)?;
            }
        }
    }

    fn now(&self) -> u64 {
        // 584 years fit.
        now().duration_since(self.start).as_nanos() as u64
    }

    /// Sends a batch of what is due on each channel, with a fair part each. Connections may take no
    /// more for now: what is due is late then, and counts as that.
    fn send_due(&mut self) -> anyhow::Result<()> {
        let now = self.now();
        let mut due = self.pacer.due(now, self.waiting);
        let part = due.div_ceil(self.channels.len() as u64);
        for _ in 0..self.channels.len() {
            due -= self.send(now, part.min(due))?;
        }
        Ok(())
    }

    /// Sends up to so many on the channel whose turn it is.
    fn send(&mut self, now: u64, most: u64) -> anyhow::Result<u64> {
        let turn = self.turn;
        self.turn = (turn + 1) % self.channels.len();
        let channel = &mut self.channels[turn];
        let count = most.min(channel.room() as u64);
        for _ in 0..count {
            if channel.waiting.is_full() {
                channel.waiting.give_up_oldest();
                self.tally.lost += 1;
                self.waiting -= 1;
            }
            let due = self.pacer.take(now);
            self.tally.behind = self.tally.behind.max(now - due);
            let (question, label) = (self.chooser.next(&mut self.rng), self.rng.u32(..));
            let id = channel.waiting.add(Asked { due, sent: now, question, label });
            let (messages, rng) = (&self.messages, &mut self.rng);
            channel.put(|octets| messages.write(question, id, label, rng, octets));
        }
        self.waiting += count;
        if count > 0 {
            self.last = now;
            // A connection that has ended is noticed, and opened again, by who receives.
            let sent = channel.send();
            if let Err(error) = sent
                && !is_ended(&error)
            {
                return Err(error).context("queries cannot be sent");
            }
        }
        Ok(count)
    }

    /// Takes a batch of what has come on each channel.
    fn receive(&mut self) -> anyhow::Result<()> {
        for turn in 0..self.channels.len() {
            let channel = &mut self.channels[turn];
            let unsent = if channel.is_unsent() { channel.send() } else { Ok(()) };
            match unsent.and_then(|()| channel.receive()) {
                Ok(0) => {}
                Ok(count) => self.check(turn, count),
                Err(error) if is_ended(&error) => self.renew(turn)?,
                Err(error) => return Err(error).context("answers cannot be received"),
            }
        }
        Ok(())
    }

    /// Checks a batch of answers.
    fn check(&mut self, turn: usize, count: usize) {
        let now = self.now();
        self.last = now;
        let (channel, tally) = (&mut self.channels[turn], &mut self.tally);
        for number in 0..count {
            let answer = channel.answer(number);
            let Some(id) = answer.first_chunk::<2>().map(|id| u16::from_be_bytes(*id)) else {
                tally.wrong += 1;
                continue;
            };
            match channel.waiting.find(id) {
                Found::Duplicate => tally.duplicate += 1,
                Found::Late => tally.late += 1,
                Found::Stray => tally.stray += 1,
                // The query waits on when this is no answer to its question.
                Found::Waiting(asked) => {
                    match self.messages.read(asked.question, asked.label, answer) {
                        None => tally.wrong += 1,
                        Some(answer) => {
                            channel.waiting.answered(id);
                            self.waiting -= 1;
                            tally.answer(answer, asked, now);
                        }
                    }
                }
            }
        }
    }

    /// Opens a connection again that has ended; what waited on it is lost.
    fn renew(&mut self, turn: usize) -> anyhow::Result<()> {
        let channel = &mut self.channels[turn];
        while channel.waiting.count() > 0 {
            channel.waiting.give_up_oldest();
            self.tally.lost += 1;
            self.waiting -= 1;
        }
        self.renewed += 1;
        channel.renew().context("a connection that ended cannot be opened again")
    }

    /// What was sent too long ago is lost.
    fn give_up(&mut self, now: u64) {
        for channel in &mut self.channels {
            while channel.waiting.oldest().is_some_and(|asked| asked.sent + self.timeout <= now) {
                channel.waiting.give_up_oldest();
                self.tally.lost += 1;
                self.waiting -= 1;
            }
        }
    }

    /// Until an answer comes, a query is due, or it is time to look around.
    fn sleep(&self, now: u64) -> io::Result<()> {
        let next = self.pacer.next().filter(|_| !self.pacer.is_over(now));
        let nanos = next.map_or(LOOK_AROUND, |next| next.saturating_sub(now).min(LOOK_AROUND));
        if nanos == 0 {
            return Ok(());
        }
        let mut fds: Vec<_> = (self.channels.iter())
            .map(|channel| {
                let out = if channel.is_unsent() { PollFlags::OUT } else { PollFlags::empty() };
                PollFd::from_borrowed_fd(channel.fd(), PollFlags::IN | out)
            })
            .collect();
        let wait =
            Timespec::try_from(Duration::from_nanos(nanos)).expect("a hundredth of a second");
        match poll(&mut fds, Some(&wait)) {
            Err(rustix::io::Errno::INTR) | Ok(_) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn is_ended(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

#[expect(clippy::disallowed_methods, reason = "real time is what is measured, at little cost")]
fn now() -> Instant {
    Instant::now()
}

/// Asks the kernel to wake this thread when it is due, not up to 50 µs later. Where it cannot, the
/// generator is late by so much, and says so.
fn precise_sleep() {
    let _ = std::fs::write("/proc/self/timerslack_ns", "1");
}

/// Time on a core so far.
fn cpu_nanos() -> anyhow::Result<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")
        .context("/proc/thread-self/schedstat")?;
    let field = text.split(' ').next().unwrap_or_default();
    field.parse().with_context(|| format!("/proc/thread-self/schedstat begins with {field:?}"))
}
