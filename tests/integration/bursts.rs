//! A burst of a thousand queries that wait in the server's socket together: each is answered, also
//! when the server has only just begun, loads another configuration, or is about to end.

use std::net::{SocketAddr, UdpSocket};

use crate::harness::{Client, Kind, Mode, Question, Server, Signal, Site, quick, targets};

const NAME: &str = "app.site.test";
const CLIENTS: u16 = 10;
/// Of each client; as many answers as its socket surely has room for.
const QUERIES: u16 = 100;
/// The same where the system allows no larger receive buffer than its own (212,992 octets), which has
/// room for some 230 queries in all.
const FEW_QUERIES: u16 = 10;
/// What the server says then.
const NO_ROOM: &str = "octets short of";

fn body(regions: &str) -> String {
    format!("{regions}[[records]]\nname = \"{NAME}\"\npolicy = \"static\"\n")
}

fn site() -> Site {
    Site::new(&body("[regions.static]\naddresses = [\"192.0.2.1\"]\n"))
}

/// Clients that have sent all at once, so many queries each.
struct Burst {
    clients: Vec<Client>,
    queries: u16,
}

fn burst(server: &Server, to: SocketAddr) -> Burst {
    let queries = if server.log.count(NO_ROOM) > 0 { FEW_QUERIES } else { QUERIES };
    let clients: Vec<_> = (0..CLIENTS).map(|_| Client::new(to)).collect();
    let requests: Vec<_> = (0..queries).map(|id| Question::a(NAME).wire(id)).collect();
    requests.iter().for_each(|request| clients.iter().for_each(|client| client.send(request)));
    Burst { clients, queries }
}

#[track_caller]
fn all_answered(burst: &Burst) {
    for client in &burst.clients {
        let mut answered = vec![false; usize::from(burst.queries)];
        for _ in 0..burst.queries {
            let reply = client.receive();
            assert_eq!(reply.addresses().len(), 1, "{}", reply.text());
            answered[usize::from(reply.message.metadata.id)] = true;
        }
        assert!(answered.iter().all(|answered| *answered));
    }
}

/// Sends it while the server stands still, so that all of it waits, and this signal with it.
fn while_it_stands_still(server: &Server, signal: Option<Signal>) -> Burst {
    server.signal(Signal::Pause);
    let burst = burst(server, server.v4);
    if let Some(signal) = signal {
        server.signal(signal);
    }
    server.signal(Signal::Resume);
    burst
}

#[test]
fn a_burst_at_once_is_answered() {
    let server = site().serve();
    all_answered(&while_it_stands_still(&server, None));
}

#[test]
fn a_burst_while_the_configuration_is_replaced_is_answered() {
    let site = site();
    let server = site.serve();
    for generation in 0..3 {
        site.configure(&body(&format!(
            "[regions.static]\naddresses = [\"192.0.2.1\"]\nweight = {generation}\n"
        )));
        all_answered(&while_it_stands_still(&server, Some(Signal::Reload)));
        server.log.wait_for_count("reloaded ", generation + 1);
    }
}

#[test]
fn a_burst_before_the_end_is_answered() {
    let mut server = site().serve();
    all_answered(&while_it_stands_still(&server, Some(Signal::Stop)));
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_burst_before_the_first_answer_is_answered() {
    // Until the first probe has come to something, the server has its socket and answers nobody.
    let (port, target) = targets::<1>(Kind::Http);
    target[0].set(Mode::Hang);
    let regions = quick(Kind::Http, port, &target)
        .replace("interval = \"200ms\"", "interval = \"1h\"")
        .replace("timeout = \"180ms\"", "timeout = \"30s\"");
    let record = "[[records]]\nname = \"checked.site.test\"\npolicy = \"a\"\n";
    let site = Site::new(&body(&format!(
        "{regions}{record}[regions.static]\naddresses = [\"192.0.2.1\"]\n"
    )));
    // Its port has to be known before it says so; nothing else here uses this address.
    let address = UdpSocket::bind("127.0.0.78:0").unwrap().local_addr().unwrap();
    let text = std::fs::read_to_string(site.config()).unwrap();
    let listen = r#"["127.0.0.1:0", "[::1]:0"]"#;
    assert!(text.contains(listen));
    site.write("trimtab.toml", &text.replace(listen, &format!("[\"{address}\"]")));

    let server = Server::spawn(&site);
    // It probes only when its sockets are open.
    crate::harness::until("it probes", || (target[0].accepted() > 0).then_some(()));
    let burst = burst(&server, address);
    assert_eq!(server.log.count("answering on"), 0, "it has not begun to answer");
    target[0].set(Mode::Ok);
    server.log.wait_for("answering on");
    all_answered(&burst);
}
