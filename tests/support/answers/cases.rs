//! Every kind of answer: a request for each, and what must come of it.

use std::net::IpAddr;

use trimtab::dns::engine::{Now, Transport};
use trimtab::metrics::Proto;

use super::desk::Desk;
use super::reading::server_cookie;
use super::request::*;
use super::world::{Limits, World};

/// Where each region may be drawn.
const ANY_REGION: &[&str] =
    &["NOERROR aa 198.51.100.1", "NOERROR aa 198.51.100.2", "NOERROR aa 198.51.100.3"];

/// A kind of answer.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) what: &'static str,
    /// The limits that it is asked under.
    pub(crate) limits: Limits,
    pub(crate) transport: Transport,
    pub(crate) from: IpAddr,
    pub(crate) request: Vec<u8>,
    /// All replies that may come, in words; where several may, all of them do in the long run.
    pub(crate) replies: &'static [&'static str],
}

impl Case {
    fn new(what: &'static str, request: Vec<u8>, replies: &'static [&'static str]) -> Self {
        let from = [127, 0, 0, 1].into();
        Self { what, limits: Limits::Off, transport: Transport::Udp, from, request, replies }
    }

    fn under(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    fn over_tcp(self) -> Self {
        Self { transport: Transport::Tcp, ..self }
    }

    fn from(self, from: &str) -> Self {
        Self { from: from.parse().expect("an address"), ..self }
    }
}

/// The cases at that time, which cookies and signatures have in them.
pub(crate) fn cases(unix_secs: u32) -> Vec<Case> {
    let mut cases = of_static_names();
    cases.extend(of_policies());
    cases.extend(of_clients());
    cases.extend(of_options(unix_secs));
    cases.extend(of_refusals());
    cases.extend(of_limits());
    cases.extend(of_signatures(unix_secs));
    cases.extend(over_tcp());
    cases
}

fn www() -> Vec<u8> {
    query("www.example.test", A)
}

fn of_static_names() -> Vec<Case> {
    vec![
        Case::new("static A", www(), &["NOERROR aa 192.0.2.80"]),
        Case::new("static AAAA", query("www.example.test", AAAA), &["NOERROR aa 2001:db8::80"]),
        Case::new("static TXT", query("text.example.test", TXT), &["NOERROR aa TXT"]),
        Case::new("static MX", query("example.test", MX), &["NOERROR aa MX"]),
        Case::new("SOA", query("example.test", SOA), &["NOERROR aa SOA"]),
        Case::new("upper case", query("WWW.EXAMPLE.TEST", A), &["NOERROR aa 192.0.2.80"]),
        Case::new("wildcard", query("any.wild.example.test", A), &["NOERROR aa 192.0.2.1"]),
        Case::new(
            "CNAME chain",
            query("alias.example.test", A),
            &["NOERROR aa CNAME CNAME 192.0.2.80"],
        ),
        Case::new(
            "CNAME to dynamic",
            query("toapp.example.test", A),
            &[
                "NOERROR aa CNAME 198.51.100.1",
                "NOERROR aa CNAME 198.51.100.2",
                "NOERROR aa CNAME 198.51.100.3",
            ],
        ),
        Case::new(
            "DNAME",
            query("www.moved.example.test", A),
            &["NOERROR aa DNAME CNAME 192.0.2.81"],
        ),
        Case::new("ANY", query("www.example.test", ANY), &["NOERROR aa HINFO"]),
        Case::new("NODATA", query("text.example.test", A), &["NOERROR aa; SOA"]),
        Case::new("NXDOMAIN", query("nothing.example.test", A), &["NXDOMAIN aa; SOA"]),
        Case::new(
            "deep NXDOMAIN",
            query("a.b.c.d.e.f.nothing.example.test", A),
            &["NXDOMAIN aa; SOA"],
        ),
        Case::new(
            "referral",
            query("a.sub.example.test", A),
            &["NOERROR; NS NS; + 192.0.2.54 2001:db8::54"],
        ),
    ]
}

fn of_policies() -> Vec<Case> {
    vec![
        Case::new("weighted", query("app.example.test", A), ANY_REGION),
        Case::new(
            "weighted AAAA",
            query("app.example.test", AAAA),
            &["NOERROR aa 2001:db8:1::1", "NOERROR aa 2001:db8:2::1"],
        ),
        Case::new("weighted wildcard", query("x.dyn.example.test", A), ANY_REGION),
        Case::new("failover", query("order.example.test", A), &["NOERROR aa 198.51.100.2"]),
        Case::new(
            "geolocation by default",
            query("geo.example.test", A),
            &["NOERROR aa 198.51.100.3"],
        ),
        Case::new("latency", query("near.example.test", A), ANY_REGION),
        Case::new("proximity", query("apart.example.test", A), ANY_REGION),
        Case::new("nested", query("nested.example.test", A), ANY_REGION),
        Case::new(
            "multivalue",
            query("all.example.test", A),
            &[
                "NOERROR aa 198.51.100.1 198.51.100.2 198.51.100.3",
                "NOERROR aa 198.51.100.2 198.51.100.3 198.51.100.1",
                "NOERROR aa 198.51.100.3 198.51.100.1 198.51.100.2",
            ],
        ),
        Case::new("sticky", query("keep.example.test", A), &["NOERROR aa 198.51.100.2"]),
        Case::new("dynamic NODATA", query("four.example.test", AAAA), &["NOERROR aa; SOA"]),
        Case::new("all down, open", query("dark.example.test", A), &["NOERROR aa 198.51.100.4"]),
        Case::new("all down, closed", query("closed.example.test", A), &["NOERROR aa; SOA"]),
    ]
}

fn of_clients() -> Vec<Case> {
    let ask = |name: &str, subnet| edns(query(name, A), 1232, &[subnet]);
    vec![
        Case::new("geolocation", query("geo.example.test", A), &["NOERROR aa 198.51.100.1"])
            .from("192.0.2.1"),
        Case::new("geolocation v6", query("geo.example.test", A), &["NOERROR aa 198.51.100.1"])
            .from("2001:db8::1"),
        Case::new(
            "geolocation ECS",
            ask("geo.example.test", subnet("2.16.8.0", 24)),
            &["NOERROR aa 198.51.100.1 OPT subnet/24/18"],
        ),
        Case::new(
            "geolocation ECS v6",
            ask("geo.example.test", subnet("2600::", 48)),
            &["NOERROR aa 198.51.100.2 OPT subnet/48/12"],
        ),
        Case::new(
            "nested ECS",
            ask("nested.example.test", subnet("2.16.8.0", 24)),
            &[
                "NOERROR aa 198.51.100.1 OPT subnet/24/24",
                "NOERROR aa 198.51.100.2 OPT subnet/24/24",
            ],
        ),
        Case::new(
            "sticky ECS",
            ask("keep.example.test", subnet("2.16.8.0", 24)),
            &["NOERROR aa 198.51.100.1 OPT subnet/24/24"],
        ),
        Case::new(
            "latency ECS",
            ask("near.example.test", subnet("2.16.8.0", 24)),
            &["NOERROR aa 198.51.100.1 OPT subnet/24/24"],
        ),
        Case::new(
            "proximity ECS",
            ask("apart.example.test", subnet("2.16.8.0", 24)),
            &["NOERROR aa 198.51.100.1 OPT subnet/24/24"],
        ),
        Case::new(
            "static ECS",
            ask("www.example.test", subnet("2.16.8.0", 24)),
            &["NOERROR aa 192.0.2.80 OPT subnet/24/0"],
        ),
        Case::new(
            "ECS 0",
            ask("geo.example.test", subnet("0.0.0.0", 0)),
            &["NOERROR aa 198.51.100.3 OPT subnet/0/0"],
        ),
    ]
}

fn of_options(unix_secs: u32) -> Vec<Case> {
    let ask = |options: &[Vec<u8>]| edns(www(), 1232, options);
    let new = Case::new("cookie, new", ask(&[cookie(&[])]), &["NOERROR aa 192.0.2.80 OPT cookie"]);
    let known = known_cookie(&new, unix_secs);
    let wrong = [7; 16];
    let all = [nsid(), cookie(&known), subnet("2.16.8.0", 24), option(99, b"what?")];
    vec![
        Case::new("EDNS", ask(&[]), &["NOERROR aa 192.0.2.80 OPT"]),
        Case::new("NSID", ask(&[nsid()]), &["NOERROR aa 192.0.2.80 OPT NSID"]),
        Case::new(
            "cookie, valid",
            ask(&[cookie(&known)]),
            &["NOERROR aa 192.0.2.80 OPT same cookie"],
        ),
        Case::new("cookie, wrong", ask(&[cookie(&wrong)]), &["NOERROR aa 192.0.2.80 OPT cookie"]),
        Case::new(
            "all options",
            edns(query("geo.example.test", A), 1232, &all),
            &["NOERROR aa 198.51.100.1 OPT NSID same cookie subnet/24/18"],
        ),
        Case::new("id.server", chaos("id.server"), &["NOERROR aa TXT"]),
        Case::new("version.bind", chaos("version.bind"), &["NOERROR aa TXT"]),
        Case::new("truncated", query("big.example.test", TXT), &["NOERROR aa tc"]),
        Case::new(
            "truncated EDNS",
            edns(query("big.example.test", TXT), 512, &[]),
            &["NOERROR aa tc OPT"],
        ),
        new,
    ]
}

/// The server's part of the cookie that the case's client gets at that time.
fn known_cookie(new: &Case, unix_secs: u32) -> Vec<u8> {
    let world = World::new(Limits::Off);
    let now = Now { unix_secs, ..Now::default() };
    let mut desk = Desk::new(world.worker(Proto::Udp, now), new.transport);
    server_cookie(desk.answer(&world.snapshot(), new).expect("a reply"))
}

fn of_refusals() -> Vec<Case> {
    let mut formerr = www();
    formerr[5] = 2;
    let mut response = www();
    response[2] |= 0x80;
    vec![
        Case::new("refused", query("www.elsewhere.test", A), &["REFUSED"]),
        Case::new("refused CH", chaos("authors.bind"), &["REFUSED"]),
        Case::new("transfer refused", ixfr("example.test"), &["REFUSED"]),
        Case::new("FORMERR", formerr, &["FORMERR"]),
        Case::new("NOTIMP", status(www()), &["NOTIMP"]),
        Case::new("BADVERS", edns_1(www()), &["BADVERS OPT"]),
        Case::new("a response", response, &["nothing"]),
        Case::new("too short", vec![0, 7, 1], &["nothing"]),
    ]
}

fn of_limits() -> Vec<Case> {
    let cookie = edns(www(), 1232, &[cookie(&[7; 16])]);
    vec![
        Case::new("within limits", www(), &["NOERROR aa 192.0.2.80"]).under(Limits::Count),
        Case::new("over a limit, dropped", www(), &["nothing"]).under(Limits::Drop),
        Case::new("over a limit, slipped", www(), &["NOERROR aa tc"]).under(Limits::Slip),
        Case::new("over a limit, BADCOOKIE", cookie, &["BADCOOKIE OPT cookie"]).under(Limits::Slip),
        Case::new("NXDOMAIN over a limit", query("n.example.test", A), &["nothing"])
            .under(Limits::Drop),
    ]
}

fn of_signatures(unix_secs: u32) -> Vec<Case> {
    let [right, wrong] = secrets();
    let name = "app.example.test.";
    vec![
        Case::new(
            "signed",
            signed(name, unix_secs, right),
            &[
                "NOERROR aa 198.51.100.1; + TSIG",
                "NOERROR aa 198.51.100.2; + TSIG",
                "NOERROR aa 198.51.100.3; + TSIG",
            ],
        ),
        Case::new("BADSIG", signed(name, unix_secs, wrong), &["NOTAUTH; + TSIG"]),
        Case::new(
            "BADTIME",
            signed(name, unix_secs.wrapping_sub(3600), right),
            &["NOTAUTH; + TSIG"],
        ),
    ]
}

fn over_tcp() -> Vec<Case> {
    let keepalive = edns(www(), 1232, &[option(11, &[])]);
    let all = vec![
        Case::new("static over TCP", www(), &["NOERROR aa 192.0.2.80"]),
        Case::new("weighted over TCP", query("app.example.test", A), ANY_REGION),
        Case::new("NXDOMAIN over TCP", query("nothing.example.test", A), &["NXDOMAIN aa; SOA"]),
        Case::new("long over TCP", query("big.example.test", TXT), &["NOERROR aa 40 TXT"]),
        Case::new("keepalive", keepalive, &["NOERROR aa 192.0.2.80 OPT option 11"]),
        Case::new("transfer refused over TCP", query("example.test", AXFR), &["REFUSED"]),
    ];
    all.into_iter().map(Case::over_tcp).collect()
}
