//! What records of all sorts of schemas say.

use rstest::rstest;

use super::{open, write};
use crate::geo::support::mmdb::{Client, Data, Mmdb};
use crate::model::{Attributes, Continent, Location};

/// What a database says whose only record is this.
fn said(data: Data) -> Attributes {
    let database = open(&write(&Mmdb::default(), &[("2001:db8::/32", data)])).expect("sound");
    let found = database.find("2001:db8::1".parse().expect("an address")).expect("sound");
    database.attributes(found.expect("a record").0).expect("sound")
}

fn text(of: &Attributes) -> String {
    let mut parts = vec![];
    parts.extend(of.continent.map(|c| c.to_string()));
    parts.extend(of.country.map(|c| c.to_string()));
    parts.extend(of.subdivision.map(|s| s.to_string()));
    parts.extend(of.location.map(|l| format!("{}/{}", l.latitude, l.longitude)));
    parts.extend(of.asn.map(|asn| format!("AS{asn}")));
    parts.join(" ")
}

const BERLIN: Client = Client {
    continent: Some("EU"),
    country: Some("DE"),
    subdivision: Some(("BE", "Berlin")),
    location: Some((52.5, 13.25)),
    asn: Some(64500),
};

#[rstest]
#[case::nested(BERLIN.nested())]
#[case::flat(BERLIN.flat())]
fn both_schemas_say_the_same(#[case] data: Data) {
    assert_eq!(text(&said(data)), "EU DE DE-BE 52.5/13.25 AS64500");
}

fn map(entries: &[(&str, Data)]) -> Data {
    Data::Map(entries.iter().map(|(key, value)| ((*key).into(), value.clone())).collect())
}

/// A map of texts, in maps where the key has dots.
fn texts(entries: &[(&str, &str)]) -> Data {
    let nest = |(path, text): &(&str, &str)| {
        let mut keys = path.rsplit('.');
        let last = keys.next().expect("a key").to_owned();
        let inner = (last, Data::text(text));
        keys.fold(inner, |inner, key| (key.to_owned(), Data::Map(vec![inner])))
    };
    Data::Map(entries.iter().map(nest).collect())
}

#[rstest]
#[case::continent_of_the_country(&[("country_code", "JP")], "AS JP")]
#[case::nested_without_continent(&[("country.iso_code", "JP")], "AS JP")]
#[case::own_continent_wins(&[("country_code", "DE"), ("continent_code", "AS")], "AS DE")]
#[case::numbers_as_texts(&[("country", "US"), ("region", "California"), ("lat", "37.5"),
    ("lng", "-122"), ("asn", "AS15169")], "NA US US-CA 37.5/-122 AS15169")]
#[case::country_by_name(&[("country", "United States"), ("country_code", "US")], "NA US")]
#[case::continent_in_plain(&[("continent", "OC")], "OC")]
#[case::code_before_name(&[("country_code", "US"), ("region_code", "NY"),
    ("region", "California")], "NA US US-NY")]
#[case::traits(&[("traits.autonomous_system_number", "64500")], "AS64500")]
#[case::registered(&[("registered_country.iso_code", "DE")], "")]
#[case::lower_case(&[("country_code", "de")], "EU DE")]
#[case::blanks(&[("country_code", " DE "), ("state1", "  ")], "EU DE")]
#[case::empty(&[("country_code", ""), ("state1", ""), ("latitude", ""), ("longitude", "")], "")]
#[case::unknown_name(&[("country_code", "DE"), ("state1", "Atlantis")], "EU DE")]
#[case::name_without_country(&[("state1", "California")], "")]
#[case::half_a_location(&[("latitude", "12")], "")]
#[case::bad_codes(&[("country_code", "DEU"), ("continent_code", "XX"), ("asn", "AS-1")], "")]
#[case::no_system(&[("asn", "AS0")], "")]
#[case::off_the_earth(&[("latitude", "91"), ("longitude", "0")], "")]
#[case::not_numbers(&[("latitude", "NaN"), ("longitude", "inf")], "")]
fn what_makes_sense_is_taken(#[case] entries: &[(&str, &str)], #[case] wanted: &str) {
    assert_eq!(text(&said(texts(entries))), wanted);
}

#[rstest]
#[case::u16(Data::U16(64500), Some(64500))]
#[case::u32(Data::U32(4_200_000_000), Some(4_200_000_000))]
#[case::u64(Data::U64(64500), Some(64500))]
#[case::u128(Data::U128(64500), Some(64500))]
#[case::i32(Data::I32(64500), Some(64500))]
#[case::double(Data::Double(64500.0), Some(64500))]
#[case::text(Data::text("64500"), Some(64500))]
#[case::zero(Data::U32(0), None)]
#[case::negative(Data::I32(-1), None)]
#[case::fraction(Data::Double(1.5), None)]
#[case::too_large(Data::U64(1 << 40), None)]
#[case::bool(Data::Bool(true), None)]
#[case::octets(Data::Octets(vec![1, 2]), None)]
#[case::list(Data::List(vec![Data::U32(1)]), None)]
#[case::map(map(&[("asn", Data::U32(1))]), None)]
fn numbers_are_taken_in_any_form(#[case] asn: Data, #[case] wanted: Option<u32>) {
    // What is behind a value that makes no sense is read all the same.
    let of = said(map(&[("autonomous_system_number", asn), ("country_code", Data::text("DE"))]));
    assert_eq!(of.asn, wanted);
    assert_eq!(of.continent, Some(Continent::Europe));
}

#[rstest]
#[case::float(Data::Float(0.5), Data::Float(-0.25))]
#[case::double(Data::Double(0.5), Data::Double(-0.25))]
#[case::text(Data::text("0.5"), Data::text("-0.25"))]
fn degrees_are_taken_in_any_form(#[case] latitude: Data, #[case] longitude: Data) {
    let location = Some(Location { latitude: 0.5, longitude: -0.25 });
    let flat = [("latitude", latitude), ("longitude", longitude)];
    assert_eq!(said(map(&flat)).location, location);
    assert_eq!(said(map(&[("location", map(&flat))])).location, location);
}

#[rstest]
#[case(Data::text("DE"))]
#[case(Data::U32(7))]
#[case(Data::List(vec![Data::text("DE")]))]
#[case(Data::Map(vec![]))]
#[case(map(&[("country", Data::U16(49)), ("subdivisions", Data::text("DE-BE")),
    ("location", Data::List(vec![])), ("continent", Data::Bool(true))]))]
fn a_record_of_another_form_says_nothing(#[case] data: Data) {
    assert_eq!(said(data), Attributes::default());
}

#[test]
fn the_first_subdivision_is_the_largest() {
    let place = |code| map(&[("iso_code", Data::text(code))]);
    let list = Data::List(vec![place("ENG"), place("LND")]);
    let country = map(&[("iso_code", Data::text("GB"))]);
    let of = said(map(&[("subdivisions", list), ("country", country)]));
    assert_eq!(text(&of), "EU GB GB-ENG");
    // A name serves where there is no code.
    let names = map(&[("names", map(&[("en", Data::text("California"))]))]);
    let us = map(&[("iso_code", Data::text("US"))]);
    let of = said(map(&[("country", us), ("subdivisions", Data::List(vec![names]))]));
    assert_eq!(text(&of), "NA US US-CA");
}
