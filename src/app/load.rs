//! Files become an assembly: the same path for start, reload and `check`.
//!
//! Configuration, references, databases and zones are all read, whatever is wrong with one of them, so that
//! every problem is reported at once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::clients::Clients;
use super::resolve::resolve;
use super::secrets;
use super::watch::Files;
use crate::clock;
use crate::config::{self, Config, ZoneData};
use crate::model::RecordId;
use crate::problem::Problems;
use crate::routing::{Assembly, Networks, Options, RateLimit};
use crate::wire::Name;
use crate::zone::{self, Names};

/// What a configuration came to.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration itself, for what is not about answers.
    pub config: Config,
    /// All that it says about answers.
    pub assembly: Arc<Assembly>,
    /// What is used although it is probably not meant.
    pub warnings: Problems,
    /// The serials of the zones without a file.
    pub serials: Serials,
    /// What the tables of clients were made of; a server keeps none of it.
    pub clients: Clients,
    /// The files of those, as they were when they were read.
    pub(super) files: Files,
}

/// For each zone without a file, what the configuration says of it and the serial that it has
/// had since that last changed.
pub type Serials = HashMap<Name, (ZoneData, u32)>;

/// Where the counters of answers are: by region, and by record where records are counted.
pub type Columns<'a> = dyn FnMut(&str, Option<&str>) -> u32 + 'a;

/// Reads a configuration and all that it refers to. `before` is what an earlier load gave.
///
/// # Errors
/// Every problem of the configuration, its databases and its zones, when any of them refuses it.
pub fn load(path: &Path, before: &Serials, column: &mut Columns<'_>) -> Result<Loaded, Problems> {
    let (config, mut problems) = config::read(path);
    let Some(config) = config else { return Err(problems) };
    let parts = resolve(&config, &mut problems);
    // Looked at before they are read: what changes meanwhile will be found to have changed.
    let files = Files::look(Clients::files(&config));
    let clients = Clients::open(&config, &mut problems);

    let mut serials = Serials::new();
    let zones: Vec<zone::Loaded> = config
        .zones
        .iter()
        .map(|zone| match &zone.data {
            ZoneData::File(file) => zone::load(&file.value, &zone.name.value, &mut problems),
            ZoneData::Made { nameservers, hostmaster, negative_ttl } => {
                let (apex, place) = (&zone.name.value, &zone.name.place);
                let serial = serial(before, apex, &zone.data);
                serials.insert(apex.clone(), (zone.data.clone(), serial));
                let servers: Vec<_> =
                    nameservers.iter().map(|(name, at)| (name.value.clone(), at.clone())).collect();
                let problems = &mut problems;
                zone::synthesize(apex, &servers, hostmaster, *negative_ttl, serial, place, problems)
            }
        })
        .collect();
    // A record outside every zone has been reported with the configuration.
    let in_a_zone = |name: &Name| config.zones.iter().any(|zone| name.is_within(&zone.name));
    let dynamic: Vec<_> = (0..)
        .map(RecordId)
        .zip(&parts.records)
        .filter(|(_, record)| in_a_zone(&record.name))
        .map(|(id, record)| (record.name.clone(), id, record.place.clone()))
        .collect();
    let names = Names::build(zones, &dynamic, &mut problems);
    let cookies = secrets::cookies(&config.server.cookies, &mut problems);
    if problems.any_error() {
        return Err(problems);
    }

    let places = match clients.places(&config, &parts) {
        Ok(places) => Arc::new(places),
        Err(broken) => {
            problems.extend(broken);
            return Err(problems);
        }
    };
    let told = |text: &Option<String>| text.as_deref().map(Arc::from);
    let idle_tenths = config.server.tcp.idle_timeout.as_millis() / 100;
    let options = Options {
        udp_payload_max: config.server.udp_payload_max,
        client_subnet: config.geo.client_subnet,
        nsid: told(&config.server.nsid),
        version_bind: told(&config.server.version_bind),
        cookies,
        rate_limit: rate_limit(&config.server.rate_limit),
        keepalive: u16::try_from(idle_tenths).unwrap_or(u16::MAX),
    };
    let per_record = config.metrics.per_record;
    let assembly = Assembly::new(parts, Arc::new(names), places, options, |region, record| {
        let record = per_record.then(|| record.name.to_string());
        column(&region.name, record.as_deref())
    });
    let assembly = Arc::new(assembly);
    Ok(Loaded { config, assembly, warnings: problems, serials, clients, files })
}

fn rate_limit(config: &config::RateLimit) -> Option<RateLimit> {
    config.enabled.then(|| RateLimit {
        responses_per_second: config.responses_per_second,
        errors_per_second: config.errors_per_second,
        slip: config.slip,
        dry_run: config.dry_run,
        exempt: Networks::new(&config.exempt),
    })
}

/// The serial that a zone without a file keeps, or else the time, in seconds since 1970.
fn serial(before: &Serials, name: &Name, data: &ZoneData) -> u32 {
    let now = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    match before.get(name) {
        Some((was, serial)) if was == data => *serial,
        // Serials are compared by RFC 1982, so that one may wrap around.
        _ => now as u32,
    }
}
