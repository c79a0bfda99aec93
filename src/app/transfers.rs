//! What a configuration says about secondaries, with the secrets of its keys read from their files:
//! who may have zones, and who is told of new serials.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use domain::utils::base64;

use super::secrets;
use crate::config::{self, Config, Spanned, TsigKey};
use crate::notify;
use crate::problem::{Place, Problem, Problems};
use crate::routing::{Assembly, Dynamic, Fixed, Parts, Places, Transfers, fixed};
use crate::wire::{Name, tsig};
use crate::zone::Names;

/// Shorter secrets are too easily guessed; what tools make has 32 octets or more.
const SECRET_MIN: usize = 16;

/// Keys with their secrets; what is wrong with a file goes to `problems`.
pub(super) fn keys(config: &Config, problems: &mut Problems) -> Vec<Arc<tsig::Key>> {
    let keys = &config.server.transfer.keys;
    keys.iter().filter_map(|key| read(key, problems).map(Arc::new)).collect()
}

/// Who may have zones, and what of dynamic names.
pub(super) fn transfers(
    config: &Config,
    keys: Vec<Arc<tsig::Key>>,
    fixed: Option<Vec<Fixed>>,
) -> Transfers {
    let transfer = &config.server.transfer;
    let is_holder =
        |key: &&Arc<tsig::Key>| transfer.tsig_keys.iter().any(|name| **name == *key.name());
    Transfers {
        allow: transfer.allow.iter().map(|net| net.value).collect(),
        holders: keys.iter().filter(is_holder).cloned().collect(),
        keys,
        dynamic: match (transfer.dynamic.unwrap_or_default(), fixed) {
            (config::Dynamic::Refuse, _) => Dynamic::Refuse,
            (config::Dynamic::Snapshot, Some(fixed)) => Dynamic::Snapshot(fixed.into()),
            (config::Dynamic::Snapshot | config::Dynamic::Omit, _) => Dynamic::Omit,
        },
    }
}

/// The addresses of dynamic names in transfers, by record, if the configuration asks for them.
pub(super) fn fixed_of(config: &Config, parts: &Parts, places: &Arc<Places>) -> Option<Vec<Fixed>> {
    let is_wanted = config.server.transfer.dynamic == Some(config::Dynamic::Snapshot);
    is_wanted.then(|| fixed(parts, places))
}

/// Whom to tell which serials: those of zones that can be transferred.
pub(super) fn plan(config: &Config, assembly: &Assembly) -> notify::Plan {
    let transfers = &assembly.options.transfers;
    let key =
        |name: &Spanned<Name>| transfers.keys.iter().find(|key| *key.name() == **name).cloned();
    let secondaries = config.server.transfer.notify.iter().map(|secondary| notify::Secondary {
        address: secondary.address.value,
        source: source(&config.server.listen, secondary.address.ip()),
        key: secondary.key.as_ref().and_then(key),
    });
    let names = &assembly.names;
    let refused = |dynamic| dynamic && transfers.dynamic == Dynamic::Refuse;
    let zones = names.zones().iter().filter(|zone| !refused(zone.has_dynamic));
    let zones = zones
        .filter_map(|zone| Some((Name::from_wire(names.owner(zone.apex)).ok()?, zone.serial())));
    notify::Plan { secondaries: secondaries.collect(), zones: zones.collect() }
}

/// The address that a secondary knows this server by: the first of its family that is listened on.
fn source(listen: &[SocketAddr], secondary: IpAddr) -> Option<IpAddr> {
    let mut own = listen.iter().map(SocketAddr::ip).filter(|ip| !ip.is_unspecified());
    // From loopback nobody else can be reached, nor is loopback from elsewhere.
    own.find(|ip| {
        ip.is_ipv4() == secondary.is_ipv4() && ip.is_loopback() == secondary.is_loopback()
    })
}

/// Warns of what was probably not meant.
pub(super) fn check(config: &Config, names: &Names, problems: &mut Problems) {
    let transfer = &config.server.transfer;
    if let (false, Some(first)) = (transfer.is_allowed(), transfer.notify.first()) {
        let place = first.address.place.clone();
        let found = "secondaries that are told of new serials, and nobody who may have zones";
        let wanted = "their networks in allow, or the names of their keys in tsig_keys";
        problems.push(Problem::warning(place, "server.transfer.notify", found, wanted));
    }
    let allow = transfer.allow.first().map(|net| &net.place);
    let place = allow.or(transfer.tsig_keys.first().map(|name| &name.place));
    let (Some(place), None) = (place, transfer.dynamic) else { return };
    let dynamic = config.zones.iter().zip(names.zones()).filter(|(_, zone)| zone.has_dynamic);
    let dynamic: Vec<String> = dynamic.map(|(zone, _)| zone.name.to_string()).collect();
    if let [first, ..] = &*dynamic {
        let found = match dynamic.len() {
            1 => format!("the zone {first} with dynamic names, which no secondary gets"),
            n => format!("{n} zones with dynamic names, {first} for one, which no secondary gets"),
        };
        let wanted = "\"omit\" or \"snapshot\", or \"refuse\" if that is meant";
        let problem = Problem::warning(place.clone(), "server.transfer.dynamic", found, wanted);
        problems.push(problem.hint("\"snapshot\" gives the addresses of every region being up"));
    }
}

/// Reads the secret of a key.
fn read(key: &TsigKey, problems: &mut Problems) -> Option<tsig::Key> {
    const WANTED: &str = "a secret in base64";
    let path = &key.secret_file;
    let label = format!("server.transfer.keys.{}.secret_file", *key.name);
    let text = secrets::read(&label, path, problems)?;
    let text = text.trim();
    let secret = base64::decode::<Vec<u8>>(text).ok().filter(|secret| !secret.is_empty());
    let place = Place::File(path.value.clone());
    let Some(secret) = secret else {
        let hint = match text.contains("secret") {
            true => "leave only what stands between the quotes behind \"secret\"",
            false => "openssl rand -base64 32 makes one",
        };
        problems.push(Problem::error(place, label, "no base64", WANTED).hint(hint));
        return None;
    };
    if secret.len() < SECRET_MIN {
        let found = format!("a secret of {} octets", secret.len());
        let wanted = format!("one of at least {SECRET_MIN} octets, which nobody guesses");
        let hint = "openssl rand -base64 32 makes one";
        problems.push(Problem::warning(place, label, found, wanted).hint(hint));
    }
    Some(tsig::Key::new(key.name.value.clone(), key.algorithm.value, &secret))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const ALL: &[&str] =
        &["0.0.0.0:53", "127.0.0.1:53", "192.0.2.1:53", "192.0.2.2:53", "[::1]:53"];

    #[rstest]
    #[case::the_first_of_the_family(ALL, "198.51.100.1", Some("192.0.2.1"))]
    #[case::on_the_same_host(ALL, "127.0.0.2", Some("127.0.0.1"))]
    #[case::of_the_other_family(ALL, "::1", Some("::1"))]
    #[case::beyond_loopback(ALL, "2001:db8::1", None)]
    #[case::any_address(&["0.0.0.0:53", "[::]:53"], "198.51.100.1", None)]
    fn secondaries_are_told_from_where_they_ask(
        #[case] listen: &[&str],
        #[case] secondary: &str,
        #[case] wanted: Option<&str>,
    ) {
        let listen: Vec<SocketAddr> = listen.iter().map(|at| at.parse().unwrap()).collect();
        let wanted = wanted.map(|ip| ip.parse().unwrap());
        assert_eq!(source(&listen, secondary.parse().unwrap()), wanted);
    }
}
