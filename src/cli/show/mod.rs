//! What servers tell, as text for people: plain functions of what was told.
//!
//! Whatever comes from a server passes through [`clean`], so that nothing a check saw and nobody's
//! reason can move the cursor of the terminal that it is read on.

mod aliases;
mod board;
mod changes;
mod checks;
mod done;
mod event;
#[cfg(test)]
pub(super) mod examples;
mod overrides;
mod plans;
mod regions;
mod risk;
mod status;
mod table;
#[cfg(test)]
mod tests;
mod times;
mod told;
mod trouble;
mod words;

pub(super) use board::board;
use changes::changes;
pub(super) use checks::checks;
pub(super) use done::{Did, done};
pub(super) use event::event;
pub(super) use overrides::what;
pub(super) use plans::{plan, plans};
pub(super) use status::status;
pub(super) use table::{Align, Cell, Table};
pub(super) use times::stamp;
pub(super) use told::{outcome, print};
pub(super) use trouble::trouble;
pub(super) use words::{clean, health, percent, shares_of};
