//! Servers that have one of everything: what questions are asked of.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use trimtab::app;
use trimtab::routing::{Inputs, PoolStanding, Snapshot, compile};

/// A configuration that is served, with some health.
pub(crate) struct World {
    pub(crate) snapshot: Snapshot,
}

/// Which pools are up.
#[derive(Clone, Copy)]
pub(crate) enum Health {
    Up,
    Some,
    Down,
}

/// The same zones and records, served in different ways.
pub(crate) static WORLDS: LazyLock<Vec<World>> = LazyLock::new(|| {
    let long = "n".repeat(128);
    let small = format!(
        "server.udp_payload_max = 512\nserver.nsid = \"{long}\"\nserver.version_bind = \"v\"\n\
         geo.client_subnet = false\n{UNLIMITED}"
    );
    let large =
        format!("server.udp_payload_max = 4096\nserver.cookies.enabled = false\n{UNLIMITED}");
    let usual = format!("server.nsid = \"ns\"\n{UNLIMITED}");
    vec![world(&usual, Health::Up), world(&large, Health::Some), world(&small, Health::Down)]
});

/// The first of them, under the tightest of limits.
pub(crate) static LIMITED: LazyLock<World> = LazyLock::new(|| {
    let limit =
        "server.rate_limit = { responses_per_second = 1, errors_per_second = 1, exempt = [] }";
    world(&format!("server.nsid = \"ns\"\n{limit}"), Health::Up)
});

const UNLIMITED: &str = "server.rate_limit.enabled = false";

fn world(head: &str, health: Health) -> World {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let path = dir.path().join("trimtab.toml");
    std::fs::write(&path, config(head)).unwrap();
    let loaded = app::load(&path, &Default::default(), &mut |_, _| 0);
    let loaded = loaded.unwrap_or_else(|problems| panic!("{problems}"));
    World { snapshot: serve(&loaded, health) }
}

/// The owners of all names of all worlds, which have the same, in wire form.
pub(crate) static OWNERS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| owners(&WORLDS[0].snapshot));

/// The owners of all names that are served.
pub(crate) fn owners(snapshot: &Snapshot) -> Vec<Vec<u8>> {
    let names = &snapshot.names;
    let zones = (0..).map(trimtab::zone::ZoneId).zip(names.zones());
    let all = zones.flat_map(|(id, _)| names.of_zone(id)).map(|id| names.owner(id).to_vec());
    all.collect::<BTreeSet<_>>().into_iter().collect()
}

/// What a configuration serves when its pools stand so.
pub(crate) fn serve(loaded: &app::Loaded, health: Health) -> Snapshot {
    let pools = loaded.assembly.pools.iter().enumerate().map(|(number, pool)| {
        let up = match health {
            Health::Up => true,
            Health::Some => number % 2 == 0,
            Health::Down => false,
        };
        Arc::new(PoolStanding::assumed(pool, up))
    });
    compile(None, &loaded.assembly, &Inputs::of(pools.collect()))
}

/// A configuration to be served on ports that the system chooses, and by nobody probed.
pub(crate) fn served() -> String {
    let text = config(
        "admin.listen = \"127.0.0.1:0\"\nlog.format = \"json\"\nserver.tcp.max_per_client = 4096\n\
         server.rate_limit.enabled = false",
    );
    let text = text.replace("[\"127.0.0.1:5300\"]", "[\"127.0.0.1:0\", \"[::1]:0\"]");
    text.replace("\ncheck = \"web\"", "")
}

/// Writes the files that the configuration needs beside it.
pub(crate) fn write(dir: &Path) {
    let geo = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let geo = geo.map(|dir| dir.join("tests/fixtures/geo")).find(|dir| dir.exists()).unwrap();
    for file in ["world.mmdb", "asn.mmdb"] {
        std::fs::copy(geo.join(file), dir.join(file)).unwrap();
    }
    std::fs::write(dir.join("example.zone"), zone()).unwrap();
    std::fs::write(dir.join("child.zone"), CHILD).unwrap();
    let deep = "a.".repeat(126);
    std::fs::write(dir.join("b.zone"), format!("{HEAD}{deep}b. A 192.0.2.1\n")).unwrap();
    std::fs::write(dir.join("latency.csv"), "continent:EU,eu,12\n*,us,80\n").unwrap();
}

const HEAD: &str = "\
$TTL 300
@ 3600 SOA ns1.example.test. hostmaster.example.test. 1 7200 900 1209600 60
@ NS ns1.example.test.
";

const CHILD: &str = "\
$TTL 300
@ 3600 SOA ns1 hostmaster 1 7200 900 1209600 30
@ NS ns1
ns1 A 192.0.2.55
up CNAME www.example.test.
x.y A 192.0.2.56
";

/// Everything that the rules of lookup tell apart, and what does not fit.
fn zone() -> String {
    let mut zone = String::from(HEAD);
    zone += "\
@ MX 10 www
@ CAA 0 issue \"ca.example.net\"
ns1 A 192.0.2.53
www A 192.0.2.80
www AAAA 2001:db8::80
_sip._tcp SRV 1 2 5060 www
svc HTTPS 1 . alpn=h2
svc TYPE65280 \\# 3 010203
\\000\\.\\255 TXT \"odd\"
*.wild A 192.0.2.1
*.wild TXT \"wild\"
host.wild TXT \"host\"
*.walias CNAME www
*.wapp CNAME app
x.ent A 192.0.2.2
f.*.e A 192.0.2.3
below.del NS ns.sub
sub NS ns.sub
sub NS ns.elsewhere.test.
sub DS 1 13 2 0123456789012345678901234567890123456789012345678901234567890123
ns.sub A 192.0.2.54
ns.sub AAAA 2001:db8::54
kid NS ns1.kid
kid DS 2 13 2 0123456789012345678901234567890123456789012345678901234567890123
c1 CNAME c2
c2 CNAME www
gone CNAME nothing.here
out CNAME www.example.net.
across CNAME x.y.kid
under CNAME a.sub
self CNAME self
ping CNAME pong
pong CNAME ping
toapp CNAME app
togeo CNAME geo
tod CNAME x.d
d DNAME ent
dout DNAME example.net.
dself DNAME x.dself
dping DNAME dpong
dpong DNAME dping
dapp DNAME apps
www.apps CNAME app
";
    let label = "l".repeat(63);
    writeln!(zone, "dlong DNAME {label}.{label}.ent").unwrap();
    for n in 0..140 {
        writeln!(zone, "n{n} CNAME n{}", n + 1).unwrap();
        writeln!(zone, "w{n} DNAME w{}", n + 1).unwrap();
        writeln!(zone, "{label}.{label}.{label}.m{n} CNAME {label}.{label}.{label}.m{}", n + 1)
            .unwrap();
    }
    for n in 0..40 {
        writeln!(zone, "big TXT \"{n:0>30}\"").unwrap();
        writeln!(zone, "wide NS ns{n}.wide\nns{n}.wide A 192.0.2.{n}").unwrap();
        writeln!(zone, "mid A 192.0.2.{n}\nmid AAAA 2001:db8::{n}").unwrap();
    }
    // Behind a chain it fits into no message at all.
    writeln!(zone, "{label}.{label}.{label}.m140 CNAME vast").unwrap();
    for n in 0..7 {
        let texts = format!(" \"{}\"", "v".repeat(250)).repeat(32);
        writeln!(zone, "vast TXT \"{n}\"{texts}").unwrap();
    }
    zone
}

fn config(head: &str) -> String {
    let many = |family: fn(u8) -> String| {
        let all: Vec<_> = (1..=40).map(|n| format!("{:?}", family(n))).collect();
        all.join(", ")
    };
    let v4 = many(|n| format!("203.0.113.{n}"));
    let v6 = many(|n| format!("2001:db8:40::{n}"));
    format!(
        r#"
version = 1
server.listen = ["127.0.0.1:5300"]
geo.databases = ["world.mmdb", "asn.mmdb"]
latency.table = "latency.csv"
{head}
[zones."example.test"]
file = "example.zone"
[zones."kid.example.test"]
file = "child.zone"
[zones."b"]
file = "b.zone"
[checks.web]
type = "tcp"
port = 80
[regions.eu]
addresses = ["198.51.100.1", "198.51.100.2", "2001:db8:1::1"]
location = "aws:eu-west-1"
check = "web"
[regions.us]
addresses = ["198.51.100.11", "2001:db8:2::1", "2001:db8:2::2"]
location = "aws:us-east-1"
check = "web"
[regions.four]
addresses = ["198.51.100.21"]
weight = 0
location = "aws:ap-south-1"
check = "web"
[policies.first]
type = "failover"
order = [["eu", "us"], "four"]
spill = true
[policies.place]
type = "geolocation"
rules = [
  {{ prefix = "8.8.8.0/24", to = "us" }},
  {{ asn = 64500, to = "first" }},
  {{ continent = "EU", to = "eu" }},
  {{ country = "US", subdivision = "CA", to = "four" }},
]
default = "near"
when_down = "fence"
missing_family = "skip"
[policies.near]
type = "latency"
tolerance = "20ms"
[policies.apart]
type = "geoproximity"
bias = {{ us = 40 }}
[policies.keep]
type = "weighted"
weights = {{ eu = 60, us = 30, four = 10 }}
sticky = "client"
[policies.all]
type = "multivalue"
[policies.nothing]
type = "geolocation"
rules = [{{ continent = "AS", to = "eu" }}]
default = "nodata"
[[records]]
name = "app.example.test"
policy = "weighted"
[[records]]
name = "geo.example.test"
policy = "place"
on_all_down = "closed"
[[records]]
name = "near.example.test"
policy = "near"
[[records]]
name = "apart.example.test"
policy = "apart"
[[records]]
name = "keep.example.test"
policy = "keep"
[[records]]
name = "all.example.test"
policy = "all"
max_answers = 32
[[records]]
name = "first.example.test"
policy = "first"
on_all_down = "last_good"
[[records]]
name = "nothing.example.test"
policy = "nothing"
[[records]]
name = "four.example.test"
policy = "four"
[[records]]
name = "*.dyn.example.test"
policy = "keep"
[[records]]
name = "*.kid.example.test"
policy = "place"
[[records]]
name = "lots.example.test"
policy = "multivalue"
max_answers = 32
[records.endpoints]
eu = [{v4}]
us = [{v6}]
"#
    )
}
