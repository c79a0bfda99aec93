//! When queries are due. Times are nanoseconds from the start.

/// What decides when a query is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    /// As soon as there is a place among so many outstanding ones.
    Closed { outstanding: u64 },
    /// So many a second, whatever comes back.
    Open { rate: f64 },
}

/// When to send no more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum End {
    /// After so many.
    Queries(u64),
    /// After so long.
    Nanos(u64),
}

/// Says what is due.
#[derive(Debug)]
pub(crate) struct Pacer {
    pace: Pace,
    end: End,
    burst: u64,
    sent: u64,
}

impl Pacer {
    /// Nothing is sent yet; `burst` queries go together.
    pub(crate) fn new(pace: Pace, end: End, burst: u32) -> Self {
        let burst = match pace {
            Pace::Closed { outstanding } => u64::from(burst).min(outstanding),
            Pace::Open { .. } => burst.into(),
        };
        Self { pace, end, burst: burst.max(1), sent: 0 }
    }

    /// How many queries may go now, when so many wait for their answers.
    pub(crate) fn due(&self, now: u64, waiting: u64) -> u64 {
        if self.is_over(now) {
            return 0;
        }
        let due = match self.pace {
            Pace::Closed { outstanding } => {
                let places = outstanding.saturating_sub(waiting);
                places - places % self.burst
            }
            Pace::Open { .. } => {
                let last = match self.end {
                    End::Nanos(end) => now.min(end.saturating_sub(1)),
                    End::Queries(_) => now,
                };
                (self.bursts_until(last) * self.burst).saturating_sub(self.sent)
            }
        };
        match self.end {
            End::Queries(queries) => due.min(queries.saturating_sub(self.sent)),
            End::Nanos(_) => due,
        }
    }

    /// Notes that a query is sent; returns when it was due. Latency counts from then, so that
    /// what a late generator or a stalled server has kept waiting is in it.
    pub(crate) fn take(&mut self, now: u64) -> u64 {
        let number = self.sent;
        self.sent += 1;
        match self.pace {
            Pace::Closed { .. } => now,
            Pace::Open { .. } => self.burst_at(number / self.burst),
        }
    }

    /// When the next query is due by the clock; none when one waits for an answer first.
    pub(crate) fn next(&self) -> Option<u64> {
        match self.pace {
            Pace::Closed { .. } => None,
            Pace::Open { .. } => Some(self.burst_at(self.sent / self.burst)),
        }
    }

    /// Whether nothing will be due any more.
    pub(crate) fn is_over(&self, now: u64) -> bool {
        match (self.end, self.pace) {
            (End::Queries(queries), _) => self.sent >= queries,
            (End::Nanos(end), Pace::Closed { .. }) => now >= end,
            // What was due within the time is sent, even when it is late.
            (End::Nanos(end), Pace::Open { .. }) => {
                self.sent >= self.bursts_until(end.saturating_sub(1)) * self.burst
            }
        }
    }

    /// How many have been sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    fn interval(&self) -> f64 {
        match self.pace {
            Pace::Closed { .. } => 0.0,
            Pace::Open { rate } => self.burst as f64 * 1e9 / rate,
        }
    }

    fn burst_at(&self, number: u64) -> u64 {
        (number as f64 * self.interval()) as u64
    }

    /// Bursts that are due at this time: the first is at once.
    fn bursts_until(&self, now: u64) -> u64 {
        let guess = (now as f64 / self.interval()) as u64;
        // What rounding may have made of it.
        (guess..).take_while(|number| self.burst_at(*number) <= now).count() as u64 + guess
    }
}
