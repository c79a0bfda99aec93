//! Where the regions of public clouds are, so that a configuration can name them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::Location;

const TABLE: &str = include_str!("data/clouds.txt");

static REGIONS: LazyLock<BTreeMap<&str, Location>> =
    LazyLock::new(|| TABLE.lines().filter_map(row).collect());

/// A line of the table, except its notes and what has not their form; a test finds the latter.
fn row(line: &'static str) -> Option<(&'static str, Location)> {
    let mut columns = line.splitn(4, ' ');
    let (name, latitude, longitude) = (columns.next()?, columns.next()?, columns.next()?);
    let (latitude, longitude) = (latitude.parse().ok()?, longitude.parse().ok()?);
    Some((name, Location { latitude, longitude }))
}

/// Where a cloud region is, by `provider:region` in either case: `aws:us-east-1`,
/// `gcp:europe-west3`, `azure:westeurope`. It is the middle of the city that the provider names;
/// where it names only a part of a country, of a city there. Data centres may be some 50 km from it.
#[must_use]
pub fn cloud_region(name: &str) -> Option<Location> {
    REGIONS.get(name.to_ascii_lowercase().as_str()).copied()
}

/// The names of all that are known, in order.
pub fn cloud_regions() -> impl Iterator<Item = &'static str> {
    REGIONS.keys().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atlas::Country;

    #[test]
    fn every_line_of_the_table_is_a_region_once_and_in_its_country() {
        let lines: Vec<_> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines.len(), REGIONS.len());
        for line in lines {
            let (name, at) = row(line).unwrap_or_else(|| panic!("{line}"));
            let (provider, region) = name.split_once(':').expect("a provider");
            let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(provider.chars().all(|c| c.is_ascii_lowercase()), "{line}");
            assert!(!region.is_empty() && region.chars().all(good), "{line}");
            let (_, country) = line.rsplit_once(", ").expect("a country");
            let country: Country = country.parse().expect("a code");
            let middle = country.middle().expect("known").distance_km(at);
            let reach = match country.code() {
                "US" if name == "vultr:hnl" => 6500.0,
                "AU" | "BR" | "CA" | "CN" | "US" => 4000.0,
                _ => 1500.0,
            };
            assert!(middle < reach, "{line}: {middle:.0} km from the middle of {country}");
        }
    }

    #[test]
    fn regions_of_one_city_are_at_one_place() {
        let mut cities: BTreeMap<&str, Location> = BTreeMap::new();
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let (_, at) = row(line).expect("a region");
            let city = line.splitn(4, ' ').last().expect("a city");
            assert_eq!(*cities.entry(city).or_insert(at), at, "{line}");
        }
    }

    #[test]
    fn regions_are_known_by_name() {
        let frankfurt = Location { latitude: 50.11, longitude: 8.68 };
        for name in ["aws:eu-central-1", "gcp:europe-west3", "Azure:GermanyWestCentral"] {
            let at = cloud_region(name).expect(name);
            assert!(at.distance_km(frankfurt) < 30.0, "{name}");
        }
        for name in ["", "aws", "aws:", "eu-central-1", "aws:eu-central-9", "aws: eu-central-1"] {
            assert_eq!(cloud_region(name), None, "{name}");
        }
        assert!(cloud_regions().is_sorted());
        assert!(cloud_regions().all(|name| cloud_region(name).is_some()));
        assert!(cloud_regions().count() > 200);
    }
}
