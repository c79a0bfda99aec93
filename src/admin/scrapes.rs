//! Scrapes: one at a time, and one for all who wait.
//!
//! Summing and writing takes a core while it lasts, with many records tens of milliseconds. However
//! many ask at once, it is done once for all who asked before it began.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes;
use tokio::sync::Mutex;
use tokio::task::{JoinError, spawn_blocking};

use crate::metrics::Metrics;

/// Where scrapes come from.
#[derive(Debug)]
pub(super) struct Scrapes {
    metrics: Arc<Metrics>,
    /// How many have asked.
    asked: AtomicU64,
    latest: Mutex<Latest>,
}

/// A text, and how many had asked when it was begun.
#[derive(Debug, Default)]
struct Latest {
    asked: u64,
    text: Bytes,
}

impl Scrapes {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, asked: AtomicU64::new(0), latest: Mutex::default() }
    }

    /// The text as of now or later.
    ///
    /// # Errors
    /// When it could not be made, by a fault of this program.
    pub(super) async fn text(&self) -> Result<Bytes, JoinError> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let mut latest = self.latest.lock().await;
        if latest.asked < number {
            let asked = self.asked.load(Ordering::Relaxed);
            let metrics = Arc::clone(&self.metrics);
            // It is done on a thread that may wait.
            let text = spawn_blocking(move || metrics.text()).await?;
            *latest = Latest { asked, text: text.into() };
        }
        Ok(latest.text.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_scrape_knows_all_that_was_counted_before_it() {
        let metrics = Metrics::new();
        let scrapes = Scrapes::new(Arc::clone(&metrics));
        for count in 1..4 {
            metrics.connections().accepted();
            let text = scrapes.text().await.unwrap();
            let line = format!("\ntrimtab_dns_tcp_accepted_total {count}\n");
            assert!(String::from_utf8_lossy(&text).contains(&line));
        }
    }

    #[tokio::test]
    async fn all_who_wait_share_one() {
        let scrapes = Arc::new(Scrapes::new(Metrics::new()));
        let first = scrapes.latest.lock().await;
        let waiting: Vec<_> = (0..50)
            .map(|_| {
                let scrapes = Arc::clone(&scrapes);
                tokio::spawn(async move { scrapes.text().await.unwrap() })
            })
            .collect();
        while scrapes.asked.load(Ordering::Relaxed) < 50 {
            tokio::task::yield_now().await;
        }
        drop(first);
        let mut texts = Vec::new();
        for text in waiting {
            texts.push(text.await.unwrap());
        }
        // The same octets, not only equal ones.
        assert!(texts.iter().all(|text| text.as_ptr() == texts[0].as_ptr()));
    }
}
