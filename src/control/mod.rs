//! The single writer: everything that changes what is served passes through here, in one order.
//!
//! [`apply()`] is pure: what an event does to the state, and what is to be done about it. `run`
//! does it: publishes, tells, stores.

mod aliases;
mod apply;
mod arrangement;
mod calms;
pub mod command;
mod counters;
mod events;
#[cfg(test)]
mod forcing;
mod foresight;
mod helm;
mod in_force;
mod looking;
#[cfg(test)]
mod lookups;
#[cfg(test)]
mod lots;
mod measured;
mod memory;
mod noting;
mod overrides;
mod past;
mod plans;
#[cfg(test)]
mod remembering;
mod replies;
mod requests;
mod run;
mod self_check;
mod state;
pub mod store;
mod tell;
#[cfg(test)]
mod tests;
mod timeline;
#[cfg(test)]
mod times;
mod timing;
mod tracked;
mod turns;
pub mod views;

pub use aliases::{Alias, News};
pub use apply::{Effects, Event, apply};
pub use foresight::Foreseen;
pub use helm::{CheckFilter, EventFilter, Gone, Helm, Origin, RecordFilter, Request};
pub use memory::LastGood;
pub use overrides::Overrides;
pub use past::Past;
pub use plans::Plans;
pub use replies::Reply;
pub use run::{Control, Reloaded, Wall, Wiring};
pub use state::State;
pub use timeline::Timeline;
