//! Facts about the first-level subdivisions of countries: their ISO 3166-2 codes and names.
//!
//! Flat databases name states where rules have codes; [`Subdivision::by_name`] is the way from
//! the one to the other.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::names::{fold, without_kind};
use super::{Country, Subdivision};

const TABLE: &str = include_str!("data/subdivisions.txt");

static SUBDIVISIONS: LazyLock<Subdivisions> = LazyLock::new(|| Subdivisions::read(TABLE));

#[derive(Default)]
struct Subdivisions {
    names: HashMap<Subdivision, &'static str>,
    /// By what their names fold to.
    named: HashMap<Country, HashMap<String, Subdivision>>,
    /// Those of countries whose list is complete.
    complete: HashMap<Country, Vec<Subdivision>>,
}

/// A line of the table that is not a note.
enum Line {
    Country { country: Country, complete: bool },
    Subdivision { part: &'static str, names: Vec<&'static str> },
}

impl Subdivisions {
    fn read(table: &'static str) -> Self {
        let (mut read, mut of) = (Self::default(), None);
        for line in table.lines().filter_map(line) {
            match (line, of) {
                (Line::Country { country, complete }, _) => {
                    if complete {
                        read.complete.insert(country, Vec::new());
                    }
                    of = Some(country);
                }
                (Line::Subdivision { part, names }, Some(country)) => {
                    if let Ok(subdivision) = Subdivision::new(country, part) {
                        read.add(country, subdivision, &names);
                    }
                }
                (Line::Subdivision { .. }, None) => {}
            }
        }
        read
    }

    fn add(&mut self, country: Country, subdivision: Subdivision, names: &[&'static str]) {
        if let Some(name) = names.first() {
            self.names.insert(subdivision, name);
        }
        let named = self.named.entry(country).or_default();
        named.extend(names.iter().map(|name| (fold(name), subdivision)));
        if let Some(all) = self.complete.get_mut(&country) {
            all.push(subdivision);
        }
    }
}

/// Reads a line; none is a note or has not the form of one, and a test finds the latter.
fn line(line: &'static str) -> Option<Line> {
    if line.starts_with('#') {
        return None;
    }
    if let Some(heading) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
        let country = heading.strip_suffix(" +").unwrap_or(heading);
        return Some(Line::Country {
            country: country.parse().ok()?,
            complete: country == heading,
        });
    }
    let (part, names) = line.split_once(' ')?;
    Some(Line::Subdivision { part, names: names.split('|').map(str::trim).collect() })
}

impl Country {
    /// Its subdivisions; none when it has none, when they are not listed here, or when ISO 3166-2
    /// has codes besides those listed, so that a code that is not listed may yet be good.
    #[must_use]
    pub fn subdivisions(self) -> &'static [Subdivision] {
        SUBDIVISIONS.complete.get(&self).map_or(&[], Vec::as_slice)
    }
}

impl Subdivision {
    /// By a name that a database gives it, in whatever case, with or without accents and words
    /// such as "Province".
    ///
    /// ```
    /// # use trimtab::atlas::{Country, Subdivision};
    /// let de: Country = "DE".parse().unwrap();
    /// let bavaria = Subdivision::by_name(de, "Free State of Bavaria").unwrap();
    /// assert_eq!(bavaria.to_string(), "DE-BY");
    /// ```
    #[must_use]
    pub fn by_name(country: Country, name: &str) -> Option<Self> {
        let named = SUBDIVISIONS.named.get(&country)?;
        let key = fold(name);
        named.get(&key).or_else(|| named.get(&without_kind(&key))).copied()
    }

    /// Whether it is listed here. That another is a mistake may be said only of countries that
    /// have [`Country::subdivisions`].
    #[must_use]
    pub fn is_known(self) -> bool {
        SUBDIVISIONS.names.contains_key(&self)
    }

    /// Its name in English, or as it is written there.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        SUBDIVISIONS.names.get(&self).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rstest::rstest;

    use super::*;

    fn by_name(country: &str, name: &str) -> Option<String> {
        let country = country.parse().expect("a code");
        Subdivision::by_name(country, name).map(|s| s.to_string())
    }

    #[test]
    fn every_line_of_the_table_is_read() {
        let (mut countries, mut subdivisions, mut of) = (HashSet::new(), HashSet::new(), None);
        for text in TABLE.lines().filter(|text| !text.is_empty() && !text.starts_with('#')) {
            match line(text).unwrap_or_else(|| panic!("{text}")) {
                Line::Country { country, .. } => {
                    assert!(country.is_known() && countries.insert(country), "{text}");
                    of = Some(country);
                }
                Line::Subdivision { part, .. } => {
                    let country = of.expect("a country first");
                    let subdivision = Subdivision::new(country, part).expect(text);
                    assert_eq!(subdivision.part(), part, "in upper case");
                    assert!(subdivisions.insert(subdivision), "{country}: {text} twice");
                    assert!(subdivision.is_known());
                }
            }
        }
        assert_eq!(subdivisions.len(), SUBDIVISIONS.names.len());
    }

    #[test]
    fn no_two_names_of_a_country_fold_alike() {
        let mut seen = HashSet::new();
        let mut of = None;
        for text in TABLE.lines() {
            match line(text) {
                Some(Line::Country { country, .. }) => of = Some(country),
                Some(Line::Subdivision { names, .. }) => {
                    for name in names {
                        let key = fold(name);
                        assert!(!key.is_empty(), "{text}");
                        assert!(seen.insert((of, key)), "{of:?} {text}: {name} is there already");
                    }
                }
                None => {}
            }
        }
    }

    #[test]
    fn each_is_found_by_its_own_name() {
        for (subdivision, name) in &SUBDIVISIONS.names {
            let found = Subdivision::by_name(subdivision.country(), name);
            assert_eq!(found, Some(*subdivision), "{name}");
            assert_eq!(subdivision.name(), Some(*name));
        }
    }

    #[rstest]
    #[case("US", 57)] // 50 states, the District of Columbia and six outlying areas
    #[case("CA", 13)]
    #[case("AU", 8)]
    #[case("DE", 16)]
    #[case("JP", 47)]
    #[case("BR", 27)]
    #[case("CH", 26)]
    #[case("TR", 81)]
    #[case("GB", 0)] // has councils too
    #[case("VA", 0)]
    fn complete_lists_have_all(#[case] country: Country, #[case] count: usize) {
        assert_eq!(country.subdivisions().len(), count);
        assert!(country.subdivisions().iter().all(|s| s.country() == country));
    }

    #[rstest]
    #[case("US", "California", "US-CA")]
    #[case("US", "State of Washington", "US-WA")]
    #[case("US", "district of columbia", "US-DC")]
    #[case("CA", "Québec", "CA-QC")]
    #[case("AU", "ACT", "AU-ACT")]
    #[case("DE", "Nordrhein-Westfalen", "DE-NW")]
    #[case("DE", "North Rhine-Westphalia", "DE-NW")]
    #[case("DE", "State of Berlin", "DE-BE")]
    #[case("FR", "ILE-DE-FRANCE", "FR-IDF")]
    #[case("FR", "Rhone-Alpes", "FR-ARA")]
    #[case("GB", "England", "GB-ENG")]
    #[case("BR", "Sao Paulo", "BR-SP")]
    #[case("RU", "Moscow", "RU-MOW")]
    #[case("RU", "Moscow Oblast", "RU-MOS")]
    #[case("RU", "Tyumen’ Oblast", "RU-TYU")]
    #[case("RU", "Altai Republic", "RU-AL")]
    #[case("RU", "Altay Kray", "RU-ALT")]
    #[case("UA", "Kyiv City", "UA-30")]
    #[case("UA", "Kyiv", "UA-32")]
    #[case("MX", "Mexico City", "MX-CMX")]
    #[case("MX", "Mexico", "MX-MEX")]
    #[case("AR", "Buenos Aires F.D.", "AR-C")]
    #[case("AR", "Buenos Aires", "AR-B")]
    #[case("TR", "Istanbul", "TR-34")]
    #[case("RO", "Bistrita-Nasaud County", "RO-BN")]
    #[case("KZ", "Almaty Region", "KZ-19")]
    #[case("KZ", "Almaty", "KZ-75")]
    fn names_of_databases_are_found(#[case] country: &str, #[case] name: &str, #[case] code: &str) {
        assert_eq!(by_name(country, name).as_deref(), Some(code));
    }

    #[test]
    fn a_name_is_looked_for_in_its_country_only() {
        assert_eq!(by_name("CA", "California"), None);
        assert_eq!(by_name("ZZ", "California"), None);
        for name in ["", "State", "—", "Atlantis"] {
            assert_eq!(by_name("US", name), None, "{name:?}");
        }
        assert_eq!("US-XX".parse().map(Subdivision::is_known), Ok(false));
        assert_eq!("US-XX".parse().map(Subdivision::name), Ok(None));
    }
}
