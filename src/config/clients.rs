//! What a client can be, as rules and own networks name it: prefixes, autonomous systems, and codes
//! of places.

use std::fmt::Display;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::server::refuse_twice;
use super::table::Table;
use super::value::Value;
use crate::model::{Continent, Country, GeoKeys, Location, Subdivision, embedded};
use crate::problem::{Problem, nearest};

/// Autonomous systems; 0 is none (RFC 7607).
pub(super) const ASN: RangeInclusive<i64> = 1..=0xffff_ffff;
const PREFIX_WANTED: &str = "a prefix: \"192.0.2.0/24\" or \"2001:db8::/32\"";
const COUNTRY_WANTED: &str = "a country by its two letters (ISO 3166-1): \"DE\"";
const CONTINENT_WANTED: &str = "\"AF\", \"AN\", \"AS\", \"EU\", \"NA\", \"OC\" or \"SA\"";
const SUBDIVISION_WANTED: &str = "a subdivision of a country (ISO 3166-2): \"US-CA\"";

/// The keys of a rule; `None` when any of them cannot be read.
pub(super) fn keys(t: &Table<'_>) -> Option<GeoKeys> {
    let prefix = any_of(t, "prefix", PREFIX_WANTED, prefix);
    let asn = any_of(t, "asn", "the number of an autonomous system, or a list", asn);
    let country = any_of(t, "country", COUNTRY_WANTED, country);
    let continent = any_of(t, "continent", CONTINENT_WANTED, continent);
    let subdivision =
        any_of(t, "subdivision", SUBDIVISION_WANTED, |v| subdivision(v, country.as_deref()));
    Some(GeoKeys {
        prefix: ascending(prefix?),
        asn: ascending(asn?),
        subdivision: ascending(subdivision?),
        country: ascending(country?),
        continent: ascending(continent?),
    })
}

fn ascending<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values
}

/// One value or a list of them, or none when there is no such key; `None` when any of them cannot be
/// read.
fn any_of<T: Display>(
    t: &Table<'_>,
    key: &'static str,
    wanted: &str,
    read: impl Fn(&Value<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(v) = t.get(key) else { return Some(Vec::new()) };
    let elements = v.elements();
    if elements.is_empty() {
        return v.refuse(wanted);
    }
    let each = elements.iter().map(|e| read(e).map(|value| e.with_place(value)));
    let read: Vec<_> = each.collect();
    // All of them have been read, so that each mistake is told.
    let read: Vec<_> = read.into_iter().collect::<Option<_>>()?;
    refuse_twice(&v, &read);
    Some(read.into_iter().map(|value| value.value).collect())
}

/// The number of an autonomous system.
pub(super) fn asn(v: &Value<'_>) -> Option<u32> {
    let number = v.text().map(|text| text.trim_start_matches(['A', 'S', 'a', 's']).to_owned());
    match number.filter(|number| number.parse::<u32>().is_ok()) {
        Some(number) => {
            v.refuse_with("the number of an autonomous system", format!("write {number}"))
        }
        None => v.integer(ASN),
    }
}

/// A continent.
pub(super) fn continent(v: &Value<'_>) -> Option<Continent> {
    v.parsed(CONTINENT_WANTED, |text| text.parse().ok())
}

/// A country that exists.
pub(super) fn country(v: &Value<'_>) -> Option<Country> {
    let country: Country = v.parsed(COUNTRY_WANTED, |text| text.parse().ok())?;
    if country.is_known() {
        return Some(country);
    }
    // What people and other registers call two of them.
    let meant = [("UK", "GB"), ("EL", "GR")].into_iter().find(|(code, _)| *code == country.code());
    if let Some((_, meant)) = meant {
        return v.refuse_with(COUNTRY_WANTED, format!("did you mean \"{meant}\"?"));
    }
    match country.code().parse::<Continent>() {
        Ok(continent) => {
            let hint = format!("that is a continent: write continent = \"{continent}\"");
            v.refuse_with(COUNTRY_WANTED, hint)
        }
        Err(_) => v.refuse(COUNTRY_WANTED),
    }
}

/// `US-CA`, or `CA` beside exactly one country. `countries`: those given beside it, `None` when they
/// could not be read.
pub(super) fn subdivision(v: &Value<'_>, countries: Option<&[Country]>) -> Option<Subdivision> {
    let text = v.string(SUBDIVISION_WANTED)?;
    let read = if text.contains('-') {
        v.parsed(SUBDIVISION_WANTED, |text| text.parse::<Subdivision>().ok())?
    } else {
        match countries? {
            [country] => {
                v.parsed(SUBDIVISION_WANTED, |part| Subdivision::new(*country, part).ok())?
            }
            [] => {
                let hint = format!("write it with its country: \"US-{text}\", if that is the one");
                return v.refuse_with(SUBDIVISION_WANTED, hint);
            }
            [country, ..] => {
                let hint = format!(
                    "beside several countries, write it with its own: \"{country}-{text}\", if \
                     that is the one"
                );
                return v.refuse_with(SUBDIVISION_WANTED, hint);
            }
        }
    };
    let country = read.country();
    if countries.is_some_and(|countries| !countries.is_empty() && !countries.contains(&country)) {
        let wanted = "a subdivision of the country beside it: both must match";
        return v.refuse_with(wanted, format!("{read} is in {country}"));
    }
    if !country.is_known() {
        return v.refuse_with(SUBDIVISION_WANTED, format!("there is no country {country}"));
    }
    doubt(v, read);
    Some(read)
}

/// Warns of a subdivision that the atlas has not: subdivisions change more often than countries.
fn doubt(v: &Value<'_>, read: Subdivision) {
    let known: Vec<_> = read.country().subdivisions().iter().map(ToString::to_string).collect();
    let code = read.to_string();
    if known.is_empty() || known.contains(&code) {
        return;
    }
    let wanted = "one of ISO 3166-2, for databases know no other";
    let problem = Problem::warning(v.place(), &v.path, format!("the subdivision {code}"), wanted);
    let near = nearest(&code, known.iter().map(String::as_str));
    v.cx.report(match near {
        Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
        None => problem,
    });
}

/// A prefix in its own form: no bit behind its length, and IPv4 written as IPv4. An address is the
/// longest prefix.
pub(super) fn prefix(v: &Value<'_>) -> Option<IpNet> {
    let prefix: IpNet = v.parsed(PREFIX_WANTED, |text| {
        text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
    })?;
    if prefix != prefix.trunc() {
        let wanted = format!("no bit set behind the first {}", prefix.prefix_len());
        return v.refuse_with(wanted, format!("did you mean \"{}\"?", prefix.trunc()));
    }
    if let IpNet::V6(v6) = prefix
        && let Some(v4) = embedded(v6)
    {
        let wanted = "IPv4 written as IPv4: such addresses are looked up by it";
        return v.refuse_with(wanted, format!("write \"{v4}\""));
    }
    Some(prefix)
}

/// `latitude` and `longitude`, both of which must be there.
pub(super) fn coordinates(t: &Table<'_>) -> Option<Location> {
    let degrees =
        |key, most: f64, wanted| t.required(key, wanted, |v| v.number(-most..=most, wanted));
    let latitude = degrees("latitude", 90.0, "degrees north, -90 to 90");
    let longitude = degrees("longitude", 180.0, "degrees east, -180 to 180");
    Some(Location { latitude: latitude?, longitude: longitude? })
}
