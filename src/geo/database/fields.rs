//! What a record says of its clients, in the schemas that are about.
//!
//! Two families of them: MaxMind's, with maps in maps, which DB-IP's own files follow (their
//! subdivisions have names but no codes, and their ASN is among the traits); and flat ones, as
//! ip-location-db makes them of the data of DB-IP and others, and IPinfo's, which has numbers as
//! texts. A database may have the keys of several; a key that is absent or makes no sense says
//! nothing.

use serde::Deserialize;

use super::value::{Map, Value};
use crate::model::{Attributes, Continent, Country, Location, Subdivision};

/// The keys at the top of a record.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields<'a> {
    // --- MaxMind's
    #[serde(borrow)]
    continent: Map<'a, Place<'a>>,
    country: Map<'a, Place<'a>>,
    subdivisions: Map<'a, Place<'a>>,
    location: Map<'a, Point<'a>>,
    traits: Map<'a, System<'a>>,
    // --- flat
    continent_code: Value<'a>,
    country_code: Value<'a>,
    region_code: Value<'a>,
    state1: Value<'a>,
    region: Value<'a>,
    latitude: Value<'a>,
    longitude: Value<'a>,
    lat: Value<'a>,
    lng: Value<'a>,
    asn: Value<'a>,
    // --- both
    autonomous_system_number: Value<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Place<'a> {
    #[serde(borrow)]
    code: Value<'a>,
    iso_code: Value<'a>,
    names: Map<'a, Names<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Names<'a> {
    #[serde(borrow)]
    en: Value<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Point<'a> {
    #[serde(borrow)]
    latitude: Value<'a>,
    longitude: Value<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct System<'a> {
    #[serde(borrow)]
    autonomous_system_number: Value<'a>,
}

impl Fields<'_> {
    /// What it comes to.
    pub(super) fn attributes(&self) -> Attributes {
        let country = self.country();
        Attributes {
            continent: self.continent().or_else(|| country?.continent()),
            country,
            subdivision: country.and_then(|country| self.subdivision(country)),
            location: self.location(),
            asn: self.asn(),
        }
    }

    fn continent(&self) -> Option<Continent> {
        let nested = self.continent.map().and_then(|continent| continent.code.text());
        nested
            .or_else(|| self.continent_code.text())
            .or_else(|| self.continent.text())?
            .parse()
            .ok()
    }

    /// Where the client is; where its prefix is registered is another matter, and not looked at.
    fn country(&self) -> Option<Country> {
        let nested = self.country.map().and_then(|country| country.iso_code.text());
        nested.or_else(|| self.country_code.text()).or_else(|| self.country.text())?.parse().ok()
    }

    /// The largest that the record names: MaxMind's list goes from large to small.
    fn subdivision(&self, country: Country) -> Option<Subdivision> {
        let nested = self.subdivisions.map();
        let code =
            nested.and_then(|place| place.iso_code.text()).or_else(|| self.region_code.text());
        let by_code = code.and_then(|code| Subdivision::new(country, code).ok());
        by_code.or_else(|| {
            let name = nested.and_then(|place| place.names.map()?.en.text());
            let name = name.or_else(|| self.state1.text()).or_else(|| self.region.text())?;
            Subdivision::by_name(country, name)
        })
    }

    fn location(&self) -> Option<Location> {
        let nested = self.location.map();
        let nested = nested.and_then(|point| location(&point.latitude, &point.longitude));
        nested
            .or_else(|| location(&self.latitude, &self.longitude))
            .or_else(|| location(&self.lat, &self.lng))
    }

    fn asn(&self) -> Option<u32> {
        let nested = self.traits.map();
        asn(&self.autonomous_system_number)
            .or_else(|| asn(&nested?.autonomous_system_number))
            .or_else(|| asn(&self.asn))
    }
}

/// Degrees, if there are such.
fn location(latitude: &Value<'_>, longitude: &Value<'_>) -> Option<Location> {
    let (latitude, longitude) = (latitude.number()?, longitude.number()?);
    let is_on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    is_on_earth.then_some(Location { latitude, longitude })
}

/// From a number, or from `AS15169`; 0 is that of no system (RFC 7607).
fn asn(value: &Value<'_>) -> Option<u32> {
    let asn = match value.text() {
        Some(text) => {
            let digits = text.strip_prefix("AS").or_else(|| text.strip_prefix("as"));
            digits.unwrap_or(text).parse().ok()?
        }
        None => {
            let number = value.number()?;
            let is_asn = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
            is_asn.then_some(number as u32)?
        }
    };
    (asn != 0).then_some(asn)
}
