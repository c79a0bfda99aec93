//! A steady stream of queries beside a test, each of which must be answered, and rightly.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, spawn};

use super::dns::{Client, Question, Reply};
use super::wait::until;

/// A running stream: the next query is sent as soon as the last is answered.
#[derive(Debug)]
pub(crate) struct Stream {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Stream {
    /// Asks these questions in turn; `judge` panics on a wrong answer.
    pub(crate) fn start(
        to: SocketAddr,
        questions: Vec<Question>,
        mut judge: impl FnMut(&Reply) + Send + 'static,
    ) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (end, count) = (Arc::clone(&stop), Arc::clone(&answered));
        let thread = spawn(move || {
            let mut client = Client::new(to);
            for question in questions.iter().cycle() {
                if end.load(Ordering::Relaxed) {
                    break;
                }
                judge(&client.ask(question));
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { stop, answered, thread: Some(thread) }
    }

    /// How many have been answered.
    pub(crate) fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// Waits for so many more answers.
    #[track_caller]
    pub(crate) fn wait_for(&self, more: usize) {
        let enough = self.answered() + more;
        until("the stream of queries goes on", || {
            let ended = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
            assert!(!ended, "a query was not answered, or wrongly");
            (self.answered() >= enough).then_some(())
        });
    }

    /// Ends the stream; panics when an answer was missing or wrong. How many there were.
    #[track_caller]
    pub(crate) fn finish(mut self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && let Err(panic) = thread.join()
        {
            std::panic::resume_unwind(panic);
        }
        self.answered()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
