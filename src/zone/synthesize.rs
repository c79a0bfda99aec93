//! A zone without a file: an SOA, its nameservers, and their addresses.

use std::net::IpAddr;

use crate::problem::{Place, Problems};
use crate::wire::{Name, rtype};

use super::findings::Findings;
use super::loaded::Loaded;

/// Seconds for which the SOA, the nameservers and their addresses are cached.
const TTL: u32 = 3600;
/// For secondaries, in seconds: refresh, retry, expire.
const TIMES: [u32; 3] = [7200, 900, 1_209_600];

/// Makes a zone of what the configuration says of it.
///
/// `nameservers` are names with the addresses of those that are in the zone; the first is the
/// primary. `hostmaster` is the mailbox as a name (RFC 1035 section 8), `negative_ttl` in
/// seconds the MINIMUM of the SOA. Problems are at `place`.
pub fn synthesize(
    apex: &Name,
    nameservers: &[(Name, Vec<IpAddr>)],
    hostmaster: &Name,
    negative_ttl: u32,
    serial: u32,
    place: &Place,
    problems: &mut Problems,
) -> Loaded {
    let mut loaded = Loaded::new(apex.clone(), place.clone());
    let primary = nameservers.first().map_or(apex, |(name, _)| name);
    let soa_ttl = TTL.max(negative_ttl);
    loaded.push(apex.as_wire(), rtype::SOA, soa_ttl, (0, 0), |to| {
        to.extend_from_slice(primary.as_wire());
        to.extend_from_slice(hostmaster.as_wire());
        let [refresh, retry, expire] = TIMES;
        for number in [serial, refresh, retry, expire, negative_ttl] {
            to.extend_from_slice(&number.to_be_bytes());
        }
    });
    for (name, _) in nameservers {
        let data = name.as_wire();
        loaded.push(apex.as_wire(), rtype::NS, TTL, (0, 0), |to| to.extend_from_slice(data));
    }
    for (name, addresses) in nameservers.iter().filter(|(name, _)| name.is_within(apex)) {
        for address in addresses {
            let at = (0, 0);
            match address {
                IpAddr::V4(v4) => {
                    loaded.push(name.as_wire(), rtype::A, TTL, at, |to| to.extend(v4.octets()))
                }
                IpAddr::V6(v6) => {
                    loaded.push(name.as_wire(), rtype::AAAA, TTL, at, |to| to.extend(v6.octets()))
                }
            };
        }
    }
    loaded.settle(Findings::default(), problems);
    loaded
}
