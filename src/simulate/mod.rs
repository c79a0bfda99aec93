//! Would we be all right? What regions bear now, and what each would bear if others died: from the same
//! compile that serves, weighted by who asks.
//!
//! Numbers in, numbers out: no I/O, no time. Who asks is a [`Mix`]: as it was measured, as it was given,
//! or nothing, when all records and classes of clients count alike; each result says which.

mod board;
mod given;
mod mix;
mod moves;
mod scenario;
mod shares;
mod text;
mod verdict;
mod views;
mod weigh;

pub use board::{Known, board};
pub use given::{Row, read};
pub use mix::Mix;
pub use shares::{Demand, Shares, appearances, demand, healthy, loads, parts, shares};
pub use text::{figure, percent};
pub use views::{
    Basis, BasisKind, Board, DemandView, Movement, Reason, RegionLoad, RegionPart, Scenario,
    Verdict,
};
