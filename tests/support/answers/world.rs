//! The tables: one zone that has every kind of name, and records of every policy.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use trimtab::app;
use trimtab::dns::engine::{Now, Shared, Worker};
use trimtab::metrics::{Metrics, Proto};
use trimtab::model::Family;
use trimtab::routing::{Assembly, Inputs, Logged, PoolStanding, Secret, Snapshot, compile};

/// What becomes of replies over the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limits {
    /// There are none.
    Off,
    /// They are counted, and sent all the same.
    Count,
    /// They are not sent.
    Drop,
    /// They are sent without records.
    Slip,
}

/// A configuration that was loaded.
pub(crate) struct World {
    pub(crate) assembly: Arc<Assembly>,
    pub(crate) metrics: Arc<Metrics>,
    logged: Option<Logged>,
}

/// The region that is down.
const DARK: &str = "dark";
/// Names that nobody asks for, so that the table of names is not too small to be true.
const OTHER_NAMES: usize = 1000;
/// Prefixes that a geolocation tells apart.
const PREFIXES: usize = 250;

impl World {
    pub(crate) fn new(limits: Limits) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        write(dir.path(), limits);
        let metrics = Metrics::new();
        let mut column = |region: &str, record: Option<&str>| metrics.column(region, record);
        let loaded = app::load(&dir.path().join("trimtab.toml"), &Default::default(), &mut column);
        let app::Loaded { assembly, .. } = loaded.unwrap_or_else(|problems| panic!("{problems}"));
        // As it is when a server publishes it.
        metrics.count_in(&assembly.tally);
        Self { assembly, metrics, logged: None }
    }

    /// The same, with all answers logged there.
    pub(crate) fn logged(self, json: bool, dnstap: bool) -> Self {
        Self { logged: Some(Logged { threshold: u32::MAX, json, dnstap }), ..self }
    }

    /// What is served while but one region is up.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.with_log(compile(None, &self.assembly, &self.inputs(&[DARK])))
    }

    /// What is served next, while this region is down as well, or up again.
    pub(crate) fn next(&self, before: &Snapshot, region: &str, up: bool) -> Snapshot {
        let down = if up { &[DARK][..] } else { &[DARK, region] };
        self.with_log(compile(Some(before), &self.assembly, &self.inputs(down)))
    }

    fn with_log(&self, mut snapshot: Snapshot) -> Snapshot {
        snapshot.options.logged = self.logged;
        snapshot
    }

    fn inputs(&self, down: &[&str]) -> Inputs {
        let pools = self.assembly.pools.iter().map(|pool| {
            let region = &self.assembly.regions[usize::from(pool.region.0)];
            Arc::new(PoolStanding::assumed(pool, !down.contains(&&*region.name)))
        });
        Inputs::of(pools.collect())
    }

    /// One that answers, whose random numbers are always the same.
    pub(crate) fn worker(&self, proto: Proto, now: Now) -> Worker {
        let block = self.metrics.block(proto, Family::V4, false);
        let mut worker = Worker::new(block, 7, shared());
        worker.now = now;
        worker
    }
}

/// What all workers share, with a secret that is always the same.
pub(crate) fn shared() -> Arc<Shared> {
    Arc::new(Shared::with_secret(Secret(*b"sixteen of them!")))
}

/// The name of the key that requests are signed with, and its secret.
pub(crate) const KEY: &str = "transfer";
pub(crate) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const SECRET_BASE64: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n";

fn write(dir: &Path, limits: Limits) {
    let geo = include_bytes!("../../fixtures/geo/world.mmdb");
    std::fs::write(dir.join("world.mmdb"), geo).expect("the database of the tests");
    let file = |name: &str, text: &str| std::fs::write(dir.join(name), text).expect("a file");
    file("transfer.key", SECRET_BASE64);
    file("latency.csv", "continent:EU,eu,12\ncontinent:EU,us,90\n*,us,80\n");
    file("zone", &zone());
    file("trimtab.toml", &config(limits));
}

fn zone() -> String {
    let mut zone = String::from(
        "\
$TTL 300
@ 3600 SOA ns1 hostmaster 1 7200 900 1209600 60
@ NS ns1
@ MX 10 mail
ns1 A 192.0.2.53
www A 192.0.2.80
www AAAA 2001:db8::80
mail A 192.0.2.25
text TXT \"v=spf1 mx -all\"
*.wild A 192.0.2.1
alias CNAME alias2
alias2 CNAME www
toapp CNAME app
moved DNAME target
www.target A 192.0.2.81
sub NS ns.sub
sub NS ns2.sub
ns.sub A 192.0.2.54
ns2.sub AAAA 2001:db8::54
",
    );
    for n in 0..40 {
        let _ = writeln!(zone, "big TXT \"{n:0>30}\"");
    }
    for n in 0..OTHER_NAMES {
        let _ = writeln!(zone, "n{n} A 192.0.2.{}", n % 256);
    }
    zone
}

fn config(limits: Limits) -> String {
    let limits = match limits {
        Limits::Off => "enabled = false",
        Limits::Count => "dry_run = true\nexempt = []",
        Limits::Drop => "responses_per_second = 1\nerrors_per_second = 1\nslip = 0\nexempt = []",
        Limits::Slip => "responses_per_second = 1\nerrors_per_second = 1\nslip = 1\nexempt = []",
    };
    let mut rules = String::new();
    for n in 0..PREFIXES {
        let to = ["eu", "us", "ap"][n % 3];
        let _ = writeln!(rules, "  {{ prefix = \"2.{n}.64.0/20\", to = \"{to}\" }},");
    }
    format!(
        r#"
version = 1
geo.databases = ["world.mmdb"]
latency.table = "latency.csv"
server.nsid = "ns1"
server.version_bind = "a nameserver"
[server.rate_limit]
{limits}
[server.transfer]
tsig_keys = ["{KEY}"]
[server.transfer.keys.{KEY}]
secret_file = "transfer.key"
[zones."example.test"]
file = "zone"
[regions.eu]
addresses = ["198.51.100.1", "2001:db8:1::1"]
location = "aws:eu-west-1"
[regions.us]
addresses = ["198.51.100.2", "2001:db8:2::1"]
location = "aws:us-east-1"
[regions.ap]
addresses = ["198.51.100.3"]
location = "aws:ap-south-1"
[regions.{DARK}]
addresses = ["198.51.100.4"]
location = "aws:sa-east-1"
[policies.spread]
type = "weighted"
weights = {{ eu = 60, us = 30, ap = 10 }}
[policies.keep]
type = "weighted"
weights = {{ eu = 60, us = 30, ap = 10 }}
sticky = "client"
[policies.order]
type = "failover"
order = ["{DARK}", "us", "eu"]
[policies.place]
type = "geolocation"
rules = [
{rules}
  {{ continent = "EU", to = "eu" }},
  {{ country = "US", to = "us" }},
]
default = "ap"
[policies.near]
type = "latency"
[policies.apart]
type = "geoproximity"
bias = {{ us = 40 }}
[policies.nested]
type = "geolocation"
rules = [{{ continent = "EU", to = "inner" }}]
default = "near"
[policies.inner]
type = "failover"
order = ["{DARK}", ["eu", "us"]]
[policies.all]
type = "multivalue"
[[records]]
name = "app.example.test"
policy = "spread"
[[records]]
name = "keep.example.test"
policy = "keep"
[[records]]
name = "order.example.test"
policy = "order"
[[records]]
name = "geo.example.test"
policy = "place"
[[records]]
name = "near.example.test"
policy = "near"
[[records]]
name = "apart.example.test"
policy = "apart"
[[records]]
name = "nested.example.test"
policy = "nested"
[[records]]
name = "all.example.test"
policy = "all"
[[records]]
name = "*.dyn.example.test"
policy = "spread"
[[records]]
name = "dark.example.test"
policy = "{DARK}"
[[records]]
name = "closed.example.test"
policy = "{DARK}"
on_all_down = "closed"
[[records]]
name = "four.example.test"
policy = "ap"
"#
    )
}
