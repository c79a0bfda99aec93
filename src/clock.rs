//! The only source of time in the crate.
//!
//! Everything else takes `now` as an argument or calls these two functions, so that tests can
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
