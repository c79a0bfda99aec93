//! From configured policy and judged health to what the answering threads draw from.
//!
//! A policy tree exists only until [`compile()`] flattens it: for each class of clients and each
//! address family into one distribution over finished answers. All of it is pure but `publish`.

mod assembly;
mod bands;
mod classes;
mod compile;
mod counting;
mod distribution;
mod draw;
pub mod explain;
mod forces;
mod inputs;
mod levels;
mod offer;
mod options;
mod places;
mod publish;
mod rate_limit;
mod settle;
mod sight;
mod snapshot;
mod stand_ins;
mod sticky;
mod timed;
mod transfers;

#[cfg(test)]
mod compiling;
#[cfg(test)]
mod forcing;
#[cfg(test)]
mod placing;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod shifting;
#[cfg(test)]
mod sticking;
#[cfg(test)]
mod tables;

pub use assembly::{Assembly, Parts};
pub use bands::bands_of;
pub use compile::compile;
pub use counting::CountedBy;
pub use distribution::{Distribution, Pick, RingOf};
pub use draw::start;
pub use forces::Forces;
pub use inputs::{Inputs, PoolStanding, Remembered, Standing};
pub use levels::Reading;
pub use offer::{Class, Event, Group, Offer, Trace};
pub use options::{Cookies, Logged, Options, Secret};
pub use places::{
    Asker, Classified, Classifier, Client, FigureSource, Figures, Found, Places, Table,
};
pub use publish::{Handle, Publisher, Reader};
pub use rate_limit::{Networks, RateLimit};
pub use settle::{Reason, Settled};
pub use snapshot::{Answer, ClassSide, Ring, Served, ServedRecord, Side, Snapshot};
pub use stand_ins::NoPlace;
pub use sticky::Stick;
pub use timed::Timed;
pub use transfers::{Dynamic, Fixed, Transfers, fixed};
