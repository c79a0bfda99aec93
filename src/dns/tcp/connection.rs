//! One connection, from its first octet to its end.
//!
//! Whatever a client does, there is a moment by which it must have done something else: sent a whole
//! message, however it trickles in, or taken the replies to its last ones.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep_until;

use super::input::Input;
use super::turn::Turn;
use super::{Entered, LAST_MESSAGES, TcpLimits, lock};
use crate::admission::Why;
use crate::clock;
use crate::dns::engine::{Ends, Transfer};
use crate::dns::transfer::Sending;
pub(super) use crate::metrics::End;
use crate::routing::Snapshot;

/// How long the last replies may take to be read once the server stops.
const LAST_REPLIES: Duration = Duration::from_secs(1);
/// How long a client may take to see that the connection ends behind its last reply.
const LINGER: Duration = Duration::from_secs(1);
/// How many octets it may have on the way by then.
const LINGER_OCTETS: usize = 64 << 10;

/// How long a transfer waits for its turn.
const TRANSFER_PLACE: Duration = Duration::from_secs(30);
/// How long a secondary may take to read one message of it, of up to 64 KiB.
const TRANSFER_MESSAGE: Duration = Duration::from_secs(30);

/// A connection that is served.
pub(super) struct Connection<'a> {
    stream: TcpStream,
    input: Input,
    ends: Ends,
    watch: Watch<'a>,
}

/// What may end a connection while it waits.
struct Watch<'a> {
    entered: &'a Entered,
    /// When the server was seen to stop.
    stopping: Option<Instant>,
}

impl<'a> Connection<'a> {
    pub(super) fn new(stream: TcpStream, client_port: u16, entered: &'a Entered) -> Self {
        let ends = Ends { client_port, server: stream.local_addr().ok() };
        let (input, watch) = (Input::default(), Watch { entered, stopping: None });
        Self { stream, input, ends, watch }
    }

    /// Serves it to its end, and tells what that was.
    pub(super) async fn serve(mut self) -> End {
        let Err(end) = self.messages().await;
        match end {
            End::NotDns | End::Stop => self.hang_up().await,
            // There are no replies on the way, or nobody who reads them: what they take is free at
            // once, and the client learns at once.
            End::Pressure | End::PerClient | End::Unread => _ = self.stream.set_zero_linger(),
            _ => {}
        }
        end
    }

    /// Answers messages in order, until something ends it.
    #[expect(clippy::arithmetic_side_effects, reason = "a deadline is an hour away at most")]
    async fn messages(&mut self) -> Result<std::convert::Infallible, End> {
        // Replies of one turn are written at once; nothing is gained by holding back their end.
        self.stream.set_nodelay(true).map_err(|_| End::Error)?;
        let limits = self.watch.entered.shared.limits();
        // What the client's machine does not take or confirm must not linger for minutes, be the
        // connection closed already (RFC 793 section 3.8).
        let socket = SockRef::from(&self.stream);
        socket.set_tcp_user_timeout(Some(limits.idle_timeout)).map_err(|_| End::Error)?;
        let mut late = End::FirstMessage;
        let mut deadline = clock::now() + limits.first_message_timeout.min(limits.idle_timeout);
        loop {
            let reading = self.stream.read_buf(self.input.room());
            if self.watch.bound(deadline, LAST_MESSAGES, late, reading).await? == 0 {
                return Err(End::Client);
            }
            while self.input.has_message() {
                self.watch.entered.heard();
                let limits = self.watch.entered.shared.limits();
                let snapshot = self.watch.entered.shared.handle.current();
                let Turn { replies, not_dns, transfer } = self.turn(&snapshot, &limits);
                self.send(&replies, limits.idle_timeout).await?;
                if let Some(transfer) = transfer {
                    self.transfer(snapshot, *transfer).await?;
                }
                if not_dns {
                    return Err(End::NotDns);
                }
                (late, deadline) = (End::Idle, clock::now() + limits.idle_timeout);
                // Others on this thread have their turn before the next.
                tokio::task::yield_now().await;
            }
        }
    }

    fn turn(&mut self, snapshot: &Snapshot, limits: &TcpLimits) -> Turn {
        let Entered { shared, listener, open, .. } = self.watch.entered;
        let (most, crowded) = (limits.max_in_flight, shared.is_crowded(limits));
        let ends = (open.from, self.ends);
        listener.desks.turn(snapshot, ends, &mut self.input, most, crowded)
    }

    /// Sends a zone as it is now, whatever is published meanwhile.
    #[expect(clippy::arithmetic_side_effects, reason = "a deadline is an hour away at most")]
    async fn transfer(&mut self, snapshot: Arc<Snapshot>, transfer: Transfer) -> Result<(), End> {
        let Entered { shared, listener, open, .. } = self.watch.entered;
        let mut sending = Sending::new(snapshot, transfer, open.from, Arc::clone(&listener.block));
        // The system's own patience is for replies; a secondary may pause while it writes.
        let patience = TRANSFER_MESSAGE.max(shared.limits().idle_timeout);
        let patient = SockRef::from(&self.stream).set_tcp_user_timeout(Some(patience));
        patient.map_err(|_| End::Error)?;
        let place = async { shared.transfers.acquire().await.map_err(io::Error::other) };
        let deadline = clock::now() + TRANSFER_PLACE;
        let _place = self.watch.bound(deadline, LAST_MESSAGES, End::Idle, place).await?;
        while let Some(message) = sending.next() {
            self.watch.entered.heard();
            self.send(message, TRANSFER_MESSAGE).await?;
        }
        Ok(())
    }

    /// Sends octets, all of which the client must have taken in time.
    #[expect(clippy::arithmetic_side_effects, reason = "a deadline is an hour away at most")]
    async fn send(&mut self, octets: &[u8], within: Duration) -> Result<(), End> {
        let deadline = clock::now() + within;
        let writing = self.stream.write_all(octets);
        self.watch.bound(deadline, LAST_REPLIES, End::Unread, writing).await
    }

    /// Ends it so that what was sent arrives. A socket that is closed while there is something to
    /// read resets the connection, and the client may then lose replies that it has not read.
    #[expect(clippy::arithmetic_side_effects, reason = "a deadline is an hour away at most")]
    async fn hang_up(&mut self) {
        let Self { stream, watch, .. } = self;
        let discard = async {
            stream.shutdown().await?;
            let (mut left, mut octets) = (LINGER_OCTETS, [0; 1024]);
            while left > 0 {
                match stream.read(&mut octets).await? {
                    0 => break,
                    read => left = left.saturating_sub(read),
                }
            }
            Ok(())
        };
        let _ = watch.bound(clock::now() + LINGER, LINGER, End::Error, discard).await;
    }
}

impl Watch<'_> {
    /// Waits for `io` up to a deadline, and no longer than `last` once the server stops. The
    /// connection ends when that is over (by `late`, unless the server stops), when `io` fails, or
    /// when its place is given to another.
    #[expect(clippy::arithmetic_side_effects, reason = "a deadline is an hour away at most")]
    async fn bound<T>(
        &mut self,
        deadline: Instant,
        last: Duration,
        late: End,
        io: impl Future<Output = io::Result<T>>,
    ) -> Result<T, End> {
        let Entered { shared, open, .. } = self.entered;
        let mut io = std::pin::pin!(io);
        loop {
            let until = self.stopping.map_or(deadline, |since| deadline.min(since + last));
            // What is never short of input would never get to wait.
            if clock::now() >= until {
                return Err(self.stopping.map_or(late, |_| End::Stop));
            }
            tokio::select! {
                biased;
                () = open.close.cancelled() => return Err(match *lock(&open.why) {
                    Why::All => End::Pressure,
                    Why::Client => End::PerClient,
                }),
                () = shared.stop.cancelled(), if self.stopping.is_none() => {
                    self.stopping = Some(clock::now());
                }
                done = io.as_mut() => return done.map_err(|_| End::Error),
                () = sleep_until(until.into()) => {}
            }
        }
    }
}
