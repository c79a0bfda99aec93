//! The only source of time in the crate.
//!
//! Everything else takes `now` as an argument or calls these functions, so that tests can
//! pause time. Calls to `Instant::now` and `SystemTime::now` elsewhere are refused by clippy's
//! `disallowed_methods`.

pub use std::time::{Duration, Instant, SystemTime};

/// The monotonic time; stands still while a test has paused the runtime's clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The wall clock, for what people read and for what is stored across restarts.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// The system's own clock since it was started, which nobody sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uptime {
    /// Which start of the system it counts from.
    pub boot: String,
    /// For how long it has been running, being suspended included.
    pub elapsed: Duration,
}

/// For how long the system has been running; `None`: it does not say which start that was.
#[must_use]
pub fn uptime() -> Option<Uptime> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let elapsed = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let secs = u64::try_from(elapsed.tv_sec).ok()?;
    let nanos = u32::try_from(elapsed.tv_nsec).ok()?;
    Some(Uptime { boot: boot.trim().into(), elapsed: Duration::new(secs, nanos) })
}
