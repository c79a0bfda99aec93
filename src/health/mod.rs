//! Health, purely: what was observed, how it is judged, what that makes of a pool.

mod address;
mod calming;
mod judge;
mod observation;
mod pool;
mod safety;

pub use calming::{Calmed, Calming, KeptCalming};
pub use judge::{Health, LastResult, RECHECK, State, Transition, judge};
pub use observation::{Observation, Outcome, Phases, Report, Vantage};
pub use pool::{FamilyHealth, Held, PoolHealth, pool_health};
pub use safety::kept;
