//! The handle to all metrics.

use std::sync::Arc;

use prometheus::process_collector::ProcessCollector;
use prometheus::{Registry, TEXT_FORMAT, TextEncoder};

use super::block::Block;
use super::collect::{Blocks, Sum};
use super::connections::{Connections, Told};
use super::gauges::Gauges;
use super::labels::Proto;
use super::query_log::QueryLog;
use super::tally::Tally;
use crate::model::Family;

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = TEXT_FORMAT;

/// All metrics of one process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub(super) blocks: Arc<Blocks>,
    connections: Arc<Connections>,
    query_log: Arc<QueryLog>,
    pub(super) gauges: Gauges,
}

impl Metrics {
    /// All metrics, at zero.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let registry = Registry::new();
        let gauges = Gauges::new(&registry);
        let blocks = Arc::new(Blocks::new());
        let connections = Arc::new(Connections::new());
        let query_log = Arc::new(QueryLog::new());
        let collectors: [Box<dyn prometheus::core::Collector>; 3] = [
            Box::new(Sum::of(Arc::clone(&blocks), Arc::clone(&query_log))),
            Box::new(Told::of(Arc::clone(&connections))),
            Box::new(ProcessCollector::for_self()),
        ];
        for collector in collectors {
            registry.register(collector).expect("no name stands twice in the table");
        }
        Arc::new(Self { registry, blocks, connections, query_log, gauges })
    }

    /// Counters for one answering thread, which it keeps for its life; a thread that takes over
    /// after a fault takes the block over too. `shared`: several threads count in it, as TCP's do.
    #[must_use]
    pub fn block(&self, proto: Proto, family: Family, shared: bool) -> Arc<Block> {
        self.blocks.block(proto, family, shared)
    }

    /// The counters of connections over TCP.
    #[must_use]
    pub fn connections(&self) -> Arc<Connections> {
        Arc::clone(&self.connections)
    }

    /// The counters of those who write the query log.
    #[must_use]
    pub fn query_log(&self) -> Arc<QueryLog> {
        Arc::clone(&self.query_log)
    }

    /// The answers of each region so far, all records together: an answer with addresses of several regions
    /// counts for each.
    #[must_use]
    pub fn answers_by_region(&self) -> Vec<(String, u64)> {
        self.blocks.answers_by_region()
    }

    /// The number under which [`Block::answer`] counts a region's answers (or those for one
    /// record, with `metrics.per_record`). The same labels always give the same number.
    ///
    /// To be called for all columns that tables use before the tables are published, so that no
    /// block has to grow while it counts. Past about a million, the number is that of `other`.
    #[must_use]
    pub fn column(&self, region: &str, record: Option<&str>) -> u32 {
        self.blocks.column(region, record)
    }

    /// Has all answering threads count in a tally from now on. To be called before tables that count in
    /// it are published, so that no shard has to be made while a query is answered.
    pub fn count_in(&self, tally: &Arc<Tally>) {
        self.blocks.count_in(tally);
    }

    /// What a scrape gets: the text exposition format 0.0.4.
    #[must_use]
    pub fn text(&self) -> String {
        self.gauges.refresh();
        let mut text = String::new();
        // It can only fail for a family without a name or series, and gathering leaves none.
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "the metrics cannot be written as text");
        }
        text
    }
}
