//! What is probed, how, and how often.

mod dns;
mod exec;
mod icmp;
mod placeholders;
mod prometheus;
mod push;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{AgentProbe, Digest, GrpcProbe, HttpProbe, TargetId, TlsProbe};
pub use dns::DnsProbe;
pub use exec::ExecProbe;
pub use icmp::IcmpProbe;
pub use prometheus::{Comparison, FailWhen, PrometheusProbe};
pub use push::PushProbe;

/// A configured check.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// What is asked and what must be answered.
    pub probe: Probe,
    /// The port, 1 to 65535; 0 for kinds that have none.
    pub port: u16,
    /// Probed instead of the served address.
    pub target: Option<Destination>,
    /// How often, how long, and how many results decide.
    pub timing: Timing,
    /// Whether its results decide anything.
    pub role: Role,
    /// What the health factor of a target that calls itself degraded is multiplied by, 0 to 1.
    pub degraded_factor: f64,
    /// So long before a certificate that it sees expires it is told about.
    pub warn_before: Duration,
}

impl Check {
    /// What a check of this kind has where the configuration says nothing.
    #[must_use]
    pub const fn new(name: Arc<str>, probe: Probe, port: u16, timing: Timing) -> Self {
        Self {
            name,
            probe,
            port,
            target: None,
            timing,
            role: Role::Route,
            degraded_factor: DEGRADED_FACTOR,
            warn_before: WARN_BEFORE,
        }
    }

    /// What a probe for this served address of a region asks: `target`, or the address itself, or what
    /// is known of the region.
    #[must_use]
    pub fn destination(&self, region: &Arc<str>, address: IpAddr) -> Destination {
        match (self.probe.asks(), &self.target) {
            (Asks::Address, Some(target)) => target.clone(),
            (Asks::Address, None) => Destination::Address(address),
            (Asks::Region, _) => Destination::Region(Arc::clone(region)),
            (Asks::Member, _) => Destination::Member { region: Arc::clone(region), address },
        }
    }

    /// Whether what it asks is the same whatever is served: it has a target.
    #[must_use]
    pub const fn asks_of_its_own(&self) -> bool {
        self.target.is_some()
    }

    /// Whether its results decide about health.
    #[must_use]
    pub fn decides(&self) -> bool {
        self.role == Role::Route
    }

    /// A number that stands for what is asked and what is wanted, but not for the timing: health
    /// that was stored is that of this check only if the numbers are equal. The same in every
    /// version of the program, as long as nothing is added to a check.
    #[must_use]
    pub fn definition(&self) -> u64 {
        let target = self.target.as_ref().map(ToString::to_string).unwrap_or_default();
        let digest = Digest::new().number(u64::from(self.port)).text(&target);
        match &self.probe {
            Probe::Tcp => digest.text("tcp"),
            Probe::Http(http) => http.digest(digest.text("http")),
            Probe::Tls(tls) => tls.digest(digest.text("tls")),
            Probe::Agent(agent) => agent.digest(digest.text("agent")),
            Probe::Grpc(grpc) => grpc.digest(digest.text("grpc")),
            Probe::Calculated(_) => digest.text("calculated"),
            Probe::Dns(dns) => dns.digest(digest.text("dns")),
            Probe::Icmp(icmp) => icmp.digest(digest.text("icmp")),
            Probe::Exec(exec) => exec.digest(digest.text("exec")),
            Probe::Prometheus(asked) => asked.digest(digest.text("prometheus")),
            Probe::Push(push) => push.digest(digest.text("push")),
        }
        .finish()
    }
}

/// The checks that are probed: those of a list, and what is behind the calculated ones among them.
/// Each once, in order of first appearance.
#[must_use]
pub fn probed(checks: &[Arc<Check>]) -> Vec<Arc<Check>> {
    let mut found: Vec<Arc<Check>> = Vec::new();
    let mut next: Vec<&Arc<Check>> = checks.iter().rev().collect();
    while let Some(check) = next.pop() {
        match &check.probe {
            Probe::Calculated(calculated) => next.extend(calculated.of.iter().rev()),
            _ if found.iter().any(|known| Arc::ptr_eq(known, check)) => {}
            _ => found.push(Arc::clone(check)),
        }
    }
    found
}

/// What events call a check at a destination: what begins and what ends is told apart by it.
#[must_use]
pub fn subject(destination: &impl fmt::Display, check: &str) -> String {
    format!("{destination}: {check}")
}

impl Target {
    /// What events call it.
    #[must_use]
    pub fn subject(&self) -> String {
        subject(&self.destination, &self.check.name)
    }
}

/// Whether a check's results decide anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Role {
    /// They decide about health.
    #[default]
    Route,
    /// They are only told.
    Monitor,
}

/// [`Check::degraded_factor`] where nothing else is said.
pub const DEGRADED_FACTOR: f64 = 0.5;
/// [`Check::warn_before`] where nothing else is said: 21 days.
pub const WARN_BEFORE: Duration = Duration::from_secs(21 * 24 * 60 * 60);

/// What a probe is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// An address that is served, or what stands for it.
    Address,
    /// A region as a whole.
    Region,
    /// An address, as one of a region's.
    Member,
}

/// What a probe does.
#[derive(Debug, Clone, PartialEq)]
pub enum Probe {
    /// Connecting is enough.
    Tcp,
    /// An HTTP/1.1 request.
    Http(HttpProbe),
    /// A TLS handshake.
    Tls(TlsProbe),
    /// A line of a load balancer's agent.
    Agent(AgentProbe),
    /// A call of gRPC's health service.
    Grpc(GrpcProbe),
    /// Nothing: its state follows from those of other checks.
    Calculated(Calculated),
    /// A question to a nameserver.
    Dns(DnsProbe),
    /// Echo requests.
    Icmp(IcmpProbe),
    /// A program of this host.
    Exec(ExecProbe),
    /// A query to a server that knows figures of the target.
    Prometheus(PrometheusProbe),
    /// Nothing: the region reports itself.
    Push(PushProbe),
}

impl Probe {
    /// The kind as the configuration calls it.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Http(HttpProbe { tls: Some(_), .. }) => "https",
            Self::Http(_) => "http",
            Self::Tls(_) => "tls",
            Self::Agent(_) => "agent",
            Self::Grpc(_) => "grpc",
            Self::Calculated(_) => "calculated",
            Self::Dns(_) => "dns",
            Self::Icmp(_) => "icmp",
            Self::Exec(_) => "exec",
            Self::Prometheus(_) => "prometheus",
            Self::Push(_) => "push",
        }
    }

    /// What it is about.
    #[must_use]
    pub fn asks(&self) -> Asks {
        match self {
            Self::Tcp | Self::Http(_) | Self::Calculated(_) => Asks::Address,
            Self::Tls(_) | Self::Agent(_) | Self::Grpc(_) => Asks::Address,
            Self::Dns(_) | Self::Icmp(_) => Asks::Address,
            Self::Exec(exec) if exec.about_address() => Asks::Member,
            Self::Prometheus(asked) if asked.about_address() => Asks::Member,
            Self::Exec(_) | Self::Prometheus(_) | Self::Push(_) => Asks::Region,
        }
    }
}

/// A check that is up when enough of others are, at the same address.
#[derive(Debug, Clone, PartialEq)]
pub struct Calculated {
    /// The others.
    pub of: Vec<Arc<Check>>,
    /// How many of them must be up; 0: it is always up; more than there are: never.
    pub at_least: u32,
}

/// How often a target is probed and how many results change its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timing {
    /// From the start of one probe to the start of the next.
    pub interval: Duration,
    /// The same while results are counted that may change the state, as far as the budget of such
    /// probes goes; not above `interval`. `None`: the interval.
    pub fast: Option<Duration>,
    /// From connect to the last byte wanted; below the interval.
    pub timeout: Duration,
    /// Consecutive failures before down, 1 to 100.
    pub fall: u32,
    /// Consecutive successes before up, 1 to 100.
    pub rise: u32,
}

/// Probes a second of all targets together that may be made sooner because they are in doubt, where
/// nothing else is said.
pub const FAST_BUDGET: u32 = 50;

/// Where a probe connects to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Destination {
    /// An address.
    Address(IpAddr),
    /// A host name, looked up by the system's resolver for each probe.
    Name(String),
    /// A region, by its name: what is asked is something that knows of it.
    Region(Arc<str>),
    /// An address as one of a region's.
    Member {
        /// The region's name.
        region: Arc<str>,
        /// The address.
        address: IpAddr,
    },
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => name.fmt(f),
            Self::Region(region) => write!(f, "region {region}"),
            Self::Member { region, address } => write!(f, "{address} of {region}"),
        }
    }
}

/// One (check, destination): the unit that is probed and judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Stable for as long as the process lives.
    pub id: TargetId,
    /// The check.
    pub check: Arc<Check>,
    /// Where it connects to.
    pub destination: Destination,
    /// Whether its state is known already (from a store or from before a reload), so that a
    /// first failure need not be checked again quickly.
    pub settled: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClientCertificate, Pattern, Pem, TlsVerify};

    fn check() -> Check {
        Check::new(
            "web".into(),
            Probe::Http(HttpProbe {
                tls: Some(TlsVerify::Full),
                path: "/healthz".into(),
                host: Some("app.example.com".into()),
                headers: vec![("X-Probe".into(), "trimtab".into())],
                ..HttpProbe::default()
            }),
            443,
            Timing {
                interval: Duration::from_secs(10),
                fast: None,
                timeout: Duration::from_secs(2),
                fall: 3,
                rise: 2,
            },
        )
    }

    fn http(change: impl FnOnce(&mut HttpProbe)) -> Check {
        let mut changed = check();
        if let Probe::Http(http) = &mut changed.probe {
            change(http);
        }
        changed
    }

    fn with(probe: Probe) -> Check {
        Check { probe, ..check() }
    }

    #[test]
    fn a_renewed_certificate_is_no_part_of_the_definition_but_of_the_check() {
        let with = |text: &str| {
            let client = ClientCertificate { chain: Pem::from(text), key: Pem::from(text) };
            http(|http| {
                http.credentials.authorities = Some(Pem::from(text));
                http.credentials.client = Some(client);
            })
        };
        assert_eq!(with("old").definition(), with("new").definition());
        assert_ne!(with("old"), with("new"), "so that probes begin to use it");
        assert!(!format!("{:?}", with("secret")).contains("secret"));
    }

    fn of(probe: Probe) -> Check {
        Check { probe, ..check() }
    }

    fn dns(name: &str, rtype: u16, expect: &[&str]) -> Probe {
        let expect = expect.iter().map(|&record| record.into()).collect();
        Probe::Dns(DnsProbe { name: name.into(), rtype, expect })
    }

    fn prometheus(url: &str, query: &str, fail_when: &str) -> Probe {
        Probe::Prometheus(PrometheusProbe {
            url: url.into(),
            query: query.into(),
            fail_when: FailWhen::parse(fail_when).unwrap(),
            token_file: None,
            ca_file: None,
        })
    }

    fn push(secs: u64) -> Probe {
        let deadline = Duration::from_secs(secs);
        Probe::Push(PushProbe { deadline, token_file: "token".into() })
    }

    #[test]
    fn how_long_a_region_may_be_silent_is_timing() {
        assert_eq!(of(push(1)).definition(), of(push(2)).definition());
    }

    #[test]
    fn the_timing_and_the_name_are_no_part_of_the_definition() {
        let mut other = check();
        other.name = "renamed".into();
        other.timing.interval = Duration::from_secs(5);
        other.timing.fall = 9;
        assert_eq!(other.definition(), check().definition());
    }

    #[test]
    fn whatever_is_asked_or_wanted_is() {
        let changed = [
            check(),
            Check { port: 8443, ..check() },
            Check { probe: Probe::Tcp, ..check() },
            Check { target: Some(Destination::Name("other".into())), ..check() },
            of(Probe::Calculated(Calculated { of: Vec::new(), at_least: 1 })),
            of(dns("a.test.", 1, &[])),
            of(dns("b.test.", 1, &[])),
            of(dns("a.test.", 28, &[])),
            of(dns("a.test.", 1, &["192.0.2.1"])),
            of(Probe::Icmp(IcmpProbe { count: 1 })),
            of(Probe::Icmp(IcmpProbe { count: 2 })),
            of(Probe::Exec(ExecProbe::new(vec!["a".into(), "b".into()]))),
            of(Probe::Exec(ExecProbe::new(vec!["ab".into()]))),
            of(prometheus("http://a.test/", "up", "> 1")),
            of(prometheus("http://b.test/", "up", "> 1")),
            of(prometheus("http://a.test/", "down", "> 1")),
            of(prometheus("http://a.test/", "up", ">= 1")),
            of(prometheus("http://a.test/", "up", "> 2")),
            of(push(1)),
            http(|http| http.tls = None),
            http(|http| http.tls = Some(TlsVerify::Off)),
            http(|http| http.method = "HEAD".into()),
            http(|http| http.path = "/".into()),
            http(|http| http.host = None),
            http(|http| http.host = Some(String::new())),
            http(|http| http.headers.clear()),
            http(|http| http.headers = vec![("X-Probet".into(), "rimtab".into())]),
            http(|http| http.expect_status.clear()),
            http(|http| http.expect_body = Some(String::new())),
            http(|http| http.expect_regex = Pattern::new("ok").ok()),
            http(|http| http.expect_json = vec![("/a".into(), "ok".into())]),
            http(|http| http.expect_json = vec![("/a".into(), 1.into())]),
            http(|http| http.max_response_time = Some(Duration::from_millis(500))),
            http(|http| http.health = true),
            http(|http| http.weight_header = Some("x".into())),
            http(|http| http.load_header = Some("x".into())),
            http(|http| http.credentials.authorities = Some(Pem::from("a"))),
            with(Probe::Tls(TlsProbe::default())),
            with(Probe::Agent(AgentProbe::default())),
            with(Probe::Agent(AgentProbe { send: Some(String::new()) })),
            with(Probe::Grpc(GrpcProbe::default())),
            with(Probe::Grpc(GrpcProbe { service: "a".into(), ..GrpcProbe::default() })),
        ];
        let definitions: std::collections::HashSet<u64> =
            changed.iter().map(Check::definition).collect();
        assert_eq!(definitions.len(), changed.len());
    }

    #[test]
    fn the_definition_outlives_the_program() {
        // Stored health is lost on an upgrade when this number changes: do it knowingly.
        assert_eq!(format!("{:016x}", check().definition()), "3867f3764f149e0e");
    }

    #[test]
    fn a_target_stands_in_for_every_address() {
        let address = IpAddr::from([192, 0, 2, 1]);
        let region: Arc<str> = "us-east".into();
        assert_eq!(check().destination(&region, address), Destination::Address(address));
        let target = Destination::Name("probe.example.com".into());
        let other = Check { target: Some(target.clone()), ..check() };
        assert_eq!(other.destination(&region, address), target);
    }
}
