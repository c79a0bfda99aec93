//! Who is asking, where an address does not say it by itself: IPv4 within IPv6, addresses that are
//! nobody's, and sources that own networks tell of.

use hickory_proto::rr::RecordType::A;

use crate::harness::{
    Question, Site, Via, everywhere, exchange, letters, regions, scope, sent, subnets,
};

const NAME: &str = "app.site.test";

/// Whoever asks over IPv4 is in Australia, over IPv6 in Japan; so is a private network.
const NETWORKS: &str = r#"
[[geo.networks]]
prefix = "127.0.0.0/8"
country = "AU"
[[geo.networks]]
prefix = "::1/128"
country = "JP"
[[geo.networks]]
prefix = "10.20.0.0/16"
country = "JP"
"#;

/// Germany is a, Berlin b, Australia c, Japan d; all else is e.
const RULES: &str = r#"
[policies.main]
type = "geolocation"
rules = [
  { country = "DE", to = "a" },
  { subdivision = "DE-BE", to = "b" },
  { country = "AU", to = "c" },
  { country = "JP", to = "d" },
]
default = "e"
[[records]]
name = "app.site.test"
policy = "main"
"#;

/// What stands for the source address: c over IPv4, d over IPv6.
const SOURCE: &str = "source";

/// The subnet sent, the region, the scope.
const CLIENTS: &[(&str, &str, u8)] = &[
    ("2.16.8.0/24", "b", 24),
    ("2.17.0.0/16", "a", 16),
    // Mapped, NAT64, 6to4, Teredo (inverted at the end: 2.16.8.1 is fdef:f7fe).
    ("::ffff:2.16.8.0/120", "b", 120),
    ("::ffff:2.17.0.0/112", "a", 112),
    ("64:ff9b::2.16.8.0/120", "b", 120),
    ("64:ff9b::2.17.1.0/120", "a", 112),
    ("2002:210:800::/40", "b", 40),
    ("2002:211::/32", "a", 32),
    ("2001:0:4136:e378:8000:63bf:fdef:f7fe/128", "b", 120),
    // Too short for the address in it: any of its bits might matter.
    ("2001:0:4136:e378::/64", "e", 128),
    // Nobody's, though the databases say something of the last three.
    ("10.1.2.0/24", SOURCE, 12),
    ("192.168.1.0/24", SOURCE, 16),
    ("fd00:1:2::/48", SOURCE, 7),
    ("192.0.2.0/26", SOURCE, 24),
    ("203.0.113.0/24", SOURCE, 24),
    ("2001:db8::/36", SOURCE, 32),
    ("::ffff:192.168.1.0/120", SOURCE, 112),
    // Nobody's, but for an own network.
    ("10.20.30.0/24", "d", 16),
    ("::ffff:10.20.30.0/120", "d", 112),
    ("127.0.0.0/24", "c", 8),
    // Not to be used.
    ("0.0.0.0/0", SOURCE, 0),
    ("::/0", SOURCE, 0),
];

#[test]
fn a_subnet_is_what_it_carries_or_else_the_source_counts() {
    let server = Site::of_world(NETWORKS, &(regions(&[""; 5]) + RULES)).serve();
    for &(prefix, wanted, scope_wanted) in CLIENTS {
        for (way, reply) in everywhere(&server, &Question::a(NAME).options(sent(prefix))) {
            let source = if way.contains("127.0.0.1") { "c" } else { "d" };
            let wanted = if wanted == SOURCE { source } else { wanted };
            assert_eq!(letters(&reply), wanted, "{prefix}, {way}");
            assert_eq!(scope(&reply), scope_wanted, "{prefix}, {way}");
        }
    }
}

#[test]
fn without_a_subnet_the_source_counts() {
    let site = Site::of_world(NETWORKS, &(regions(&[""; 5]) + RULES));
    let server = site.serve();
    for (via, to, wanted) in [
        (Via::Udp, server.v4, "c"),
        (Via::Tcp, server.v4, "c"),
        (Via::Udp, server.v6, "d"),
        (Via::Tcp, server.v6, "d"),
    ] {
        let plain = exchange(via, to, &Question::new(NAME, A).wire(7));
        assert_eq!(letters(&plain), wanted);
        let edns = exchange(via, to, &Question::new(NAME, A).edns(1232).wire(7));
        assert_eq!((letters(&edns).as_str(), subnets(&edns)), (wanted, Vec::new()));
    }
}
