//! What routing can know of a client.

use crate::atlas::{Continent, Country, Location, Subdivision};

/// What is known of the clients of one prefix.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Attributes {
    /// The continent.
    pub continent: Option<Continent>,
    /// The country (ISO 3166-1).
    pub country: Option<Country>,
    /// The subdivision of the country (ISO 3166-2).
    pub subdivision: Option<Subdivision>,
    /// Where they are.
    pub location: Option<Location>,
    /// The autonomous system that announces the prefix.
    pub asn: Option<u32>,
}

impl Attributes {
    /// Whether anything is known of where the clients are.
    #[must_use]
    pub const fn is_located(&self) -> bool {
        self.continent.is_some()
            || self.country.is_some()
            || self.subdivision.is_some()
            || self.location.is_some()
    }
}
