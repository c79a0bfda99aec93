//! Which attributes a source has.

use std::ops::BitOr;

use crate::model::Attributes;

/// Which attributes a source has anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Supplies {
    /// Continents, or countries, from which continents follow.
    pub continent: bool,
    /// Countries, or subdivisions, from which countries follow.
    pub country: bool,
    /// Subdivisions.
    pub subdivision: bool,
    /// Coordinates.
    pub location: bool,
    /// Autonomous systems.
    pub asn: bool,
}

impl From<&Attributes> for Supplies {
    fn from(of: &Attributes) -> Self {
        let subdivision = of.subdivision.is_some();
        let country = of.country.is_some() || subdivision;
        Self {
            continent: of.continent.is_some() || country,
            country,
            subdivision,
            location: of.location.is_some(),
            asn: of.asn.is_some(),
        }
    }
}

impl BitOr for Supplies {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            continent: self.continent | other.continent,
            country: self.country | other.country,
            subdivision: self.subdivision | other.subdivision,
            location: self.location | other.location,
            asn: self.asn | other.asn,
        }
    }
}
