//! Files become an assembly: the same path for start, reload and `check`.
//!
//! Configuration, references, databases and zones are all read, whatever is wrong with one of them, so that
//! every problem is reported at once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::access;
use super::checks;
use super::clients::Clients;
use super::credentials;
use super::endpoints;
use super::resolve::{depends_on_sources, resolve};
use super::secrets;
use super::transfers;
use super::user;
use super::watch::Files;
use super::webhooks;
use crate::admin::Access;
use crate::clock;
use crate::config::{self, Config, Zone, ZoneData};
use crate::metrics::Metrics;
use crate::model::RecordId;
use crate::problem::Problems;
use crate::routing::{Assembly, Fixed, Logged, Networks, Options, Parts, RateLimit};
use crate::webhook::Hook;
use crate::wire::{Name, is_newer};
use crate::zone::{self, Names};

/// What a configuration came to.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration itself, for what is not about answers. Of its records it has only those that
    /// [depend on sources](depends_on_sources).
    pub config: Config,
    /// All that it says about answers.
    pub assembly: Arc<Assembly>,
    /// What is used although it is probably not meant.
    pub warnings: Problems,
    /// The serials of the zones without a file.
    pub serials: Serials,
    /// What the admin listener asks of whom.
    pub access: Arc<Access>,
    /// Who is told of events.
    pub hooks: Vec<Arc<Hook>>,
    /// What the tables of clients were made of; a server keeps none of it.
    pub clients: Clients,
    /// The files of those, as they were when they were read.
    pub(super) files: Files,
}

impl Loaded {
    /// The same, with answers from regions that are in no policy of a record (yet) counted there as
    /// well.
    #[must_use]
    pub fn counted(mut self, metrics: &Arc<Metrics>) -> Self {
        let (metrics, per_record) = (Arc::clone(metrics), self.config.metrics.per_record);
        Arc::make_mut(&mut self.assembly).set_columns(move |region, record| {
            let record = per_record.then(|| record.name.to_string());
            metrics.column(&region.name, record.as_deref())
        });
        self
    }
}

/// Each zone without a file.
pub type Serials = HashMap<Name, Serial>;

/// What makes a zone without a file, and the serial that it has had since that last changed.
#[derive(Debug, Clone)]
pub struct Serial {
    data: ZoneData,
    /// The addresses of its dynamic names in transfers.
    fixed: Vec<(Name, Fixed)>,
    number: u32,
}

/// Where the counters of answers are: by region, and by record where records are counted.
pub type Columns<'a> = dyn FnMut(&str, Option<&str>) -> u32 + 'a;

/// Reads a configuration and all that it refers to. `before` is what an earlier load gave.
///
/// # Errors
/// Every problem of the configuration, its databases and its zones, when any of them refuses it.
pub fn load(path: &Path, before: &Serials, column: &mut Columns<'_>) -> Result<Loaded, Problems> {
    let (config, mut problems) = config::read(path);
    let Some(mut config) = config else { return Err(problems) };
    credentials::load(&mut config, &mut problems);
    let parts = resolve(&config, &mut problems);
    // Looked at before they are read: what changes meanwhile will be found to have changed.
    let files = Files::look(Clients::files(&config));
    let clients = Clients::open(&config, &mut problems);
    let named = endpoints::named(&config);
    // There may be a hundred thousand of them, and nothing looks at most of them again.
    config.records.retain(depends_on_sources);
    config.records.shrink_to_fit();

    let from_file = |zone: &Zone, problems: &mut Problems| match &zone.data {
        ZoneData::File(file) => Some(zone::load(&file.value, &zone.name.value, problems)),
        ZoneData::Made { .. } => None,
    };
    let of_files: Vec<_> = config.zones.iter().map(|zone| from_file(zone, &mut problems)).collect();
    let keys = transfers::keys(&config, &mut problems);
    user::check(&config, &mut problems);
    checks::check(&config, &mut problems);
    let places = match problems.any_error() {
        true => None,
        false => match clients.places(&config, &parts) {
            Ok(places) => Some(Arc::new(places)),
            Err(broken) => {
                problems.extend(broken);
                None
            }
        },
    };
    let fixed = places.as_ref().and_then(|places| transfers::fixed_of(&config, &parts, places));
    let mut serials = Serials::new();
    let zones: Vec<zone::Loaded> = (config.zones.iter().zip(of_files))
        .map(|(zone, of_file)| {
            of_file.unwrap_or_else(|| {
                let fixed = fixed_within(&zone.name, &parts, fixed.as_deref().unwrap_or_default());
                let serial = Serial::of(zone, fixed, before);
                let made = make(zone, serial.number, &mut problems);
                serials.insert(zone.name.value.clone(), serial);
                made
            })
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
    endpoints::check(&config, &named, &names, &mut problems);
    let cookies = secrets::cookies(&config.server.cookies, &mut problems);
    let access = access::load(&config, &mut problems);
    let hooks = webhooks::hooks(&config, &mut problems);
    transfers::check(&config, &names, &mut problems);
    let Some(places) = places.filter(|_| !problems.any_error()) else { return Err(problems) };
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
        transfers: Arc::new(transfers::transfers(&config, keys, fixed)),
        logged: logged(&config.query_log),
    };
    let per_record = config.metrics.per_record;
    let assembly = Assembly::new(parts, Arc::new(names), places, options, |region, record| {
        let record = per_record.then(|| record.name.to_string());
        column(&region.name, record.as_deref())
    });
    let assembly = Arc::new(assembly);
    let access = Arc::new(access);
    Ok(Loaded { config, assembly, warnings: problems, serials, access, hooks, clients, files })
}

fn logged(config: &config::QueryLog) -> Option<Logged> {
    let (json, dnstap) = (config.file.is_some(), config.dnstap.socket.is_some());
    let threshold = Logged::threshold(config.sample);
    (json || dnstap).then_some(Logged { threshold, json, dnstap })
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

impl Serial {
    /// The serial that a zone without a file keeps, or else a newer one: the time in seconds since
    /// 1970, if that is newer.
    fn of(zone: &Zone, fixed: Vec<(Name, Fixed)>, before: &Serials) -> Self {
        let now = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let same = |was: &&Self| was.data == zone.data && was.fixed == fixed;
        // Serials are compared by RFC 1982, so that one may wrap around.
        let now = now as u32;
        let number = match before.get(&*zone.name) {
            Some(was) if same(&was) => was.number,
            // A second change within a second, or a clock that was set back.
            Some(was) if !is_newer(now, was.number) => was.number.wrapping_add(1),
            _ => now,
        };
        Self { data: zone.data.clone(), fixed, number }
    }
}

/// What dynamic names in a zone have in transfers.
fn fixed_within(zone: &Name, parts: &Parts, fixed: &[Fixed]) -> Vec<(Name, Fixed)> {
    let all = parts.records.iter().zip(fixed).map(|(record, fixed)| (&record.name, fixed));
    let within = all.filter(|(name, _)| name.is_within(zone));
    within.map(|(name, fixed)| (name.clone(), fixed.clone())).collect()
}

/// A zone without a file.
fn make(zone: &Zone, serial: u32, problems: &mut Problems) -> zone::Loaded {
    let (apex, place) = (&zone.name.value, &zone.name.place);
    match &zone.data {
        ZoneData::Made { nameservers, hostmaster, negative_ttl } => {
            let servers: Vec<_> =
                nameservers.iter().map(|(name, at)| (name.value.clone(), at.clone())).collect();
            zone::synthesize(apex, &servers, hostmaster, *negative_ttl, serial, place, problems)
        }
        ZoneData::File(file) => zone::load(&file.value, apex, problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc1982_a_zone_without_a_file_that_changes_has_a_newer_serial() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trimtab.toml");
        let load = |address: &str, before: &Serials| {
            let zone = format!("nameservers = {{ \"ns.made.test\" = [\"{address}\"] }}");
            let text = format!("version = 1\n[zones.\"made.test\"]\n{zone}\n");
            std::fs::write(&path, text).unwrap();
            let loaded = load(&path, before, &mut |_, _| 0).unwrap();
            (loaded.assembly.names.zones()[0].serial(), loaded.serials)
        };
        let (first, mut serials) = load("192.0.2.1", &Serials::new());
        let (same, _) = load("192.0.2.1", &serials);
        assert_eq!(same, first);
        // Most likely within the same second.
        let (second, _) = load("192.0.2.2", &serials);
        assert!(is_newer(second, first));
        // A clock that was set back by an hour, as it looks now.
        serials.values_mut().for_each(|was| was.number += 3600);
        let (third, _) = load("192.0.2.2", &serials);
        assert_eq!(third, first + 3601);
    }
}
