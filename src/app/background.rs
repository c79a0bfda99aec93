//! Work that takes its time: reading files, and building tables of them.
//!
//! A database is worked on for seconds, while queries are answered and targets probed on the same
//! cores. So it has a thread of its own that gives way: the scheduler wakes an answering thread, or
//! one that probes, in its place. What judges health and publishes it is never done here, for a
//! probe that is late takes a region for down.

use std::thread::Builder;

use rustix::process::nice;
use tokio::sync::oneshot;

/// Added to the nice value. Where all else is busy, a quarter of a core is left: a reload has somebody
/// who waits for it.
const GIVE_WAY: i32 = 5;

/// The system had no thread for it, or it panicked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("work in the background came to no end")]
pub(super) struct Failed;

/// Runs `work` on a thread that gives way to all others.
///
/// # Errors
/// When there is no thread for it, or when it panics.
pub(super) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failed> {
    let (done, result) = oneshot::channel();
    let run = move || {
        // A system that refuses leaves it as urgent as all else.
        let _ = nice(GIVE_WAY);
        // Who asked may have gone.
        let _ = done.send(work());
    };
    Builder::new().name("background".into()).spawn(run).map_err(|_| Failed)?;
    result.await.map_err(|_| Failed)
}

#[cfg(test)]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    fn priority() -> i32 {
        getpriority_process(None).unwrap()
    }

    #[tokio::test]
    async fn it_gives_way_and_nothing_else_does() {
        let before = priority();
        let during = in_background(priority).await;
        assert_eq!(during, Ok((before + GIVE_WAY).min(19)));
        assert_eq!(priority(), before);
    }

    #[tokio::test]
    async fn a_panic_is_told() {
        assert_eq!(in_background(|| assert_eq!(priority(), 99)).await, Err(Failed));
    }
}
