//! Health, purely: what was observed, how it is judged, what that makes of a pool.

mod judge;
mod observation;
mod pool;

pub use judge::{Health, LastResult, RECHECK, State, Transition, judge};
pub use observation::{Observation, Outcome, Phases, Report, Vantage};
pub use pool::{FamilyHealth, PoolHealth, pool_health};
