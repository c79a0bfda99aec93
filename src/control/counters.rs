//! The metrics of a target's results, found once: looking them up by their labels for each result would
//! cost as much as all else that is done with it.

use std::net::IpAddr;
use std::time::Duration;

use super::tracked::Tracked;
use crate::metrics::{CheckResults, CheckUp, Metrics};
use crate::routing::Assembly;

/// Where the results of one target are counted.
#[derive(Debug)]
pub(super) struct Counters {
    /// One for each region whose pools it concerns.
    results: Vec<CheckResults>,
    /// One for each address that it stands for.
    up: Vec<CheckUp>,
}

impl Counters {
    /// Those of a target, which has been observed.
    pub(super) fn new(metrics: &Metrics, assembly: &Assembly, tracked: &Tracked) -> Self {
        let is_up = tracked.is_up();
        let check = &tracked.target.check.name;
        let (mut counted, mut results, mut up) = (Vec::new(), Vec::new(), Vec::new());
        for (pool, addresses) in &tracked.pools {
            let region = assembly.pools[pool.index()].region;
            let name = &assembly.regions[region.index()].name;
            if !counted.contains(&region) {
                counted.push(region);
                results.push(metrics.check_results(name, check));
            }
            let pool = &assembly.pools[pool.index()];
            let shown =
                |address: &IpAddr| metrics.check_up(name, check, &pool.shown(*address), is_up);
            up.extend(addresses.iter().map(shown));
        }
        Self { results, up }
    }

    /// Counts one result, and shows what it made of the target.
    pub(super) fn count(&self, passed: Option<bool>, took: Duration, up: bool) {
        self.results.iter().for_each(|results| results.count(passed, took));
        self.up.iter().for_each(|shown| shown.set(up));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::state::State;
    use super::super::tests::{assembly_of, check, nothing};
    use super::*;
    use crate::clock;
    use crate::model::{OnAllDown, PoolId, TargetId};

    #[tokio::test]
    async fn a_region_counts_a_result_once_whatever_pools_it_has() {
        let assembly = assembly_of(&[(0, 1)], &check("web"), OnAllDown::Open, None);
        let (metrics, now) = (Metrics::new(), clock::now());
        let mut state = State::new(Arc::clone(&assembly), &nothing, now);
        let tracked = state.find(TargetId(0)).unwrap();
        // As if a record had endpoints of its own there.
        tracked.pools.push((PoolId(0), vec![[192, 0, 2, 9].into()]));
        let counters = Counters::new(&metrics, &assembly, tracked);
        counters.count(Some(true), Duration::ZERO, true);
        counters.count(Some(false), Duration::ZERO, false);
        let text = metrics.text();
        for shown in [
            r#"results_total{region="r0",check="web",result="pass"} 1"#,
            r#"results_total{region="r0",check="web",result="fail"} 1"#,
            r#"seconds_count{region="r0",check="web"} 2"#,
            r#"check_up{region="r0",check="web",address="192.0.0.1"} 0"#,
            r#"check_up{region="r0",check="web",address="192.0.2.9"} 0"#,
        ] {
            assert!(text.lines().any(|line| line.ends_with(shown)), "{shown} in {text}");
        }
    }
}
