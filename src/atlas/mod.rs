//! Facts about the world that never depend on a configuration: codes of places, and where they are.

mod code;
mod location;
mod standin;

pub use code::{Continent, Country, NotACode, Subdivision};
pub use location::Location;
