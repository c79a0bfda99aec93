//! One look: both families of a name, asked of resolvers at the same time.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{self, RData, RecordType};
use hickory_resolver::proto::serialize::binary::BinDecodable;
use hickory_resolver::{TokioResolver, system_conf};

use super::look::Settings;
use super::special::taken;
use crate::model::Looked;
use crate::wire::Name;

/// How often one server is asked within the time that a look may take.
const ATTEMPTS: usize = 2;

/// Who asks.
pub(super) struct Asker {
    /// Without one there is the reason for it, which each look comes to.
    resolver: Result<TokioResolver, Arc<str>>,
    settings: Settings,
    loopback: bool,
}

/// What asking for one family came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found<A> {
    /// Addresses as they were received, and their least TTL in seconds, that of CNAMEs included.
    Addresses(Vec<A>, u32),
    /// The name has none, and why.
    Nothing(&'static str),
    /// It could not be asked for.
    Failed(String),
}

impl Asker {
    pub(super) fn new(settings: Settings) -> Self {
        let resolver = resolver(&settings);
        let resolver = resolver.map_err(|error| format!("no resolver to ask: {error}").into());
        let mut servers = settings.servers.iter();
        let loopback =
            !settings.servers.is_empty() && servers.all(|server| server.ip().is_loopback());
        Self { resolver, settings, loopback }
    }

    /// Looks a name up.
    pub(super) async fn look(&self, name: &Name) -> Looked {
        let (v4, v6) = match (&self.resolver, fqdn(name)) {
            (Ok(resolver), Some(name)) => tokio::join!(
                self.ask(resolver.lookup(name.clone(), RecordType::A), v4),
                self.ask(resolver.lookup(name.clone(), RecordType::AAAA), v6),
            ),
            (Err(why), _) => (Found::Failed(why.to_string()), Found::Failed(why.to_string())),
            (Ok(_), None) => {
                let why = "no name that can be asked for";
                (Found::Failed(why.into()), Found::Failed(why.into()))
            }
        };
        let pace = self.settings.pace;
        looked(name, v4, v6, self.loopback, |ttl| pace.bounded(ttl))
    }

    async fn ask<A>(
        &self,
        lookup: impl Future<Output = Result<Lookup, NetError>>,
        address: impl Fn(&RData) -> Option<A>,
    ) -> Found<A> {
        let timeout = self.settings.timeout;
        match tokio::time::timeout(timeout, lookup).await {
            Ok(Ok(lookup)) => {
                let answers = lookup.answers();
                let addresses: Vec<A> = answers.iter().filter_map(|r| address(&r.data)).collect();
                let ttl = answers.iter().map(|record| record.ttl).min().unwrap_or_default();
                match addresses.is_empty() {
                    true => Found::Nothing("no address"),
                    false => Found::Addresses(addresses, ttl),
                }
            }
            Ok(Err(NetError::Dns(DnsError::NoRecordsFound(nothing)))) => {
                match nothing.response_code {
                    ResponseCode::NoError => Found::Nothing("no address"),
                    ResponseCode::NXDomain => Found::Nothing("NXDOMAIN: there is no such name"),
                    code => Found::Failed(word(code)),
                }
            }
            Ok(Err(NetError::Dns(DnsError::ResponseCode(code)))) => Found::Failed(word(code)),
            Err(_) | Ok(Err(NetError::Timeout)) => Found::Failed(timed_out(timeout)),
            Ok(Err(error)) => Found::Failed(error.to_string()),
        }
    }
}

fn timed_out(after: Duration) -> String {
    format!("no answer within {}", humantime::format_duration(after))
}

/// A response code as it is written everywhere.
fn word(code: ResponseCode) -> String {
    match code {
        ResponseCode::ServFail => "SERVFAIL".into(),
        ResponseCode::Refused => "REFUSED".into(),
        ResponseCode::FormErr => "FORMERR".into(),
        ResponseCode::NotImp => "NOTIMP".into(),
        code => code.to_string(),
    }
}

fn v4(data: &RData) -> Option<Ipv4Addr> {
    if let RData::A(a) = data { Some(a.0) } else { None }
}

fn v6(data: &RData) -> Option<Ipv6Addr> {
    if let RData::AAAA(aaaa) = data { Some(aaaa.0) } else { None }
}

/// The name as hickory has it; one that ends with a dot, so that no search list is gone through.
fn fqdn(name: &Name) -> Option<rr::Name> {
    let mut name = rr::Name::from_bytes(name.as_wire()).ok()?;
    name.set_fqdn(true);
    Some(name)
}

fn resolver(settings: &Settings) -> Result<TokioResolver, NetError> {
    let config = match &*settings.servers {
        [] => {
            let (_, _, servers) = system_conf::read_system_conf()?.0.into_parts();
            ResolverConfig::from_name_servers(servers)
        }
        servers => ResolverConfig::from_name_servers(servers.iter().map(server).collect()),
    };
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options = builder.options_mut();
    options.timeout = settings.timeout / (ATTEMPTS as u32 + 1);
    options.attempts = ATTEMPTS;
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.try_tcp_on_error = true;
    builder.build()
}

fn server(at: &SocketAddr) -> NameServerConfig {
    let with_port = |mut connection: ConnectionConfig| {
        connection.port = at.port();
        connection
    };
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(with_port);
    NameServerConfig::new(at.ip(), true, connections.into())
}

/// Both families together. That a family has no address is no trouble beside one that has some.
pub(super) fn looked(
    name: &Name,
    v4: Found<Ipv4Addr>,
    v6: Found<Ipv6Addr>,
    loopback: bool,
    bounded: impl Fn(u32) -> u32,
) -> Looked {
    let (v4, v6) = (Side::of(v4, loopback), Side::of(v6, loopback));
    let ttl = v4.ttl.into_iter().chain(v6.ttl).min();
    let trouble = match (&v4.failed, &v6.failed) {
        (None, None) if ttl.is_some() => None,
        (None, None) => Some(v4.nothing.or(v6.nothing).unwrap_or("no address").to_owned()),
        (Some(a), Some(aaaa)) if a == aaaa => Some(a.clone()),
        (Some(a), Some(aaaa)) => Some(format!("A: {a}; AAAA: {aaaa}")),
        (Some(a), None) => Some(format!("A: {a}")),
        (None, Some(aaaa)) => Some(format!("AAAA: {aaaa}")),
    };
    Looked {
        name: name.clone(),
        v4: v4.list,
        v6: v6.list,
        ttl_secs: ttl.map_or(0, bounded),
        trouble: trouble.map(Into::into),
    }
}

/// What is told of one family.
struct Side<A> {
    list: Option<Vec<A>>,
    ttl: Option<u32>,
    nothing: Option<&'static str>,
    failed: Option<String>,
}

impl<A: Copy + Ord + Into<IpAddr>> Side<A> {
    fn of(found: Found<A>, loopback: bool) -> Self {
        let side = Self { list: None, ttl: None, nothing: None, failed: None };
        match found {
            Found::Addresses(all, ttl) => match taken(&all, loopback) {
                list if !list.is_empty() => Self { list: Some(list), ttl: Some(ttl), ..side },
                _ => {
                    let first = all.first().map(|first| (*first).into().to_string());
                    let first = first.unwrap_or_default();
                    let failed = format!("{first}, which is not the address of another host");
                    Self { failed: Some(failed), ..side }
                }
            },
            Found::Nothing(why) => Self { list: Some(Vec::new()), nothing: Some(why), ..side },
            Found::Failed(why) => Self { failed: Some(why), ..side },
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn v4(found: &str) -> Found<Ipv4Addr> {
        of(found, |n| [192, 0, 2, n].into())
    }

    fn v6(found: &str) -> Found<Ipv6Addr> {
        of(found, |n| [0x2001, 0xdb8, 0, 0, 0, 0, 0, n.into()].into())
    }

    /// `1 2 @ 60`: two addresses with a TTL; `-`: none; else why it failed.
    fn of<A>(found: &str, address: impl Fn(u8) -> A) -> Found<A> {
        match found.split_once(" @ ") {
            Some((all, ttl)) => {
                let all = all.split(' ').map(|n| address(n.parse().unwrap()));
                Found::Addresses(all.collect(), ttl.parse().unwrap())
            }
            None if found == "-" => Found::Nothing("no address"),
            None => Found::Failed(found.into()),
        }
    }

    #[rstest]
    #[case::both("2 1 @ 60", "1 @ 30", "192.0.2.1 192.0.2.2", "2001:db8::1", 30, "")]
    #[case::one_family("1 @ 60", "-", "192.0.2.1", "", 60, "")]
    #[case::the_other_one("-", "1 @ 60", "", "2001:db8::1", 60, "")]
    #[case::neither("-", "-", "", "", 0, "no address")]
    #[case::one_fails("1 @ 60", "SERVFAIL", "192.0.2.1", "?", 60, "AAAA: SERVFAIL")]
    #[case::one_fails_beside_nothing("REFUSED", "-", "?", "", 0, "A: REFUSED")]
    #[case::both_fail("SERVFAIL", "SERVFAIL", "?", "?", 0, "SERVFAIL")]
    #[case::by_different_things("SERVFAIL", "REFUSED", "?", "?", 0, "A: SERVFAIL; AAAA: REFUSED")]
    #[case::the_floor("1 @ 1", "-", "192.0.2.1", "", 5, "")]
    fn two_families_make_an_answer(
        #[case] a: &str,
        #[case] aaaa: &str,
        #[case] wanted_v4: &str,
        #[case] wanted_v6: &str,
        #[case] ttl: u32,
        #[case] trouble: &str,
    ) {
        fn shown<A: ToString>(list: Option<Vec<A>>) -> String {
            let shown = |list: Vec<A>| list.iter().map(A::to_string).collect::<Vec<_>>().join(" ");
            list.map_or("?".into(), shown)
        }
        let name = Name::from_text("lb.example.net").unwrap();
        let got = looked(&name, v4(a), v6(aaaa), false, |ttl| ttl.max(5));
        assert_eq!((&*shown(got.v4), &*shown(got.v6)), (wanted_v4, wanted_v6));
        assert_eq!((got.ttl_secs, got.trouble.as_deref().unwrap_or_default()), (ttl, trouble));
    }

    #[test]
    fn what_no_client_reaches_is_trouble() {
        let found = Found::Addresses(vec![Ipv4Addr::LOCALHOST], 60);
        let name = Name::from_text("lb.example.net").unwrap();
        let got = looked(&name, found, v6("-"), false, |ttl| ttl);
        assert_eq!((got.v4, got.v6), (None, Some(Vec::new())));
        let why = "A: 127.0.0.1, which is not the address of another host";
        assert_eq!(got.trouble.as_deref(), Some(why));
    }
}
