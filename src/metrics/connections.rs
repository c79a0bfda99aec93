//! Connections of DNS over TCP: how many came, how many are open, and how the others ended.

use std::array;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use prometheus::core::{Collector, Desc};
use prometheus::proto::{Gauge, Metric, MetricFamily};

use super::labels::End;
use super::series::{family, metric, set_count};
use super::table::{Def, TCP_ACCEPT_ERRORS, TCP_ACCEPTED, TCP_CLOSED, TCP_OPEN};

/// The counters of all listeners together.
#[derive(Debug)]
pub struct Connections {
    accepted: AtomicU64,
    accept_errors: AtomicU64,
    closed: [AtomicU64; End::ALL.len()],
}

impl Connections {
    pub(super) fn new() -> Self {
        Self {
            accepted: AtomicU64::new(0),
            accept_errors: AtomicU64::new(0),
            closed: array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// A connection was accepted.
    pub fn accepted(&self) {
        self.accepted.fetch_add(1, Relaxed);
    }

    /// One that had been accepted has ended.
    pub fn closed(&self, end: End) {
        if let Some(count) = self.closed.get(end as usize) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// The system did not hand over a connection.
    pub fn accept_failed(&self) {
        self.accept_errors.fetch_add(1, Relaxed);
    }
}

/// What the registry asks when it gathers.
pub(super) struct Told {
    connections: Arc<Connections>,
    descs: Vec<Desc>,
}

impl Told {
    /// What is told of these connections.
    pub(super) fn of(connections: Arc<Connections>) -> Self {
        let defs = [&TCP_OPEN, &TCP_ACCEPTED, &TCP_CLOSED, &TCP_ACCEPT_ERRORS];
        Self { connections, descs: defs.into_iter().map(Def::desc).collect() }
    }
}

impl Collector for Told {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Connections { accepted, accept_errors, closed } = &*self.connections;
        // In this order, so that none has ended that has not come.
        let closed = closed.each_ref().map(|count| count.load(Relaxed));
        let accepted = accepted.load(Relaxed);
        let mut open = Gauge::default();
        open.set_value(accepted.saturating_sub(closed.iter().sum()) as f64);
        let mut gauge = metric([]);
        gauge.set_gauge(open);
        let ends = End::ALL.into_iter().zip(closed);
        vec![
            family(&TCP_OPEN, vec![gauge]),
            family(&TCP_ACCEPTED, vec![counter([], accepted)]),
            family(
                &TCP_CLOSED,
                ends.map(|(end, count)| counter([("reason", end.label())], count)).collect(),
            ),
            family(&TCP_ACCEPT_ERRORS, vec![counter([], accept_errors.load(Relaxed))]),
        ]
    }
}

fn counter<const N: usize>(labels: [(&str, &str); N], count: u64) -> Metric {
    let mut metric = metric(labels);
    set_count(&mut metric, count);
    metric
}
