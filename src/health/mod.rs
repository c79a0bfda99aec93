//! Health, purely: what was observed, how it is judged, what that makes of a pool.

mod observation;

pub use observation::{Observation, Outcome, Phases, Vantage};
