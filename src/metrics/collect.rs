//! Summing the blocks of all answering threads when somebody scrapes.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use prometheus::core::{Collector, Desc};
use prometheus::proto::{Metric, MetricFamily};

use super::block::Block;
use super::columns::{Column, Columns, OTHER};
use super::labels::{
    self, CookieStanding, DropReason, Limit, LimitAction, LogSink, Proto, RCODES, TYPES,
    TransferResult,
};
use super::query_log::QueryLog;
use super::series::{self, family};
use super::table::{
    ANSWERS, CLIENT_SUBNET, COOKIES, DROPPED, Def, QUERY_LOG_DROPPED, QUERY_LOG_WRITTEN,
    RATE_LIMITED, REQUEST_DURATION, REQUEST_SECS, REQUESTS, RESPONSES, TRANSFERS, TSIG_FAILURES,
};
use super::tally::Tally;
use crate::model::Family;
use crate::wire::tsig;

const NS_PER_SEC: f64 = 1e9;

/// All blocks, and the names of what their columns count.
#[derive(Debug)]
pub(super) struct Blocks {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    blocks: Vec<Arc<Block>>,
    columns: Columns,
    /// What counts by class of clients, as long as anybody has it.
    tallies: Vec<Weak<Tally>>,
}

impl Blocks {
    /// None yet.
    pub(super) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                blocks: Vec::new(),
                columns: Columns::new(),
                tallies: Vec::new(),
            }),
        }
    }

    /// A new block, with cells for all columns that there are.
    pub(super) fn block(&self, proto: Proto, family: Family, shared: bool) -> Arc<Block> {
        let mut inner = self.lock();
        let number = u32::try_from(inner.blocks.len()).unwrap_or(u32::MAX);
        let block = Arc::new(Block::new(proto, family, shared, number, inner.columns.len()));
        inner.blocks.push(Arc::clone(&block));
        let blocks = inner.blocks.len();
        inner.tallies.iter().filter_map(Weak::upgrade).for_each(|tally| tally.ensure(blocks));
        block
    }

    /// The number of a column. When this returns, every block has a cell for it.
    pub(super) fn column(&self, region: &str, record: Option<&str>) -> u32 {
        let mut inner = self.lock();
        let before = inner.columns.len();
        let column = Column { region: region.into(), record: record.map(Into::into) };
        let number = inner.columns.number(column);
        let columns = inner.columns.len();
        if columns > before {
            inner.blocks.iter().for_each(|block| block.answers.ensure(columns));
        }
        number
    }

    /// The answers of each region so far, all records together.
    pub(super) fn answers_by_region(&self) -> Vec<(String, u64)> {
        self.lock().answers_by_region()
    }

    /// Has all blocks count in a tally, those that come later as well.
    pub(super) fn count_in(&self, tally: &Arc<Tally>) {
        let mut inner = self.lock();
        tally.ensure(inner.blocks.len());
        inner.tallies.retain(|known| known.strong_count() > 0);
        inner.tallies.push(Arc::downgrade(tally));
    }

    /// Hides the columns that are not in `live`.
    pub(super) fn show_only(&self, live: &HashSet<u32>) {
        self.lock().columns.show_only(live);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the registry asks when it gathers.
pub(super) struct Sum {
    blocks: Arc<Blocks>,
    query_log: Arc<QueryLog>,
    descs: Vec<Desc>,
}

impl Sum {
    /// The sum of these blocks, and what was written of what they say.
    pub(super) fn of(blocks: Arc<Blocks>, query_log: Arc<QueryLog>) -> Self {
        let defs = [
            &REQUESTS,
            &RESPONSES,
            &ANSWERS,
            &CLIENT_SUBNET,
            &COOKIES,
            &RATE_LIMITED,
            &TSIG_FAILURES,
            &TRANSFERS,
            &DROPPED,
            &REQUEST_DURATION,
            &QUERY_LOG_WRITTEN,
            &QUERY_LOG_DROPPED,
        ];
        Self { blocks, query_log, descs: defs.into_iter().map(Def::desc).collect() }
    }
}

impl Collector for Sum {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let inner = self.blocks.lock();
        vec![
            family(&REQUESTS, inner.requests()),
            family(&RESPONSES, inner.responses()),
            family(&ANSWERS, inner.answers()),
            family(&CLIENT_SUBNET, inner.client_subnets()),
            family(&COOKIES, inner.cookies()),
            family(&RATE_LIMITED, inner.rate_limited()),
            family(&TSIG_FAILURES, inner.tsig_failures()),
            family(&TRANSFERS, inner.transfers()),
            family(&DROPPED, inner.dropped()),
            family(&REQUEST_DURATION, vec![inner.durations()]),
            family(&QUERY_LOG_WRITTEN, written(&self.query_log)),
            family(&QUERY_LOG_DROPPED, inner.unlogged(&self.query_log)),
        ]
    }
}

impl Inner {
    fn requests(&self) -> Vec<Metric> {
        let mut metrics = Vec::new();
        for proto in Proto::ALL {
            for family in Family::BOTH {
                for (at, label) in names(&TYPES) {
                    let count = self.sum(|block| {
                        (block.proto == proto && block.family == family)
                            .then(|| block.requests.get(at))?
                    });
                    let labels =
                        [("proto", proto.label()), ("family", family.label()), ("type", label)];
                    metrics.push(counter(labels, count));
                }
            }
        }
        metrics
    }

    fn responses(&self) -> Vec<Metric> {
        let mut metrics = Vec::new();
        for proto in Proto::ALL {
            for (at, label) in names(&RCODES) {
                let count =
                    self.sum(|block| (block.proto == proto).then(|| block.responses.get(at))?);
                metrics.push(counter([("proto", proto.label()), ("rcode", label)], count));
            }
        }
        metrics
    }

    fn answers(&self) -> Vec<Metric> {
        let mut metrics = Vec::new();
        for (number, column) in self.columns.shown() {
            let count = self.sum(|block| block.answers.cell(number));
            if number == OTHER && count == 0 {
                continue;
            }
            let mut labels = vec![("region", &*column.region)];
            labels.extend(column.record.as_deref().map(|record| ("record", record)));
            metrics.push(counter(labels, count));
        }
        metrics
    }

    fn answers_by_region(&self) -> Vec<(String, u64)> {
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for (number, column) in self.columns.shown() {
            let count = self.sum(|block| block.answers.cell(number));
            let sum = sums.entry(&column.region).or_default();
            *sum = sum.saturating_add(count);
        }
        sums.into_iter().map(|(region, count)| (region.into(), count)).collect()
    }

    fn client_subnets(&self) -> Vec<Metric> {
        let metric = |(at, label)| {
            let count = self.sum(|block| block.client_subnets.get(at));
            counter([("used", label)], count)
        };
        ["no", "yes"].into_iter().enumerate().map(metric).collect()
    }

    fn cookies(&self) -> Vec<Metric> {
        let metric = |standing: CookieStanding| {
            let count = self.sum(|block| block.cookies.get(standing as usize));
            counter([("cookie", standing.label())], count)
        };
        CookieStanding::ALL.into_iter().map(metric).collect()
    }

    fn rate_limited(&self) -> Vec<Metric> {
        let metric = |(limit, action): (Limit, LimitAction)| {
            let count = self.sum(|block| block.limited.get(limit as usize)?.get(action as usize));
            counter([("limit", limit.label()), ("action", action.label())], count)
        };
        let pairs = Limit::ALL.into_iter().flat_map(|limit| LimitAction::ALL.map(|a| (limit, a)));
        pairs.map(metric).collect()
    }

    fn tsig_failures(&self) -> Vec<Metric> {
        let metric = |error: tsig::Error| {
            let count = self.sum(|block| block.tsig_failures.get(error as usize));
            counter([("error", error.label())], count)
        };
        tsig::Error::ALL.into_iter().map(metric).collect()
    }

    fn transfers(&self) -> Vec<Metric> {
        let metric = |result: TransferResult| {
            let count = self.sum(|block| block.transfers.get(result as usize));
            counter([("result", result.label())], count)
        };
        TransferResult::ALL.into_iter().map(metric).collect()
    }

    fn dropped(&self) -> Vec<Metric> {
        let metric = |reason: DropReason| {
            let count = self.sum(|block| block.dropped.get(reason as usize));
            counter([("reason", reason.label())], count)
        };
        DropReason::ALL.into_iter().map(metric).collect()
    }

    /// What found a full queue, and what was taken from one in vain.
    fn unlogged(&self, query_log: &QueryLog) -> Vec<Metric> {
        let mut metrics = Vec::new();
        for (sink, lost) in LogSink::ALL.into_iter().zip(&query_log.lost) {
            let full = self.sum(|block| block.unlogged.get(sink as usize));
            for (reason, count) in [("full", full), ("lost", lost.load(Relaxed))] {
                metrics.push(counter([("sink", sink.label()), ("reason", reason)], count));
            }
        }
        metrics
    }

    fn durations(&self) -> Metric {
        let counts: Vec<_> =
            (0..=REQUEST_SECS.len()).map(|at| self.sum(|block| block.durations.get(at))).collect();
        let sum_ns = self.sum(|block| Some(&block.durations_sum_ns));
        let buckets = REQUEST_SECS.iter().copied().zip(counts.iter().copied());
        let histogram = series::histogram(buckets, counts.iter().sum(), sum_ns as f64 / NS_PER_SEC);
        let mut metric = series::metric([]);
        metric.set_histogram(histogram);
        metric
    }

    fn sum<'a>(&'a self, cell: impl Fn(&'a Block) -> Option<&'a AtomicU64>) -> u64 {
        let cells = self.blocks.iter().filter_map(|block| cell(block));
        cells.fold(0, |sum, cell| sum.wrapping_add(cell.load(Relaxed)))
    }
}

fn written(query_log: &QueryLog) -> Vec<Metric> {
    let sinks = LogSink::ALL.into_iter().zip(&query_log.written);
    sinks.map(|(sink, count)| counter([("sink", sink.label())], count.load(Relaxed))).collect()
}

/// The positions of counters by code and their labels, the one for all others included.
fn names(codes: &[(u16, &'static str)]) -> impl Iterator<Item = (usize, &'static str)> {
    let known = codes.iter().map(|&(_, label)| label);
    known.chain([labels::OTHER]).enumerate()
}

fn counter<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>, count: u64) -> Metric {
    let mut metric = series::metric(labels);
    series::set_count(&mut metric, count);
    metric
}
