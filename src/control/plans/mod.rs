//! Plans: shifts in stages, drills and maintenance windows. What is planned is told by [`Plans`], what it
//! comes to by [`Effects`], what happens next by [`step`]: all pure. The writer steps them once a second.

mod attempt;
mod effects;
mod list;
mod measure;
mod report;
mod showing;
mod sight;
mod step;
mod stepping;
mod watch;
mod windows;

pub use list::Plans;

pub(super) use attempt::Planned;
pub(super) use effects::{Effects, Ttls, When, ttls};
pub(super) use measure::Measure;
pub(super) use report::verdict;
pub(super) use showing::sentence;
pub(super) use step::Queried;
pub(super) use stepping::Told;
pub(super) use watch::watches;
pub(super) use windows::phase_word;
