//! What a server serves, in one screen, however much that is.

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::config::Config;
use crate::model::{Family, Region};
use crate::routing::Snapshot;
use crate::wire::Name;
use crate::zone::{Names, Zone, ZoneId};

/// How many zones, regions and records are told one by one.
const LISTED: usize = 5;

/// What a server serves at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// Where it answers, and how many regions are up.
    pub answering: String,
    /// The first zones with their serials and numbers of names.
    pub zones: Vec<String>,
    /// The first regions with their health and weights, those that are down before the others.
    pub regions: Vec<String>,
    /// The names of the first dynamic records.
    pub records: Vec<String>,
    /// What is switched on of what can be.
    pub on: String,
    /// What is not.
    pub off: String,
    /// Where the state is.
    pub state: String,
    /// The generation of the tables that answer.
    pub generation: u64,
}

/// The same in a line for a service manager, which has only what does not change by itself.
pub(super) fn status(snapshot: &Snapshot, dns: &[SocketAddr]) -> String {
    format!(
        "answering for {} and {} on {}",
        count(snapshot.names.zones().len(), "zone"),
        count(snapshot.assembly.records.len(), "dynamic record"),
        addresses(dns.get(..LISTED).unwrap_or(dns)),
    )
}

impl Overview {
    /// Of a configuration and the tables that answer, at the addresses of DNS and of the admin pages.
    pub(super) fn of(
        config: &Config,
        snapshot: &Snapshot,
        (dns, admin): (&[SocketAddr], &[SocketAddr]),
    ) -> Self {
        let assembly = &snapshot.assembly;
        let (up, all) = (count_up(snapshot), assembly.regions.len());
        let answering = format!(
            "answering on {} (UDP and TCP); metrics on {}; {up} of {all} regions are up",
            addresses(dns),
            addresses(admin)
        );
        let (zones, records) = (snapshot.names.zones(), &assembly.records);
        let numbered = (0..).map(ZoneId).zip(zones);
        let shown = numbered.take(LISTED).map(|(id, of)| zone(&snapshot.names, id, of));
        let down_first = |up| assembly.regions.iter().filter(move |r| is_up(snapshot, r) == up);
        let regions = down_first(false).chain(down_first(true));
        let records_shown = records.iter().take(LISTED).map(|record| record.name.to_string());
        let (on, off) = switches(config);
        Self {
            answering,
            zones: and_more(shown.collect(), zones.len()),
            regions: and_more(regions.take(LISTED).map(|r| region(snapshot, r)).collect(), all),
            records: and_more(records_shown.collect(), records.len()),
            on,
            off,
            state: config.state.dir.display().to_string(),
            generation: snapshot.generation,
        }
    }

    /// All of it, a part a paragraph; the first line is [`Overview::answering`].
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.answering.clone();
        let state = format!("{}, generation {}", self.state, self.generation);
        let parts = [
            ("zones", self.zones.as_slice()),
            ("regions", &self.regions),
            ("records", &self.records),
            ("on", std::slice::from_ref(&self.on)),
            ("off", std::slice::from_ref(&self.off)),
            ("state", &[state]),
        ];
        for (name, lines) in parts {
            for (at, line) in lines.iter().filter(|line| !line.is_empty()).enumerate() {
                let name = if at == 0 { name } else { "" };
                let _ = write!(text, "\n  {name:9}{line}");
            }
        }
        text
    }
}

fn addresses(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// What is shown, and how much is not.
fn and_more(mut shown: Vec<String>, all: usize) -> Vec<String> {
    match all.saturating_sub(shown.len()) {
        0 => {}
        more => shown.push(format!("and {more} more")),
    }
    shown
}

fn zone(names: &Names, id: ZoneId, zone: &Zone) -> String {
    let name = Name::from_wire(names.owner(zone.apex)).map(|name| name.to_string());
    let count = count(names.of_zone(id).count(), "name");
    format!("{}, serial {}, {count}", name.unwrap_or_default(), zone.serial())
}

fn region(snapshot: &Snapshot, region: &Region) -> String {
    let standing = &snapshot.pools[region.pool.index()];
    let families = Family::BOTH.map(|family| standing.family(family));
    let live: usize = families.iter().map(|family| family.live.len()).sum();
    let all: usize = families.iter().map(|family| family.count).sum();
    let state = if is_up(snapshot, region) { "up" } else { "down" };
    format!("{} {state}, weight {}, {live} of {all} addresses", region.name, region.weight.0)
}

/// In any family.
fn is_up(snapshot: &Snapshot, region: &Region) -> bool {
    let standing = &snapshot.pools[region.pool.index()];
    Family::BOTH.iter().any(|family| standing.family(*family).h > 0.0)
}

fn count_up(snapshot: &Snapshot) -> usize {
    snapshot.assembly.regions.iter().filter(|region| is_up(snapshot, region)).count()
}

/// What is on and what is off, in words.
fn switches(config: &Config) -> (String, String) {
    let server = &config.server;
    let rate_limits = match server.rate_limit.dry_run {
        true => "rate limits (dry run)",
        false => "rate limits",
    };
    let cookies = match server.cookies.secret_file {
        Some(_) => "cookies (shared secret)",
        None => "cookies",
    };
    let all = [
        (rate_limits, server.rate_limit.enabled),
        (cookies, server.cookies.enabled),
        ("client subnet", config.geo.client_subnet),
        ("transfers", server.transfer.is_allowed()),
        ("notify", !server.transfer.notify.is_empty()),
        ("NSID", server.nsid.is_some()),
        ("admin tokens", config.admin.token_file.is_some()),
        ("admin TLS", config.admin.tls.is_some()),
        ("query log", config.query_log.file.is_some() || config.query_log.dnstap.socket.is_some()),
    ];
    let words = |on| {
        let words = all.iter().filter(|(_, is)| *is == on).map(|(word, _)| *word);
        words.collect::<Vec<_>>().join(", ")
    };
    (words(true), words(false))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::load::{Loaded, load};
    use super::*;
    use crate::clock;
    use crate::control::{Control, Wiring};
    use crate::metrics::Metrics;
    use crate::model::{Check, Destination};

    fn load_of(config: &str) -> Loaded {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trimtab.toml");
        let head = "version = 1\nstate.dir = \"/var/lib/trimtab\"\n";
        std::fs::write(&path, format!("{head}{config}")).unwrap();
        load(&path, &Default::default(), &mut |_, _| 0).unwrap()
    }

    /// As a server that has not probed yet has it.
    fn control(loaded: &Loaded) -> Control {
        let wiring = Wiring {
            metrics: Metrics::new(),
            store: None,
            targets: Default::default(),
            settled: Default::default(),
            requests: tokio::sync::mpsc::channel(1).1,
            events: Default::default(),
            wall: Box::new(clock::wall),
            alive: tokio::sync::watch::Sender::new(clock::now()),
            aliases: Default::default(),
            looked: tokio::sync::mpsc::channel(1).1,
        };
        let nothing = |_: &Check, _: &Destination| None;
        Control::new(Arc::clone(&loaded.assembly), &nothing, wiring)
    }

    fn overview(config: &str) -> Overview {
        let loaded = load_of(config);
        let addresses = ["127.0.0.1:53", "[::1]:53"].map(|address| address.parse().unwrap());
        let admin = ["127.0.0.1:9953".parse().unwrap()];
        let snapshot = control(&loaded).handle().current();
        Overview::of(&loaded.config, &snapshot, (&addresses, &admin))
    }

    const REGIONS: &str = r#"
zones."example.test".nameservers = { "ns.example.net" = [] }
server.rate_limit.dry_run = true
server.transfer.allow = ["192.0.2.0/24"]
checks.web = { type = "tcp", port = 80 }
regions.a = { addresses = ["192.0.2.1", "192.0.2.2"], weight = 70, check = "web" }
regions.b = { addresses = ["2001:db8::1"], weight = 0 }
records = [
  { name = "app.example.test", policy = "weighted" },
  { name = "*.example.test", policy = "b" },
]
"#;

    #[test]
    fn it_is_one_screen() {
        let overview = overview(REGIONS);
        let serial = overview.zones[0].split(", ").nth(1).unwrap();
        assert_eq!(
            overview.text(),
            format!(
                "\
answering on 127.0.0.1:53, [::1]:53 (UDP and TCP); metrics on 127.0.0.1:9953; 2 of 2 regions are up
  zones    example.test, {serial}, 3 names
  regions  a up, weight 70, 2 of 2 addresses
           b up, weight 0, 1 of 1 addresses
  records  app.example.test
           *.example.test
  on       rate limits (dry run), cookies, client subnet, transfers
  off      notify, NSID, admin tokens, admin TLS, query log
  state    /var/lib/trimtab, generation 1"
            )
        );
    }

    #[test]
    fn much_is_no_more_than_a_screen() {
        let mut config = String::new();
        for n in 0..40 {
            let _ =
                writeln!(config, "zones.\"z{n}.test\".nameservers = {{ \"ns.example.net\" = [] }}");
        }
        for n in 0..1000 {
            let address = format!("10.0.{}.{}", n / 250, n % 250);
            let _ = writeln!(config, "regions.r{n} = {{ addresses = [\"{address}\"] }}");
        }
        for n in 0..2000 {
            let _ = writeln!(config, "[[records]]\nname = \"n{n}.z0.test\"\npolicy = \"r0\"");
        }
        let overview = overview(&config);
        let text = overview.text();
        assert!(text.lines().count() <= 24, "{text}");
        for more in ["and 35 more", "and 995 more", "and 1995 more"] {
            assert!(text.contains(more), "{text}");
        }
    }

    #[test]
    fn a_service_manager_gets_a_line() {
        let dns = ["127.0.0.1:53".parse().unwrap()];
        let control = control(&load_of(REGIONS));
        let status = status(&control.handle().current(), &dns);
        assert_eq!(status, "answering for 1 zone and 2 dynamic records on 127.0.0.1:53");
    }
}
