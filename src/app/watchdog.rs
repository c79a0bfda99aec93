//! The watchdog: word to the service manager that the process is well, for as long as it is.
//!
//! The words are sent by the task that obeys signals and reloads, between two of its steps and while it
//! waits for one, so a task that hangs sends none. Nor does it when the writer of snapshots has not come
//! round: answers would go on from what was once known, and a restart mends that.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::notify::Notify;
use crate::clock;

/// The writer comes round once a second; compiling a large configuration takes it some more.
const ROUND_MAX: Duration = Duration::from_secs(10);

/// Tells that all is well, as often as it is wanted.
#[derive(Debug)]
pub(super) struct Watchdog {
    notify: Notify,
    /// `None`: nobody wants to hear.
    timer: Option<Interval>,
    /// When the writer came round last.
    alive: watch::Receiver<Instant>,
    /// How long ago that may be.
    round_max: Duration,
    /// The log has it already that the writer hangs.
    told: bool,
}

impl Watchdog {
    /// One that is wanted once in `within`, or not at all; must be called within a runtime.
    pub(super) fn new(
        notify: Notify,
        within: Option<Duration>,
        alive: watch::Receiver<Instant>,
    ) -> Self {
        let half = within.map(|within| within / 2).filter(|half| !half.is_zero());
        let timer = half.map(|half| {
            let mut timer = interval(half);
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
            timer
        });
        let round_max = half.unwrap_or_default().max(ROUND_MAX);
        Self { notify, timer, alive, round_max, told: false }
    }

    /// Sends what is due, for as long as it is polled; it never ends.
    pub(super) async fn watch(&mut self) {
        let Some(timer) = &mut self.timer else { return std::future::pending().await };
        loop {
            timer.tick().await;
            let last = *self.alive.borrow();
            let ago = clock::now().saturating_duration_since(last);
            let well = ago <= self.round_max;
            if well {
                self.notify.alive();
            } else if !self.told {
                tracing::error!(
                    "what judges health and publishes has not come round for {} s: the service \
                     manager hears no more that all is well, and should restart this",
                    ago.as_secs()
                );
            }
            self.told = !well;
        }
    }

    /// Waits for work that takes its time, and goes on sending meanwhile.
    pub(super) async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            done = work => done,
            () = self.watch() => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use tempfile::TempDir;

    use super::*;

    const WITHIN: Duration = Duration::from_secs(30);

    /// A watchdog, the writer's end, and what it is heard to say.
    fn watchdog(
        within: Option<Duration>,
    ) -> (Watchdog, watch::Sender<Instant>, UnixDatagram, TempDir) {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("notify");
        let heard = UnixDatagram::bind(&path).unwrap();
        heard.set_nonblocking(true).unwrap();
        let notify = Notify::new(path.as_os_str()).unwrap();
        let (beat, alive) = watch::channel(clock::now());
        (Watchdog::new(notify, within, alive), beat, heard, dir)
    }

    fn heard(by: &UnixDatagram) -> usize {
        let mut buffer = [0; 100];
        let words =
            std::iter::from_fn(|| by.recv(&mut buffer).ok().map(|len| buffer[..len].to_vec()));
        words.inspect(|word| assert_eq!(word, b"WATCHDOG=1\n")).count()
    }

    /// A writer that comes round once a second, for so many of them.
    async fn comes_round(beat: &watch::Sender<Instant>, secs: u32) {
        for _ in 0..secs {
            tokio::time::sleep(Duration::from_secs(1)).await;
            beat.send_replace(clock::now());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_told_twice_in_the_time_while_the_writer_comes_round() {
        let (mut watchdog, beat, socket, _dir) = watchdog(Some(WITHIN));
        watchdog.during(comes_round(&beat, 61)).await;
        assert_eq!(heard(&socket), 5, "at once, and each 15 s");
    }

    #[tokio::test(start_paused = true)]
    async fn a_writer_that_hangs_ends_it_until_it_comes_round_again() {
        let (mut watchdog, beat, socket, _dir) = watchdog(Some(WITHIN));
        watchdog.during(comes_round(&beat, 31)).await;
        assert_eq!(heard(&socket), 3);
        watchdog.during(tokio::time::sleep(10 * WITHIN)).await;
        // At 45 s it was 14 s ago, which might yet be a large configuration.
        assert_eq!(heard(&socket), 1);
        watchdog.during(comes_round(&beat, 16)).await;
        assert!(heard(&socket) > 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_writer_that_ended_is_not_well_either() {
        let (mut watchdog, beat, socket, _dir) = watchdog(Some(WITHIN));
        drop(beat);
        watchdog.during(tokio::time::sleep(10 * WITHIN)).await;
        assert_eq!(heard(&socket), 2, "at once, and after 15 s");
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_poll_says_nothing() {
        let (mut watchdog, beat, socket, _dir) = watchdog(Some(WITHIN));
        comes_round(&beat, 61).await;
        assert_eq!(heard(&socket), 0);
        watchdog.during(comes_round(&beat, 1)).await;
        assert_eq!(heard(&socket), 1, "and does not catch up");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_wants_to_hear() {
        for within in [None, Some(Duration::ZERO)] {
            let (mut watchdog, beat, socket, _dir) = watchdog(within);
            watchdog.during(comes_round(&beat, 100)).await;
            assert_eq!(heard(&socket), 0);
        }
    }
}
