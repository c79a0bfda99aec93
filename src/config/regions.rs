//! `[regions.NAME]`: addresses that are judged and served together.

use std::net::IpAddr;
use std::sync::Arc;

use super::context::Spanned;
use super::server::refuse_twice;
use super::table::Table;
use super::value::Value;
use super::{calm, clients, names};
use crate::atlas::{cloud_region, cloud_regions};
use crate::model::{Calm, Location, MinHealthy, Weight};
use crate::problem::nearest;

/// A region.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Its name.
    pub name: Spanned<Arc<str>>,
    /// What is served; may be empty where every record brings its own endpoints.
    pub addresses: Vec<Spanned<IpAddr>>,
    /// Its weight where a policy gives none.
    pub weight: Weight,
    /// How much it can carry, above 0, in a unit that is the same for all regions.
    pub capacity: Option<f64>,
    /// Where it is.
    pub location: Option<Location>,
    /// The names of checks that all must pass; none: always up.
    pub check: Vec<Spanned<String>>,
    /// How many addresses of a family must be up.
    pub min_healthy: MinHealthy,
    /// What becomes of its health before it is served.
    pub calm: Calm,
}

/// Weights; [`Weight`] says what they mean.
pub(super) const WEIGHT: std::ops::RangeInclusive<i64> = 0..=65535;
const CHECK_WANTED: &str = "the name of a check, or a list of names";
const LOCATION_WANTED: &str =
    "the region of a cloud, \"aws:us-east-1\", or { latitude = 38.95, longitude = -77.45 }";
const MIN_HEALTHY_WANTED: &str = "a whole number from 1 to 65535, or \"1%\" to \"100%\"";

impl Region {
    pub(super) fn read_all(v: &Value<'_>) -> Option<Vec<Self>> {
        let entries = v.entries("a table of regions: [regions.us-east]")?;
        let read = entries.into_iter().map(|(name, place, v)| {
            let mut region = Self::new(names::read(name, place, &v));
            v.table(|t| region.read(t));
            region
        });
        Some(read.collect())
    }

    fn new(name: Spanned<Arc<str>>) -> Self {
        Self {
            name,
            addresses: Vec::new(),
            weight: Weight::DEFAULT,
            capacity: None,
            location: None,
            check: Vec::new(),
            min_healthy: MinHealthy::Count(1),
            calm: Calm::default(),
        }
    }

    fn read(&mut self, t: &Table<'_>) {
        t.set("addresses", &mut self.addresses, addresses);
        t.set("weight", &mut self.weight, weight);
        t.set("capacity", &mut self.capacity, |v| {
            v.number(f64::MIN_POSITIVE..=1e15, "a number above 0, up to 1e15").map(Some)
        });
        t.set("location", &mut self.location, |v| location(v).map(Some));
        t.set("check", &mut self.check, check);
        t.set("min_healthy", &mut self.min_healthy, min_healthy);
        self.calm = calm::region(t);
    }
}

/// One name of a check, or a list of them.
pub(super) fn check(v: &Value<'_>) -> Option<Vec<Spanned<String>>> {
    let names = names::one_or_more(v, CHECK_WANTED)?;
    refuse_twice(v, &names);
    Some(names)
}

pub(super) fn weight(v: &Value<'_>) -> Option<Weight> {
    v.integer(WEIGHT).map(Weight)
}

/// A list of addresses that a client could be sent to.
pub(super) fn addresses(v: &Value<'_>) -> Option<Vec<Spanned<IpAddr>>> {
    let list = v.list("a list of addresses", |v| address(v).map(|a| v.with_place(a)));
    if list.as_ref().is_none_or(|list| list.len() < v.elements().len()) {
        v.cx.lost(|l| l.addresses = true);
    }
    refuse_twice(v, list.as_deref().unwrap_or_default());
    list
}

fn address(v: &Value<'_>) -> Option<IpAddr> {
    let wanted = "an IPv4 or IPv6 address";
    let address: IpAddr = match v.text() {
        Some(text) if text.parse::<std::net::SocketAddr>().is_ok() => {
            return v.refuse_with(wanted, "DNS carries no ports; remove it");
        }
        _ => v.parsed(wanted, |text| text.parse().ok())?,
    };
    if let IpAddr::V6(v6) = address
        && let Some(v4) = v6.to_ipv4_mapped()
    {
        return v.refuse_with(wanted, format!("write the IPv4 address: \"{v4}\""));
    }
    let broadcast = address == IpAddr::V4(std::net::Ipv4Addr::BROADCAST);
    if address.is_unspecified() || address.is_multicast() || broadcast {
        return v.refuse("the address of one host");
    }
    Some(address)
}

fn location(v: &Value<'_>) -> Option<Location> {
    let location = match v.text() {
        Some(name) => cloud(v, name),
        None if v.tree.is_table() => v.table(clients::coordinates).flatten(),
        None => v.refuse(LOCATION_WANTED),
    };
    if location.is_none() {
        v.cx.lost(|l| l.locations = true);
    }
    location
}

/// The place of a cloud's region.
fn cloud(v: &Value<'_>, name: &str) -> Option<Location> {
    cloud_region(name).or_else(|| {
        // Which cloud is a part of the name that hardly anybody mistypes.
        let cloud = name.split_once(':').map_or("", |(cloud, _)| cloud);
        let same = |known: &&str| known.split_once(':').is_some_and(|(of, _)| of == cloud);
        let near = nearest(name, cloud_regions().filter(same));
        match near.or_else(|| nearest(name, cloud_regions())) {
            Some(near) => v.refuse_with(LOCATION_WANTED, format!("did you mean \"{near}\"?")),
            None => v.refuse(LOCATION_WANTED),
        }
    })
}

fn min_healthy(v: &Value<'_>) -> Option<MinHealthy> {
    if let Some(count) = v.as_integer() {
        let count = u16::try_from(count).ok().filter(|n| *n > 0).map(MinHealthy::Count);
        return count.or_else(|| v.refuse(MIN_HEALTHY_WANTED));
    }
    v.parsed(MIN_HEALTHY_WANTED, |text| {
        let percent = text.strip_suffix('%')?.parse().ok()?;
        (1..=100).contains(&percent).then_some(MinHealthy::Percent(percent))
    })
}
