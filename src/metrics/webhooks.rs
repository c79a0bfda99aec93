//! What webhooks tell: what became of events, what waits, and since when.

use super::handle::Metrics;
use crate::clock::SystemTime;

/// For those who tell of events over HTTP.
impl Metrics {
    /// The webhooks that there are; all others vanish.
    pub fn webhooks(&self, live: &[&str]) {
        let gauges = &self.gauges;
        gauges.webhook_deliveries.retain(|[webhook, _]| live.contains(&webhook));
        gauges.webhook_queue.retain(|[webhook]| live.contains(&webhook));
        gauges.webhook_success.retain(|[webhook]| live.contains(&webhook));
        for webhook in live {
            // They exist from the start, so that the first one shows as an increase.
            for result in ["delivered", "failed", "dropped"] {
                gauges.webhook_deliveries.update([webhook, result], |_| ());
            }
            gauges.webhook_queue.update([webhook], |_| ());
            gauges.webhook_success.update([webhook], |_| ());
        }
    }

    /// So many events for a webhook were delivered, were given up (failed), or had no room (dropped).
    pub fn webhook_events(&self, webhook: &str, result: &str, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.gauges.webhook_deliveries.update([webhook, result], |n| n.0 += count);
    }

    /// So many events wait for a webhook.
    pub fn webhook_queue(&self, webhook: &str, length: usize) {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.gauges.webhook_queue.update([webhook], |level| level.0 = length);
    }

    /// A webhook took something at this time.
    pub fn webhook_success(&self, webhook: &str, at: SystemTime) {
        let unix = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let unix = u32::try_from(unix).unwrap_or(u32::MAX);
        self.gauges.webhook_success.update([webhook], |level| level.0 = unix);
    }
}
