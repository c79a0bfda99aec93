//! Facts about countries: which there are, their names, continents and middles.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use super::names::fold;
use super::{Continent, Country, Location};

const TABLE: &str = include_str!("data/countries.txt");

static COUNTRIES: LazyLock<Countries> = LazyLock::new(|| Countries::read(TABLE));

struct Countries {
    facts: BTreeMap<Country, Facts>,
    /// By what their names fold to.
    named: HashMap<String, Country>,
}

struct Facts {
    name: &'static str,
    continent: Continent,
    middle: Location,
}

impl Countries {
    fn read(table: &'static str) -> Self {
        let (mut facts, mut named) = (BTreeMap::new(), HashMap::new());
        for (country, row, others) in table.lines().filter_map(row) {
            for name in std::iter::once(row.name).chain(others) {
                named.insert(fold(name), country);
            }
            facts.insert(country, row);
        }
        Self { facts, named }
    }
}

/// A line of the table, except its notes and what has not their form; a test finds the latter.
fn row(line: &'static str) -> Option<(Country, Facts, impl Iterator<Item = &'static str>)> {
    let mut columns = line.splitn(5, ' ');
    let country = columns.next()?.parse().ok()?;
    let continent = columns.next()?.parse().ok()?;
    let middle = Location {
        latitude: columns.next()?.parse().ok()?,
        longitude: columns.next()?.parse().ok()?,
    };
    let mut names = columns.next()?.split('|').map(str::trim);
    let name = names.next()?;
    Some((country, Facts { name, continent, middle }, names))
}

impl Country {
    /// Every assigned code, and XK for Kosovo, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        COUNTRIES.facts.keys().copied()
    }

    /// Whether the code is assigned, or XK, which stands for Kosovo by general use.
    #[must_use]
    pub fn is_known(self) -> bool {
        COUNTRIES.facts.contains_key(&self)
    }

    /// By its name in English or by what is often mistaken for its code: `Germany`, `UK`, `EL`.
    /// For hints; codes themselves are parsed.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        COUNTRIES.named.get(&fold(name)).copied()
    }

    /// Its name in English.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        COUNTRIES.facts.get(&self).map(|facts| facts.name)
    }

    /// Its continent as geolocation databases say it, so that a database that names only countries
    /// agrees with one that names continents too: the whole of a country is on one, and where
    /// others differ GeoNames and MaxMind are followed. Cyprus and Russia are in Europe; Turkey,
    /// Georgia, Armenia, Azerbaijan and Kazakhstan in Asia; Egypt in Africa; Timor-Leste and
    /// Christmas Island in Oceania.
    #[must_use]
    pub fn continent(self) -> Option<Continent> {
        COUNTRIES.facts.get(&self).map(|facts| facts.continent)
    }

    /// A point in its middle, that of the mainland where parts are far away: of the conterminous
    /// states for the US, of metropolitan France for FR. Where the middle of the land is far from
    /// nearly everyone, as in Russia, it is that of the people. It stands for clients of whom no
    /// more than the country is known.
    #[must_use]
    pub fn middle(self) -> Option<Location> {
        COUNTRIES.facts.get(&self).map(|facts| facts.middle)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn country(code: &str) -> Country {
        code.parse().expect("a code")
    }

    #[test]
    fn every_line_of_the_table_is_a_country_once() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        let codes: Vec<_> = lines.map(|line| line.split(' ').next().expect("a word")).collect();
        assert_eq!(codes.len(), 249 + 1, "those of ISO 3166-1, and XK");
        assert!(codes.is_sorted_by(|a, b| a < b), "in order, so without doubles");
        assert_eq!(Country::all().map(|c| c.to_string()).collect::<Vec<_>>(), codes);
    }

    #[test]
    fn no_two_countries_share_a_name() {
        let names = TABLE.lines().filter_map(row).map(|(_, _, others)| 1 + others.count());
        assert_eq!(COUNTRIES.named.len(), names.sum::<usize>());
    }

    #[test]
    fn middles_are_on_the_earth_and_not_far_from_their_continent() {
        for (country, facts) in &COUNTRIES.facts {
            let at = facts.middle;
            assert!(at.latitude.abs() <= 90.0 && at.longitude.abs() <= 180.0, "{country}");
            let (latitude, longitude, reach) = match facts.continent {
                Continent::Africa => (2.0, 18.0, 5200.0),
                Continent::Antarctica => (-90.0, 0.0, 4600.0),
                Continent::Asia => (32.0, 85.0, 5200.0),
                Continent::Europe => (52.0, 18.0, 4500.0),
                Continent::NorthAmerica => (30.0, -82.0, 4600.0),
                Continent::Oceania => (-14.0, 168.0, 6900.0),
                Continent::SouthAmerica => (-20.0, -60.0, 4500.0),
            };
            let away = at.distance_km(Location { latitude, longitude });
            assert!(away < reach, "{country}: {away:.0} km from the middle of its continent");
        }
    }

    #[test]
    fn no_two_middles_are_the_same_place() {
        let facts: Vec<_> = COUNTRIES.facts.iter().collect();
        for (n, (a, of_a)) in facts.iter().enumerate() {
            for (b, of_b) in facts.iter().skip(n + 1) {
                let apart = of_a.middle.distance_km(of_b.middle);
                // Saint Martin's two halves are 7 km apart, Rome's two states are in Rome.
                assert!(apart > 4.0, "{a} and {b}: {apart:.1} km");
            }
        }
    }

    #[rstest]
    #[case("TR", Continent::Asia)]
    #[case("RU", Continent::Europe)]
    #[case("CY", Continent::Europe)]
    #[case("GE", Continent::Asia)]
    #[case("EG", Continent::Africa)]
    #[case("TL", Continent::Oceania)]
    #[case("GL", Continent::NorthAmerica)]
    #[case("PA", Continent::NorthAmerica)]
    #[case("TT", Continent::NorthAmerica)]
    #[case("XK", Continent::Europe)]
    fn continents_are_those_of_databases(#[case] code: &str, #[case] continent: Continent) {
        assert_eq!(country(code).continent(), Some(continent));
    }

    #[rstest]
    #[case("DE", 52.5, 13.4, 300.0)]
    #[case("US", 39.1, -94.6, 400.0)]
    #[case("FR", 48.9, 2.4, 300.0)]
    #[case("JP", 35.7, 139.7, 250.0)]
    #[case("NZ", -41.3, 174.8, 100.0)]
    #[case("RU", 55.8, 37.6, 1200.0)] // Moscow: nearer to it than to the Pacific
    fn middles_are_near_cities_in_the_middle(
        #[case] code: &str,
        #[case] latitude: f64,
        #[case] longitude: f64,
        #[case] km: f64,
    ) {
        let middle = country(code).middle().expect("known");
        assert!(middle.distance_km(Location { latitude, longitude }) < km);
    }

    #[test]
    fn what_is_mistaken_for_a_code_leads_to_it() {
        assert_eq!(Country::by_name("UK"), Some(country("GB")));
        assert_eq!(Country::by_name("el"), Some(country("GR")));
        assert_eq!(Country::by_name("usa"), Some(country("US")));
        assert_eq!(Country::by_name("COTE D’IVOIRE"), Some(country("CI")));
        assert_eq!(Country::by_name("Atlantis"), None);
        assert!(country("XK").is_known());
        for code in ["UK", "EL", "ZZ", "EU", "AN"] {
            assert!(!country(code).is_known(), "{code}");
            assert_eq!(country(code).continent(), None);
            assert_eq!(country(code).middle(), None);
        }
    }
}
