//! The server as a child process, and what it counts.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use trimtab::clock::now;

use super::messages::{A, query};

/// How long it may take to start.
const START: Duration = Duration::from_secs(20);

const ZONE: &str = "$TTL 60\n@ SOA ns1 hostmaster 1 900 900 1800 60\n@ NS ns1\nns1 A 127.0.0.1\n";

/// A running server; it ends with this value.
pub(crate) struct Server {
    child: Child,
    admin: SocketAddr,
    _home: TempDir,
    /// Where it answers.
    pub(crate) address: SocketAddr,
}

/// What the server, and the kernel before it, did with all that came.
pub(crate) struct Counts {
    /// Queries for which a receive queue had no room.
    pub(crate) queue: u64,
    /// Replies over a limit that were not sent.
    pub(crate) dropped: u64,
    /// Replies over a limit that were sent without records.
    pub(crate) slipped: u64,
    /// All replies.
    pub(crate) replies: u64,
}

impl Server {
    /// Starts it with two workers, with or without limits, and waits until it answers.
    pub(crate) fn start(binary: &str, limits: bool) -> Self {
        let home = TempDir::new().expect("a directory for the server");
        let (address, admin) = (free_port(), free_port());
        let names: String = (0..10).map(|n| format!("www{n} A 192.0.2.{n}\n")).collect();
        let config = format!(
            "version = 1\n\
             [server]\nlisten = [\"{address}\"]\nworkers = 2\n\
             [server.rate_limit]\nenabled = {limits}\nexempt = []\n\
             [admin]\nlisten = \"{admin}\"\n\
             [log]\nlevel = \"error\"\n\
             [zones.\"flood.test\"]\nfile = \"zone\"\n\
             [regions.a]\naddresses = [\"192.0.2.10\"]\n\
             [regions.b]\naddresses = [\"192.0.2.20\"]\n\
             [[records]]\nname = \"app.flood.test\"\npolicy = \"weighted\"\n"
        );
        let file = home.path().join("trimtab.toml");
        fs::write(home.path().join("zone"), ZONE.to_owned() + &names).expect("the zone is written");
        fs::write(&file, config).expect("the configuration is written");
        let mut command = Command::new(binary);
        command.args(["serve", "--config"]).arg(file).stdin(Stdio::null());
        let child = command.spawn().expect("the server starts");
        let server = Self { child, admin, _home: home, address };
        server.wait();
        server
    }

    fn wait(&self) {
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        client.set_read_timeout(Some(Duration::from_millis(50))).expect("a time");
        client.connect(self.address).expect("a UDP socket connects");
        let end = now() + START;
        while now() < end {
            let _ = client.send(&query(1, "ns1.flood.test", A));
            if client.recv(&mut [0; 512]).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server does not answer within {START:?}");
    }

    /// What there was since it started.
    pub(crate) fn counts(&self) -> Counts {
        let text = self.scrape();
        let sum = |name: &str, label: &str| {
            let lines = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
            let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
            values.sum::<u64>()
        };
        Counts {
            queue: self.without_room(),
            dropped: sum("trimtab_dns_rate_limited_total", "\"dropped\""),
            slipped: sum("trimtab_dns_rate_limited_total", "\"slipped\""),
            replies: sum("trimtab_dns_responses_total", "\"udp\""),
        }
    }

    fn scrape(&self) -> String {
        let mut stream = TcpStream::connect(self.admin).expect("the admin port answers");
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            .expect("the admin port reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("the admin port answers");
        text
    }

    /// The last column of /proc/net/udp, for the sockets of its port.
    fn without_room(&self) -> u64 {
        let table = fs::read_to_string("/proc/net/udp").expect("Linux");
        let port = format!(":{:04X}", self.address.port());
        let ours = table.lines().filter(|line| {
            line.split_whitespace().nth(1).is_some_and(|local| local.ends_with(&port))
        });
        ours.filter_map(|line| line.split_whitespace().last()?.parse::<u64>().ok()).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("it has an address")
}
