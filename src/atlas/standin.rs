//! Stands in for the facts of the world until they are there.

use super::{Continent, Country, Location, Subdivision};

/// A few countries: code, continent, latitude and longitude of the middle.
const COUNTRIES: &[(&str, Continent, f64, f64)] = &[
    ("AU", Continent::Oceania, -25.0, 134.0),
    ("BR", Continent::SouthAmerica, -10.0, -53.0),
    ("CA", Continent::NorthAmerica, 60.0, -96.0),
    ("DE", Continent::Europe, 51.0, 10.0),
    ("FR", Continent::Europe, 46.6, 2.5),
    ("GB", Continent::Europe, 54.0, -2.0),
    ("JP", Continent::Asia, 36.0, 138.0),
    ("US", Continent::NorthAmerica, 39.8, -98.6),
    ("ZA", Continent::Africa, -29.0, 24.0),
];

const SUBDIVISIONS: &[(&str, &str, &str)] = &[
    ("US", "California", "CA"),
    ("US", "New York", "NY"),
    ("CA", "Quebec", "QC"),
    ("AU", "New South Wales", "NSW"),
    ("DE", "Berlin", "BE"),
    ("DE", "Bavaria", "BY"),
];

impl Country {
    fn row(self) -> Option<&'static (&'static str, Continent, f64, f64)> {
        COUNTRIES.iter().find(|row| row.0 == self.code())
    }

    /// The continent that it is counted to.
    #[must_use]
    pub fn continent(self) -> Option<Continent> {
        self.row().map(|row| row.1)
    }

    /// Its middle.
    #[must_use]
    pub fn middle(self) -> Option<Location> {
        self.row().map(|row| Location { latitude: row.2, longitude: row.3 })
    }
}

impl Subdivision {
    /// The subdivision of a country by its name.
    #[must_use]
    pub fn by_name(country: Country, name: &str) -> Option<Self> {
        let row = SUBDIVISIONS.iter().find(|row| row.0 == country.code() && row.1 == name)?;
        Self::new(country, row.2).ok()
    }
}
