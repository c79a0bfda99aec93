//! Sources joined.

use std::fs;
use std::path::Path;

use super::*;
use crate::geo::support::mmdb::{Client, Mmdb};

fn attributes(country: Option<&str>, asn: Option<u32>) -> Attributes {
    Attributes { country: country.and_then(|code| code.parse().ok()), asn, ..Attributes::default() }
}

fn network(prefix: &str, attributes: Attributes) -> Network {
    Network { prefix: prefix.parse().expect("a prefix"), attributes }
}

fn database(path: &Path, entries: &[(&str, Client)]) -> Database {
    let entries = entries.iter().map(|(net, of)| (net.parse().expect("a prefix"), of.nested()));
    fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    fs::write(path, Mmdb::default().write(&entries.collect::<Vec<_>>())).expect("written");
    Database::open(path).expect("a database")
}

const NONE: Client =
    Client { continent: None, country: None, subdivision: None, location: None, asn: None };
const BERLIN: Client = Client {
    continent: Some("EU"),
    country: Some("DE"),
    subdivision: Some(("BE", "Berlin")),
    location: Some((52.5, 13.4)),
    ..NONE
};

/// Two own networks, one in the other, a database of places, and one of systems and countries.
fn geo(dir: &Path) -> Geo {
    let places =
        database(&dir.join("places.mmdb"), &[("10.0.0.0/8", BERLIN), ("11.0.0.0/8", NONE)]);
    let system = |asn, country| Client { asn: Some(asn), country: Some(country), ..NONE };
    let systems = [("10.0.0.0/7", system(64500, "FR")), ("2001:db8::/32", system(64501, "GB"))];
    let systems = database(&dir.join("systems.mmdb"), &systems);
    let networks = vec![
        network("10.1.0.0/16", attributes(Some("JP"), Some(64510))),
        network("10.1.2.0/24", attributes(None, Some(64511))),
        network("10.1.3.0/24", attributes(Some("US"), None)),
        network("2001:db8:1::/48", attributes(Some("AU"), None)),
        network("0.0.0.0/0", attributes(None, Some(64999))),
    ];
    Geo { networks, databases: vec![places, systems] }
}

#[test]
fn each_group_comes_from_the_first_source_that_knows_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let geo = geo(dir.path());
    let of = |address: &str| {
        let found = geo.describe(address.parse().expect("an address")).expect("sound databases");
        let country = found.attributes.country.map(|country| country.to_string());
        let by = [found.located_by, found.asn_by].map(|by| by.map(|by| geo.source_name(by)));
        let [located, system] = by.map(Option::unwrap_or_default);
        (country.unwrap_or_default(), located, found.attributes.asn.unwrap_or(0), system)
    };
    let is = |country: &str, located: &str, asn: u32, system: &str| {
        (country.to_owned(), located.to_owned(), asn, system.to_owned())
    };
    // The longest network that says where, and the longest that says which system.
    assert_eq!(of("10.1.9.9"), is("JP", "network 10.1.0.0/16", 64510, "network 10.1.0.0/16"));
    assert_eq!(of("10.1.2.9"), is("JP", "network 10.1.0.0/16", 64511, "network 10.1.2.0/24"));
    assert_eq!(of("10.1.3.9"), is("US", "network 10.1.3.0/24", 64510, "network 10.1.0.0/16"));
    // The databases in order, behind the networks; a record that says nothing is none.
    assert_eq!(of("10.9.9.9"), is("DE", "places.mmdb", 64999, "network 0.0.0.0/0"));
    assert_eq!(of("11.9.9.9"), is("FR", "systems.mmdb", 64999, "network 0.0.0.0/0"));
    assert_eq!(of("12.9.9.9"), is("", "", 64999, "network 0.0.0.0/0"));
    assert_eq!(of("2001:db8::9"), is("GB", "systems.mmdb", 64501, "systems.mmdb"));
    assert_eq!(of("2001:db8:1::9"), is("AU", "network 2001:db8:1::/48", 64501, "systems.mmdb"));
    assert_eq!(of("2001:db9::9"), is("", "", 0, ""));
    // Taken as it is.
    assert_eq!(of("::ffff:10.1.9.9"), is("", "", 0, ""));
}

#[test]
fn a_place_is_never_made_of_two_sources() {
    let dir = tempfile::tempdir().expect("a directory");
    let geo = geo(dir.path());
    let found = geo.describe("10.1.9.9".parse().expect("an address")).expect("sound");
    // Japan by an own network: Berlin's coordinates and subdivision are not put beside it.
    assert_eq!((found.attributes.location, found.attributes.subdivision), (None, None));
    assert_eq!(found.attributes.continent, "AS".parse().ok());
}

#[test]
fn what_follows_from_what_is_said_is_said_too() {
    let own = Attributes { subdivision: "US-CA".parse().ok(), ..Attributes::default() };
    let own = network("10.0.0.0/8", own);
    let joined = Geo::join([(3, &own)].into_iter(), std::iter::empty());
    assert_eq!(joined.located_by, Some(Source::Network(3)));
    assert_eq!(joined.attributes.country, "US".parse().ok());
    assert_eq!(joined.attributes.continent, "NA".parse().ok());
    // What is said itself stays: a continent of one's own choosing.
    let own = Attributes { continent: "EU".parse().ok(), ..attributes(Some("JP"), None) };
    let own = network("10.0.0.0/8", own);
    let joined = Geo::join([(0, &own)].into_iter(), [(1, None)].into_iter());
    assert_eq!(joined.attributes.continent, "EU".parse().ok());
}

#[test]
fn all_sources_supply() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut geo = geo(dir.path());
    let all =
        Supplies { continent: true, country: true, subdivision: true, location: true, asn: true };
    assert_eq!(geo.supplies(), all);
    geo.databases.clear();
    let own = Supplies { subdivision: false, location: false, ..all };
    assert_eq!(geo.supplies(), own);
    assert_eq!(Geo::default().supplies(), Supplies::default());
}

#[test]
fn databases_of_one_name_are_told_apart() {
    let dir = tempfile::tempdir().expect("a directory");
    let paths = ["a/city.mmdb", "b/city.mmdb", "b/asn.mmdb"].map(|name| dir.path().join(name));
    let databases = paths.iter().map(|path| database(path, &[("10.0.0.0/8", BERLIN)])).collect();
    let geo = Geo { networks: vec![], databases };
    let names = [0, 1, 2].map(|at| geo.source_name(Source::Database(at)));
    let [a, b, _] = paths.map(|path| path.display().to_string());
    assert_eq!(names, [a, b, "asn.mmdb".to_owned()]);
}
