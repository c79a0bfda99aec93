//! Hostile clients over TCP beside a polite one, who must not notice.

mod beside;
#[path = "../../support/hostile.rs"]
mod crowd;
mod keepalive;
mod odd;
mod places;

use std::net::Ipv4Addr;
use std::time::Duration;

use hickory_proto::rr::RecordType::TXT;

use self::crowd::{Crowd, Habit};
use crate::harness::{Client, Question, Server, Site, TcpClient, framed, until};

/// A server with these `[server.tcp]` that has answers of all sizes.
fn serve(tcp: &str) -> Server {
    site(tcp).serve()
}

/// Its files.
fn site(tcp: &str) -> Site {
    let site = Site::new(&body(tcp));
    site.write("example.test.zone", include_str!("../../fixtures/zones/example.test.zone"));
    site
}

/// What is behind the head of its configuration.
fn body(tcp: &str) -> String {
    format!(
        "[server.rate_limit]\nenabled = false\n[server.tcp]\n{tcp}\n\
         [zones.\"example.test\"]\nfile = \"example.test.zone\"\n\
         [regions.solo]\naddresses = [\"192.0.2.100\"]\n\
         [[records]]\nname = \"app.example.test\"\npolicy = \"solo\"\n"
    )
}

/// A crowd that asks for much; its clients are in networks of 200 addresses, from 127.66.0.0 on, of
/// which each has so many clients.
fn gather(server: &Server, count: usize, of_network: usize, habits: &[Habit]) -> Crowd {
    let from = move |n: usize| {
        let (network, host) = (n / of_network, n % of_network % 200 + 1);
        let [high, low] = u16::try_from(network).unwrap().to_be_bytes();
        Ipv4Addr::new(127, 66 + high, low, u8::try_from(host).unwrap())
    };
    let query = framed(&Question::new("huge.example.test", TXT).wire(1));
    Crowd::gather(server.v4, count, habits, from, &query, Duration::from_millis(20))
}

/// Who asks now and then over UDP, over a connection for each question, and over one that stays.
struct Polite<'a> {
    server: &'a Server,
    udp: Client,
    tcp: TcpClient,
    id: u16,
}

impl<'a> Polite<'a> {
    /// It is connected before anybody else.
    fn meet(server: &'a Server) -> Self {
        let mut polite =
            Self { server, udp: server.client(), tcp: TcpClient::new(server.v4), id: 0 };
        polite.ask();
        polite
    }

    /// One question in every way; panics when any is not answered.
    #[track_caller]
    fn ask(&mut self) {
        self.id += 1;
        let question = Question::a("app.example.test");
        assert_eq!(self.udp.ask(&question).addresses().len(), 1);
        let mut fresh = TcpClient::new(self.server.v4);
        for tcp in [&mut fresh, &mut self.tcp] {
            tcp.send(&[&question.wire(self.id)]);
            let reply = tcp.receive().expect("the connection was closed on a polite client");
            assert_eq!((reply.message.metadata.id, reply.addresses().len()), (self.id, 1));
        }
    }

    /// Asks at least so many questions, and goes on until the crowd has gone so many rounds.
    #[track_caller]
    fn ask_beside(&mut self, crowd: &Crowd, questions: usize, rounds: usize) {
        let end = crowd.rounds() + rounds;
        let mut asked = 0;
        while asked < questions || crowd.rounds() < end {
            self.ask();
            asked += 1;
            assert!(crowd.is_alive());
        }
    }
}

/// The sum of all reasons for which connections were closed, or that of one.
fn closed(server: &Server, reason: &str) -> f64 {
    server.metrics().value(&format!("trimtab_dns_tcp_closed_total{{reason=\"{reason}\"}}"))
}

fn open(server: &Server) -> f64 {
    server.metrics().value("trimtab_dns_tcp_connections")
}

/// Waits until so many connections have been accepted.
fn accepted(server: &Server, count: f64) {
    until(&format!("{count} connections are accepted"), || {
        (server.metrics().value("trimtab_dns_tcp_accepted_total") >= count).then_some(())
    });
}
