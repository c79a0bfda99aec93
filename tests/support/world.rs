//! The small world of `tests/fixtures/geo`: invented, so that tests know all of it.

use super::mmdb::{Client, Data, Mmdb};

const BERLIN: Client = place("EU", "DE", "BE", "Berlin", 52.52, 13.405);
const MUNICH: Client = place("EU", "DE", "BY", "Bavaria", 48.137, 11.575);
const SAN_JOSE: Client = place("NA", "US", "CA", "California", 37.335, -121.893);
const NEW_YORK: Client = place("NA", "US", "NY", "New York", 40.713, -74.006);
const MONTREAL: Client = place("NA", "CA", "QC", "Quebec", 45.509, -73.554);
const SYDNEY: Client = place("OC", "AU", "NSW", "New South Wales", -33.868, 151.209);
const TOKYO: Client = place("AS", "JP", "13", "Tokyo", 35.68, 139.769);
const SAO_PAULO: Client = place("SA", "BR", "SP", "Sao Paulo", -23.55, -46.633);
const GERMANY: Client = country("EU", "DE", 51.299, 9.491);
const FRANCE: Client = country("EU", "FR", 48.858, 2.339);
const BRITAIN: Client = country("EU", "GB", 51.496, -0.122);
const STATES: Client = country("NA", "US", 37.751, -97.822);
const JAPAN: Client = country("AS", "JP", 35.69, 139.69);
const AUSTRALIA: Client = country("OC", "AU", -33.494, 143.21);
const SOUTH_AFRICA: Client = country("AF", "ZA", -29.0, 24.0);
const EUROPE: Client =
    Client { continent: Some("EU"), country: None, subdivision: None, location: None, asn: None };

const fn country(continent: &'static str, country: &'static str, north: f64, east: f64) -> Client {
    Client {
        continent: Some(continent),
        country: Some(country),
        subdivision: None,
        location: Some((north, east)),
        asn: None,
    }
}

const fn place(
    continent: &'static str,
    country_code: &'static str,
    code: &'static str,
    name: &'static str,
    north: f64,
    east: f64,
) -> Client {
    let of = country(continent, country_code, north, east);
    Client { subdivision: Some((code, name)), ..of }
}

/// Prefixes and where they are, and in which autonomous system.
pub(crate) const WORLD: &[(&str, Client, u32)] = &[
    // Public-looking ones: a subnet in a special-purpose block does not count as a client's.
    ("2.16.0.0/13", GERMANY, 64500),
    ("2.16.8.0/24", BERLIN, 64501),
    ("2.16.9.0/24", MUNICH, 64501),
    ("2.16.9.128/25", EUROPE, 64501),
    ("5.10.0.0/16", BRITAIN, 64502),
    ("5.39.0.0/17", FRANCE, 64502),
    ("8.8.0.0/16", STATES, 64510),
    ("8.8.8.0/24", SAN_JOSE, 64511),
    ("8.8.4.0/23", NEW_YORK, 64511),
    ("24.48.0.0/18", MONTREAL, 64512),
    ("41.0.0.0/11", SOUTH_AFRICA, 64530),
    ("126.0.0.0/8", JAPAN, 64520),
    ("126.1.0.0/16", TOKYO, 64520),
    ("139.130.0.0/16", AUSTRALIA, 64521),
    ("139.130.4.0/22", SYDNEY, 64521),
    ("177.8.0.0/14", SAO_PAULO, 64531),
    ("177.8.1.1/32", NEW_YORK, 64511),
    // Documentation (RFC 5737), for queries that come from there themselves.
    ("192.0.2.0/26", BERLIN, 64501),
    ("192.0.2.64/26", SAN_JOSE, 64511),
    ("192.0.2.128/26", TOKYO, 64520),
    ("198.51.100.0/25", GERMANY, 64500),
    ("198.51.100.128/25", SYDNEY, 64521),
    ("203.0.113.0/24", FRANCE, 64502),
    ("203.0.113.200/29", SAO_PAULO, 64531),
    // IPv6.
    ("2400:4000::/22", JAPAN, 64520),
    ("2400:4050::/28", TOKYO, 64520),
    ("2401:c000::/20", AUSTRALIA, 64521),
    ("2401:c080:1c00::/40", SYDNEY, 64521),
    ("2600::/12", STATES, 64510),
    ("2600:1f00::/24", SAN_JOSE, 64511),
    ("2600:4000::/24", NEW_YORK, 64511),
    ("2a00::/12", EUROPE, 64500),
    ("2a01:4f8::/32", GERMANY, 64500),
    ("2a01:4f8:1::/48", BERLIN, 64501),
    ("2a01:4f8:2:3::/64", MUNICH, 64501),
    ("2c0f::/20", SOUTH_AFRICA, 64530),
    // Documentation (RFC 3849).
    ("2001:db8::/36", BERLIN, 64501),
    ("2001:db8:1000::/36", SAN_JOSE, 64511),
    ("2001:db8:2000::/36", TOKYO, 64520),
];

/// A prefix that is registered in a country, but whose clients are who knows where.
const REGISTERED: (&str, &str) = ("193.0.0.0/21", "NL");

/// The files of the fixture, by name.
pub(crate) fn files() -> Vec<(&'static str, Vec<u8>)> {
    let prefix = |text: &str| text.parse().expect("a prefix");
    let all = WORLD.iter().map(|&(net, client, asn)| (prefix(net), client, asn));
    let mut places: Vec<_> = all.clone().map(|(net, client, _)| (net, client.nested())).collect();
    let registered = Data::map([("iso_code", Data::text(REGISTERED.1))]);
    places.push((prefix(REGISTERED.0), Data::map([("registered_country", registered)])));
    let system = |asn| Client { asn: Some(asn), ..Client::default() }.nested();
    let systems: Vec<_> = all.map(|(net, _, asn)| (net, system(asn))).collect();
    let mmdb = Mmdb { aliases: true, ..Mmdb::default() };
    vec![
        ("world.mmdb", Mmdb { database_type: "World-City", ..mmdb.clone() }.write(&places)),
        ("asn.mmdb", Mmdb { database_type: "World-ASN", ..mmdb }.write(&systems)),
    ]
}
