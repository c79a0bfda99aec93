//! Health as timelines on paused time: what probes see goes in; states, shares, TTLs and events come out.
//! The picture and the figures of the documentation are made here: see `just timelines`.

mod crowd;
mod loss;
mod night;
mod picture;
mod plans;
mod reference;
mod troubles;
