//! The threads that answer over TCP.
//!
//! They are apart from those on which probes, health and the admin pages run: however busy hostile
//! connections keep them, no probe is late for it, and so no region is taken to be down. UDP has
//! threads of its own anyway.

use std::io;

use tokio::runtime::{Builder, EnterGuard, Runtime};

/// A runtime for connections. Its tasks are abandoned when it is dropped.
#[derive(Debug)]
pub(super) struct TcpThreads {
    runtime: Option<Runtime>,
}

impl TcpThreads {
    /// As many as there are cores.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn start() -> io::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("tcp")
            .enable_all()
            .build()?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// Until the guard is dropped, what this thread spawns and listens to is theirs.
    pub(super) fn enter(&self) -> Option<EnterGuard<'_>> {
        self.runtime.as_ref().map(Runtime::enter)
    }
}

impl Drop for TcpThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed where this is dropped, and there is nothing to wait for.
            runtime.shutdown_background();
        }
    }
}
