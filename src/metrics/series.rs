//! Series by label, for what is told rather than counted on the answering threads.
//!
//! Why not the `prometheus` crate's own vectors: it tells series apart by a hash of their label
//! values run together, so check `web` of 11.0.0.1 and check `web1` of 1.0.0.1 would be one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::core::{Collector, Desc};
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};

use super::table::{Def, Kind};

type Values<const N: usize, V> = BTreeMap<[Box<str>; N], Arc<Mutex<V>>>;

/// One series' value, for those who change it often: finding it by its labels costs more than that.
#[derive(Debug)]
pub(super) struct Cell<V>(Arc<Mutex<V>>);

impl<V> Cell<V> {
    /// Changes the value.
    pub(super) fn update(&self, change: impl FnOnce(&mut V)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// One metric's series: a value for each combination of its `N` labels.
#[derive(Debug)]
pub(super) struct Series<const N: usize, V> {
    def: &'static Def,
    desc: Arc<Desc>,
    values: Arc<Mutex<Values<N, V>>>,
}

impl<const N: usize, V> Series<N, V> {
    /// No series yet, of a metric that has `N` labels.
    pub(super) fn new(def: &'static Def) -> Self {
        Self { def, desc: Arc::new(def.desc()), values: Arc::default() }
    }

    /// Changes the value at these labels, which starts at what `default` gives.
    pub(super) fn update(&self, labels: [&str; N], change: impl FnOnce(&mut V))
    where
        V: Default,
    {
        // Both under one lock: no scrape sees it in between.
        let mut values = self.lock();
        let value = values.entry(labels.map(Into::into)).or_default();
        change(&mut value.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The value at these labels; `first` where there is none yet. Once the series has been removed,
    /// changing it shows nowhere.
    pub(super) fn cell(&self, labels: [&str; N], first: V) -> Cell<V> {
        let new = || Arc::new(Mutex::new(first));
        Cell(Arc::clone(self.lock().entry(labels.map(Into::into)).or_insert_with(new)))
    }

    /// Removes the series of which `keep` says no.
    pub(super) fn retain(&self, keep: impl Fn([&str; N]) -> bool) {
        self.lock().retain(|labels, _| keep(labels.each_ref().map(|label| &**label)));
    }

    fn lock(&self) -> MutexGuard<'_, Values<N, V>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<const N: usize, V> Clone for Series<N, V> {
    fn clone(&self) -> Self {
        Self { def: self.def, desc: Arc::clone(&self.desc), values: Arc::clone(&self.values) }
    }
}

impl<const N: usize, V: Value> Collector for Series<N, V> {
    fn desc(&self) -> Vec<&Desc> {
        vec![&*self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let values = self.lock();
        let metrics = values.iter().map(|(labels, value)| {
            let labels = self.def.labels.iter().copied().zip(labels.iter().map(|label| &**label));
            let mut metric = metric(labels);
            let value = value.lock().unwrap_or_else(PoisonError::into_inner);
            value.write(self.def, &mut metric);
            metric
        });
        vec![family(self.def, metrics.collect())]
    }
}

/// What a series can hold.
pub(super) trait Value: Default + Send + Sync {
    /// Puts it into a metric of the exposition.
    fn write(&self, def: &Def, metric: &mut Metric);
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub(super) struct Level(pub(super) u32);

/// A part of a whole, or a time, that goes up and down.
#[derive(Debug, Default)]
pub(super) struct Amount(pub(super) f64);

/// A number that grows.
#[derive(Debug, Default)]
pub(super) struct Count(pub(super) u64);

/// How many durations there were, by length.
#[derive(Debug, Default)]
pub(super) struct Durations {
    /// One for each bound; the longer ones are only in `count`.
    buckets: Vec<u64>,
    count: u64,
    sum_secs: f64,
}

impl Durations {
    /// Counts one.
    pub(super) fn observe(&mut self, secs: f64, bounds: &[f64]) {
        self.buckets.resize(bounds.len(), 0);
        let first = bounds.iter().take_while(|&&bound| bound < secs).count();
        if let Some(bucket) = self.buckets.get_mut(first) {
            *bucket += 1;
        }
        self.count += 1;
        self.sum_secs += secs;
    }
}

impl Value for Level {
    fn write(&self, _: &Def, metric: &mut Metric) {
        let mut gauge = Gauge::default();
        gauge.set_value(self.0.into());
        metric.set_gauge(gauge);
    }
}

impl Value for Amount {
    fn write(&self, _: &Def, metric: &mut Metric) {
        let mut gauge = Gauge::default();
        gauge.set_value(self.0);
        metric.set_gauge(gauge);
    }
}

impl Value for Count {
    fn write(&self, _: &Def, metric: &mut Metric) {
        set_count(metric, self.0);
    }
}

impl Value for Durations {
    fn write(&self, def: &Def, metric: &mut Metric) {
        let bounds = def.bounds().iter().copied();
        // There are no buckets before the first.
        let buckets = bounds.zip(self.buckets.iter().copied().chain(std::iter::repeat(0)));
        metric.set_histogram(histogram(buckets, self.count, self.sum_secs));
    }
}

/// Sets a metric's value as a counter.
pub(super) fn set_count(metric: &mut Metric, count: u64) {
    let mut counter = Counter::default();
    counter.set_value(count as f64);
    metric.set_counter(counter);
}

/// A histogram of so many in each bucket (bound, count), `count` in all.
pub(super) fn histogram(
    buckets: impl Iterator<Item = (f64, u64)>,
    count: u64,
    sum: f64,
) -> Histogram {
    let cumulative = buckets.scan(0, |below, (bound, count)| {
        *below += count;
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(*below);
        Some(bucket)
    });
    let mut histogram = Histogram::default();
    histogram.set_bucket(cumulative.collect());
    histogram.set_sample_count(count);
    histogram.set_sample_sum(sum);
    histogram
}

/// A metric with these labels and no value yet.
pub(super) fn metric<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Metric {
    let pairs = labels.into_iter().map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name(name.to_owned());
        pair.set_value(value.to_owned());
        pair
    });
    Metric::from_label(pairs.collect())
}

/// All series of one metric.
pub(super) fn family(def: &Def, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(def.name.to_owned());
    family.set_help(def.help.to_owned());
    family.set_field_type(match def.kind {
        Kind::Counter => MetricType::COUNTER,
        Kind::Gauge => MetricType::GAUGE,
        Kind::Histogram(_) => MetricType::HISTOGRAM,
    });
    family.set_metric(metrics);
    family
}
