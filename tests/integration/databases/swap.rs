//! A database that is replaced a hundred times while the server answers as fast as it can: no query
//! is lost, no answer is of any other than the last two, and all memory comes back.
//!
//! It takes some minutes, as each replacement is noticed only after a second of quiet: `.ci/run`
//! asks for it by name.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, spawn};

use ipnet::{IpNet, Ipv4Net};
use trimtab::clock::now;

use crate::harness::{
    Client, Question, Reply, Server, Site, TcpClient, letters, regions, sent, until,
};
use crate::support::mmdb::{self, Mmdb};

const NAME: &str = "app.site.test";
const FILE: &str = "clients.mmdb";
const SWAPS: usize = 100;
/// Until so many have passed, memory may still be on its way to where it stays: parts of the heap
/// are kept for the next time.
const FIRST: usize = 20;

/// Countries, and the region of each. Version n of the database says of network i that it is in
/// the country i + n, so each version is wrong about all networks for any other of the last five.
const COUNTRIES: [&str; 5] = ["DE", "FR", "GB", "JP", "US"];
const REGIONS: &str = "abcde";
/// Networks of 256 addresses, none of the same region as those beside it.
const NETWORKS: usize = 200_000;
/// The least that a version takes, as a database (a node of its search tree for each network, six
/// octets each) and as a table (a range for each network, eight octets).
const VERSION: usize = NETWORKS * 6;
/// How many octets more may be in use at the end than after the first swaps. If each of the others left
/// a database or a table behind, it would be 80 times 1.2 MB: 96 MB.
const BOUND: f64 = 32e6;

const _: () = assert!(((SWAPS - FIRST) * VERSION) as f64 > 2.9 * BOUND);

fn network(at: usize) -> Ipv4Net {
    // From 11.0.0.0 on; what is special begins with 100.64.0.0/10.
    let bits = 0x0b00_0000 + u32::try_from(at).unwrap() * 256;
    Ipv4Net::new(Ipv4Addr::from(bits), 24).unwrap()
}

fn region(at: usize, version: usize) -> char {
    REGIONS.chars().nth((at + version) % COUNTRIES.len()).unwrap()
}

/// When a version was built, in seconds since 1970.
fn built(version: usize) -> u64 {
    1_700_000_000 + version as u64
}

/// The first versions, after which all but the time of building comes again.
fn databases() -> Vec<Vec<u8>> {
    let record = |country: &'static str| {
        mmdb::Client { country: Some(country), ..mmdb::Client::default() }.nested()
    };
    let database = |version: usize| {
        let country = |at| COUNTRIES[(at + version) % COUNTRIES.len()];
        let entries = (0..NETWORKS).map(|at| (IpNet::V4(network(at)), record(country(at))));
        let file = Mmdb { ip_version: 4, build_epoch: built(version), ..Mmdb::default() };
        file.write(&entries.collect::<Vec<_>>())
    };
    (0..COUNTRIES.len()).map(database).collect()
}

/// A version; `databases` are the first ones.
fn database(databases: &[Vec<u8>], version: usize) -> Vec<u8> {
    let alike = version % databases.len();
    let mut octets = databases[alike].clone();
    let time = |version| u32::try_from(built(version)).unwrap().to_be_bytes();
    // The metadata is at the end.
    let at = octets.windows(4).rposition(|octets| octets == time(alike)).unwrap();
    octets[at..at + 4].copy_from_slice(&time(version));
    octets
}

/// Which versions may be answered from.
#[derive(Debug, Default)]
struct Versions {
    /// All answers to queries sent from now on are from this one or a later one.
    oldest: AtomicUsize,
    /// The last that was begun to be written.
    newest: AtomicUsize,
    stop: AtomicBool,
    answered: AtomicUsize,
}

impl Versions {
    /// Asks for one network after another by `ask`, until it is told to stop.
    fn load(
        self: Arc<Self>,
        seed: u64,
        mut ask: impl FnMut(&Question) -> Reply + Send + 'static,
    ) -> JoinHandle<()> {
        spawn(move || {
            let mut rng = fastrand::Rng::with_seed(seed);
            while !self.stop.load(Ordering::SeqCst) {
                let at = rng.usize(..NETWORKS);
                let oldest = self.oldest.load(Ordering::SeqCst);
                let reply = ask(&question(at));
                let newest = self.newest.load(Ordering::SeqCst);
                let found = letters(&reply);
                let wanted: String = (oldest..=newest).map(|version| region(at, version)).collect();
                assert!(
                    found.len() == 1 && wanted.contains(&found),
                    "network {at} in versions {oldest} to {newest}: {found:?}, wanted one of {wanted}"
                );
                self.answered.fetch_add(1, Ordering::SeqCst);
            }
        })
    }
}

fn question(at: usize) -> Question {
    Question::a(NAME).options(sent(&network(at).to_string()))
}

/// Clients that ask without a pause: two over UDP, two over TCP; over IPv4 and IPv6.
fn clients(server: &Server, versions: &Arc<Versions>) -> Vec<JoinHandle<()>> {
    let mut threads = Vec::new();
    for (seed, to) in [(1, server.v4), (2, server.v6)] {
        let mut udp = Client::new(to);
        threads.push(Arc::clone(versions).load(seed, move |question| udp.ask(question)));
        threads.push(Arc::clone(versions).load(seed + 2, tcp(to)));
    }
    threads
}

/// Asks over one connection, which stays open.
fn tcp(to: SocketAddr) -> impl FnMut(&Question) -> Reply + Send + 'static {
    let mut client = TcpClient::new(to);
    let mut id = 0_u16;
    move |question| {
        id = id.wrapping_add(1);
        client.send(&[&question.wire(id)]);
        let reply = client.receive().expect("a query was not answered");
        assert_eq!(reply.octets[..2], id.to_be_bytes(), "the id of another request");
        reply
    }
}

fn site() -> Site {
    let rules = COUNTRIES.into_iter().zip(REGIONS.chars());
    let rules: Vec<String> =
        rules.map(|(code, to)| format!("{{ country = \"{code}\", to = \"{to}\" }}")).collect();
    Site::new(&format!(
        "[geo]\ndatabases = [\"{FILE}\"]\n{}\
         [policies.main]\ntype = \"geolocation\"\nrules = [{}]\ndefault = \"nodata\"\n\
         [[records]]\nname = \"{NAME}\"\npolicy = \"main\"\n",
        regions(&[""; 5]),
        rules.join(", ")
    ))
}

/// Octets of the server's memory that are in use.
fn memory(server: &Server) -> f64 {
    server.metrics().value("process_resident_memory_bytes")
}

/// Waits until a version is answered from, and known to be.
fn arrives(site: &Site, server: &Server, version: usize) {
    let mut client = server.client();
    let at = version * 997 % NETWORKS;
    until(&format!("version {version} is answered from"), || {
        (letters(&client.ask(&question(at))).starts_with(region(at, version))).then_some(())
    });
    let path = site.path(FILE);
    let series =
        format!("trimtab_geo_database_build_timestamp_seconds{{file=\"{}\"}}", path.display());
    server.metric_becomes(&series, built(version) as f64);
}

#[test]
#[ignore = "takes minutes; `.ci/run` runs it"]
fn a_hundred_swaps_under_load_lose_nothing() {
    let site = site();
    let databases = databases();
    assert!(databases.iter().all(|octets| octets.len() >= VERSION));
    site.write(FILE, &database(&databases, 0));
    let server = site.serve();
    let versions = Arc::new(Versions::default());
    let threads = clients(&server, &versions);
    let start = now();
    let (mut settled, mut most) = (0.0_f64, 0.0_f64);
    for version in 1..=SWAPS {
        let octets = database(&databases, version);
        if version % 20 == 5 {
            // Half of it comes first, which is broken, and stays so for a while.
            let refused = server.log.count("cannot be used");
            site.write(FILE, &octets[..octets.len() / 2]);
            server.log.wait_for_count("cannot be used", refused + 1);
        }
        versions.newest.store(version, Ordering::SeqCst);
        if version % 2 == 0 {
            site.write("new.mmdb", &octets);
            fs::rename(site.path("new.mmdb"), site.path(FILE)).unwrap();
        } else {
            site.write(FILE, &octets);
        }
        arrives(&site, &server, version);
        versions.oldest.store(version, Ordering::SeqCst);
        let ended = threads.iter().any(JoinHandle::is_finished);
        assert!(!ended, "a query was not answered, or wrongly, around swap {version}");
        let memory = memory(&server);
        if version <= FIRST {
            settled = settled.max(memory);
        }
        most = most.max(memory);
        if version % 10 == 0 {
            let secs = (now() - start).as_secs();
            println!("{version} swaps in {secs} s: {:.1} MB", memory / 1e6);
        }
    }
    versions.stop.store(true, Ordering::SeqCst);
    for thread in threads {
        thread.join().unwrap();
    }
    let (answered, last) = (versions.answered.load(Ordering::SeqCst), memory(&server));
    println!("{answered} answers; {:.1} MB, at most {:.1} MB", last / 1e6, most / 1e6);
    server.log.wait_for_count("which was replaced", SWAPS);
    assert!(answered > 100 * SWAPS, "{answered} answers in {SWAPS} swaps are no load");
    assert!(last - settled < BOUND, "{last} octets in use, {settled} after {FIRST} swaps");
}
