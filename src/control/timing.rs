//! How far the regions are from this nameserver, by the probes that it makes anyway.
//!
//! Each target that is probed where it is served has a smoothed time to connect: one round trip. A
//! region's figure is the least of its targets', for that is the way there and the others the same way
//! with something in it. It stays while a region is down: who does not connect says nothing. What
//! routing is given moves only when the figure has moved by more than the tolerance from what is in
//! force, so that noise does not move clients.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::RegionId;
use crate::routing::Assembly;

/// One part in so many of the newest figure goes into the smoothed one.
const SMOOTHING: u32 = 8;

/// A smoothed figure with a newer one taken in.
pub(super) fn smoothed(was: Option<Duration>, newest: Duration) -> Duration {
    match was {
        None => newest,
        Some(was) => (was * (SMOOTHING - 1) + newest) / SMOOTHING,
    }
}

/// The figures that routing is given, by region.
#[derive(Debug, Default)]
pub(super) struct Timing {
    pub(super) in_force: Arc<[Option<Duration>]>,
}

impl Timing {
    /// For an assembly, from the targets' figures of each region, and those known of it before.
    pub(super) fn new(
        assembly: &Assembly,
        figure: impl Fn(RegionId) -> Option<Duration>,
        before: &HashMap<Arc<str>, Duration>,
    ) -> Self {
        let Some(timed) = assembly.timed() else { return Self::default() };
        let regions = (0..).map(RegionId).zip(&assembly.regions);
        let in_force = regions.map(|(id, region)| {
            let figure = figure(id).filter(|_| timed.region(id))?;
            let before = before.get(&region.name).copied();
            Some(before.filter(|before| !moved(*before, figure, timed.tolerance)).unwrap_or(figure))
        });
        Self { in_force: in_force.collect() }
    }

    /// A region's figure is this now. Returns whether that moves what is in force.
    pub(super) fn moves(
        &mut self,
        assembly: &Assembly,
        region: RegionId,
        figure: Duration,
    ) -> bool {
        let Some(timed) = assembly.timed().filter(|timed| timed.region(region)) else {
            return false;
        };
        let was = self.in_force.get(region.index()).copied().flatten();
        let moves = was.is_none_or(|was| moved(was, figure, timed.tolerance));
        if moves && let Some(place) = Arc::make_mut(&mut self.in_force).get_mut(region.index()) {
            *place = Some(figure);
        }
        moves
    }

    /// What is in force, by name.
    pub(super) fn by_name(&self, assembly: &Assembly) -> HashMap<Arc<str>, Duration> {
        let known = assembly.regions.iter().zip(self.in_force.iter());
        known.filter_map(|(region, rtt)| Some((Arc::clone(&region.name), (*rtt)?))).collect()
    }
}

fn moved(was: Duration, is: Duration, tolerance: Duration) -> bool {
    was.abs_diff(is) > tolerance
}
