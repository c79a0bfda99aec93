//! What says where clients are, and how far from regions: the databases, own networks and the
//! latency table of a configuration, opened by a load and again when one of their files is replaced.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::resolve::supplied;
use crate::config::{self, Config};
use crate::geo::{Database, DatabaseError, Geo, LatencyTable, Network};
use crate::problem::{Place, Problem, Problems};
use crate::routing::{Parts, Places};

/// All that is known of clients, while tables are made of it.
#[derive(Debug, Default)]
pub struct Clients {
    /// Where they are.
    pub geo: Geo,
    /// How far from regions.
    pub latency: LatencyTable,
}

impl Clients {
    /// Opens everything that a configuration names, and reports what cannot be used, and what its
    /// policies ask in vain. What it returns is only complete when no problem is an error.
    #[must_use]
    pub fn open(config: &Config, problems: &mut Problems) -> Self {
        let before = problems.errors();
        let mut geo = Geo { networks: networks(config), databases: Vec::new() };
        for file in &config.geo.databases {
            match Database::open(file) {
                Ok(database) => geo.databases.push(database),
                Err(error) => problems.push(broken(config, &error)),
            }
        }
        let latency = match &config.latency.table {
            Some(file) => table(file, config, problems),
            None => LatencyTable::default(),
        };
        if problems.errors() == before {
            supplied(config, &geo, &latency, problems);
        }
        Self { geo, latency }
    }

    /// Maps all prefixes to classes.
    ///
    /// # Errors
    /// When a database turns out to be broken.
    pub fn places(&self, config: &Config, parts: &Parts) -> Result<Places, Problems> {
        Places::build(parts, &self.geo, &self.latency)
            .map_err(|error| Problems(vec![broken(config, &error)]))
    }

    /// The files that are opened for a configuration.
    pub(super) fn files(config: &Config) -> Vec<PathBuf> {
        let table = config.latency.table.iter();
        config.geo.databases.iter().chain(table).map(|file| file.value.clone()).collect()
    }

    /// The databases with the times at which they were built, in seconds since 1970.
    #[must_use]
    pub fn built(&self) -> Vec<(PathBuf, u64)> {
        let built = |database: &Database| (database.path().to_owned(), database.built());
        self.geo.databases.iter().map(built).collect()
    }
}

/// Own networks as a source.
#[must_use]
pub fn networks(config: &Config) -> Vec<Network> {
    let network = |network: &config::Network| Network {
        prefix: network.prefix.value,
        attributes: network.attributes,
    };
    config.geo.networks.iter().map(network).collect()
}

fn table(file: &Path, config: &Config, problems: &mut Problems) -> LatencyTable {
    let regions: Vec<_> =
        config.regions.iter().map(|region| Arc::clone(&region.name.value)).collect();
    LatencyTable::read(file, &regions, problems)
}

/// What is wrong with a database, told at the place that names it.
fn broken(config: &Config, error: &DatabaseError) -> Problem {
    let named = config.geo.databases.iter().find(|file| file.value == error.path);
    let place = named.map_or_else(|| Place::File(error.path.clone()), |file| file.place.clone());
    let found = format!("{}: {}", error.path.display(), error.what);
    Problem::error(place, "geo.databases", found, "an MMDB file that can be read")
}
