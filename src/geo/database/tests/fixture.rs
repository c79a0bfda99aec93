//! The fixture that other tests use.

use std::fs;
use std::net::IpAddr;

use super::fixtures;
use crate::geo::support::world;
use crate::geo::{Database, Supplies};
use crate::model::Attributes;

#[test]
fn the_fixtures_are_what_their_generator_writes() {
    for (name, octets) in world::files() {
        let path = fixtures().join(name);
        let is_same = fs::read(&path).is_ok_and(|there| there == octets);
        assert!(is_same, "write {} anew, as its README says", path.display());
    }
}

#[test]
#[ignore = "writes the fixtures into the source tree"]
fn write_the_fixtures() {
    for (name, octets) in world::files() {
        fs::write(fixtures().join(name), octets).expect("a fixture is written");
    }
}

fn of(database: &Database, address: &str) -> Option<(Attributes, u8)> {
    let address: IpAddr = address.parse().expect("an address");
    let (record, length) = database.find(address).expect("a sound file")?;
    Some((database.attributes(record).expect("a sound record"), length))
}

#[test]
fn the_fixtures_say_where_clients_are() {
    let world = Database::open(&fixtures().join("world.mmdb")).expect("a fixture");
    let none = Supplies::default();
    let places =
        Supplies { continent: true, country: true, subdivision: true, location: true, asn: false };
    assert_eq!(world.supplies(), places);
    assert_eq!(world.built(), 1_700_000_000);
    let (berlin, length) = of(&world, "2a01:4f8:1::53").expect("Berlin");
    assert_eq!(length, 48);
    assert_eq!(format!("{:?}", berlin.subdivision), "Some(DE-BE)");
    assert_eq!(of(&world, "2.16.8.9").map(|(of, length)| (of == berlin, length)), Some((true, 24)));
    assert_eq!(of(&world, "10.0.0.1"), None);
    // Registered somewhere, which says nothing of the clients.
    assert_eq!(of(&world, "193.0.0.1"), Some((Attributes::default(), 21)));
    // Only the continent is known.
    let (europe, _) = of(&world, "2.16.9.200").expect("Europe");
    assert!(europe.continent.is_some() && europe.country.is_none() && europe.location.is_none());

    let systems = Database::open(&fixtures().join("asn.mmdb")).expect("a fixture");
    assert_eq!(systems.supplies(), Supplies { asn: true, ..none });
    assert_eq!(of(&systems, "8.8.8.8").and_then(|(of, _)| of.asn), Some(64511));
}
