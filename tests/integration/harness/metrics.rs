//! A scrape, read back.

use std::collections::BTreeMap;

/// Every series of a scrape, by its name with its labels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Reads Prometheus text; panics on a line that is none.
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let series = lines.map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line:?}"));
            (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line:?}")))
        });
        Self(series.collect())
    }

    /// The value of a series, as it is written in the text: `name{label="value"}`.
    pub(crate) fn find(&self, series: &str) -> Option<f64> {
        self.0.get(series).copied()
    }

    /// The value of a series that must be there.
    #[track_caller]
    pub(crate) fn value(&self, series: &str) -> f64 {
        let near = || {
            let name = series.split('{').next().unwrap_or_default();
            self.0.keys().filter(|key| key.starts_with(name)).cloned().collect::<Vec<_>>()
        };
        self.find(series).unwrap_or_else(|| panic!("no {series} among {:#?}", near()))
    }

    /// The series of one name that differ from `before`, with the difference.
    pub(crate) fn growth(&self, before: &Self, name: &str) -> Vec<(String, f64)> {
        let of_name = |series: &str| series.strip_prefix(name).is_some_and(|r| r.starts_with('{'));
        let grown = self.0.iter().filter(|(series, _)| of_name(series)).map(|(series, value)| {
            (series.clone(), value - before.find(series).unwrap_or_default())
        });
        grown.filter(|(_, by)| *by != 0.0).collect()
    }
}
