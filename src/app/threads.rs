//! The threads for connections: those of DNS over TCP, those of the admin pages, that of the probes,
//! and that of webhooks.
//!
//! They are apart from each other and from those on which health is judged and tables are made: however
//! busy hostile connections or a reload keep them, no probe is late for it, and so no region is taken to
//! be down. UDP has threads of its own anyway.

use std::io;

use tokio::runtime::{Builder, EnterGuard, Runtime};

/// A runtime for connections. Its tasks are abandoned when it is dropped.
#[derive(Debug)]
pub struct Threads {
    runtime: Option<Runtime>,
}

impl Threads {
    /// For DNS over TCP: as many as there are cores.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn tcp() -> io::Result<Self> {
        Self::start("tcp", std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// For the admin pages: one, so that they never take more than a core.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn admin() -> io::Result<Self> {
        Self::start("admin", 1)
    }

    /// For probes: one. Most of a probe is waiting, and its steps are short: handing them from thread
    /// to thread would cost as much again. Nor do probes ever take more than a core from answers.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn probes() -> io::Result<Self> {
        Self::start("probes", 1)
    }

    /// For webhooks: one, which is there once there is a hook. TLS takes time, and what judges health
    /// does not wait for it.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn webhooks() -> io::Result<Self> {
        Self::start("webhooks", 1)
    }

    fn start(name: &str, count: usize) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(count)
            .thread_name(name)
            .enable_all()
            .build()?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// Until the guard is dropped, what this thread spawns and listens to is theirs.
    #[must_use]
    pub fn enter(&self) -> Option<EnterGuard<'_>> {
        self.runtime.as_ref().map(Runtime::enter)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed where this is dropped, and there is nothing to wait for.
            runtime.shutdown_background();
        }
    }
}
