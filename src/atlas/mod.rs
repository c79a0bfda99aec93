//! Facts about the world that never depend on a configuration: codes of places, where they are,
//! and how databases name them.
//!
//! The facts stand in tables under `data/`, plain text that can be read and corrected without
//! knowing Rust; tests check that every row is sound. They are facts only, compiled for this
//! project; no text or file of others is part of them. What they follow:
//!
//! - country and subdivision codes: ISO 3166-1 and 3166-2 as the ISO publishes them;
//! - continents: as GeoNames and MaxMind have them, see [`Country::continent`];
//! - middles of countries: geographic coordinates as in the CIA World Factbook (public domain),
//!   rounded, and moved to the mainland, or to where the people live, where that is far away;
//! - names of subdivisions: English usage, and what DB-IP's city database writes;
//! - cloud regions: the city or the part of the country that AWS, Google, Microsoft, Oracle,
//!   DigitalOcean, Hetzner, Akamai (Linode), Scaleway and Vultr name in their public lists.

mod clouds;
mod code;
mod countries;
mod location;
mod names;
mod subdivisions;

pub use clouds::{cloud_region, cloud_regions};
pub use code::{Continent, Country, NotACode, Subdivision};
pub use location::Location;
