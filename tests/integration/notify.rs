//! Secondaries are told of new serials (RFC 1996): who is told what, how often, and what is made of
//! the answers. The secondary is a socket of the test.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use hickory_proto::op::{Message, OpCode};
use hickory_proto::rr::RecordType;

use crate::harness::{Server, Site};

/// A secondary that says what the test has it say.
struct Secondary(UdpSocket);

impl Secondary {
    fn new() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self(socket)
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// The next message, and who sent it.
    #[track_caller]
    fn hear(&self) -> (Vec<u8>, SocketAddr) {
        let mut octets = [0; 1500];
        let (len, from) = self.0.recv_from(&mut octets).expect("to be told");
        (octets[..len].to_vec(), from)
    }

    /// Hears of a zone, and answers with this code.
    #[track_caller]
    fn told(&self, rcode: u8) -> String {
        let (mut octets, from) = self.hear();
        let message = Message::from_vec(&octets).unwrap();
        assert_eq!(message.metadata.op_code, OpCode::Notify);
        assert!(message.metadata.authoritative);
        let [query] = &message.queries[..] else { panic!("one question") };
        assert_eq!(query.query_type(), RecordType::SOA);
        assert!(from.ip().is_loopback(), "from where this server answers: {from}");
        octets[2] |= 0x80;
        octets[3] = rcode;
        self.0.send_to(&octets, from).unwrap();
        query.name().to_string()
    }
}

/// A server with two zones, one of them with this serial, and one secondary.
fn site(at: SocketAddr, serial: u32) -> Site {
    let site = Site::new(&format!(
        "[server.transfer]\nallow = [\"127.0.0.1\"]\nnotify = [\"{at}\"]\n\
         [zones.\"file.test\"]\nfile = \"file\"\n"
    ));
    set(&site, serial);
    site
}

fn set(site: &Site, serial: u32) {
    let text = format!("$TTL 60\n@ SOA ns.site.test. h {serial} 1 1 1 60\n@ NS ns.site.test.\n");
    site.write("file", &text);
}

fn count(server: &Server, at: SocketAddr, result: &str) -> f64 {
    let series = format!("trimtab_notifies_total{{secondary=\"{at}\",result=\"{result}\"}}");
    server.metrics().value(&series)
}

#[test]
fn rfc1996_3_a_secondary_is_told_at_start_and_when_a_serial_has_grown() {
    let secondary = Secondary::new();
    let at = secondary.address();
    let site = site(at, 5);
    let server = site.serve();
    let mut both = [secondary.told(0), secondary.told(0)];
    both.sort();
    assert_eq!(both, ["file.test.", "site.test."]);
    let series = format!("trimtab_notifies_total{{secondary=\"{at}\",result=\"answered\"}}");
    server.metric_becomes(&series, 2.0);

    // Nothing new, and what is older than what it has: the next that it hears of is the next serial.
    assert!(server.reload());
    set(&site, 4);
    assert!(server.reload());
    server.log.wait_for("the serial of file.test has gone back from 5 to 4");
    set(&site, 6);
    assert!(server.reload());
    assert_eq!(secondary.told(0), "file.test.");
    server.metric_becomes(&series, 3.0);
    assert_eq!(count(&server, at, "refused"), 0.0);
}

#[test]
fn rfc1996_3_6_who_does_not_answer_is_told_again() {
    let secondary = Secondary::new();
    let site = site(secondary.address(), 5);
    let server = site.serve();
    // Both zones, and both again after a second.
    let heard: Vec<_> = (0..4).map(|_| secondary.hear().0).collect();
    let question = |octets: &Vec<u8>| octets[12..].to_vec();
    let mut first: Vec<_> = heard[..2].iter().map(question).collect();
    let mut second: Vec<_> = heard[2..].iter().map(question).collect();
    first.sort();
    second.sort();
    assert_eq!(first, second);
    assert_eq!(count(&server, secondary.address(), "answered"), 0.0);
    assert!(server.stop().success(), "which nothing of that holds up");
}

#[test]
fn a_secondary_that_refuses_is_told_of_in_the_log() {
    let secondary = Secondary::new();
    let at = secondary.address();
    let site = site(at, 5);
    let server = site.serve();
    for _ in 0..2 {
        secondary.told(9);
    }
    let told = server.log.wait_for(&format!("the secondary {at} refuses to be told of file.test"));
    assert!(told.contains("response code 9"), "{told}");
    set(&site, 6);
    assert!(server.reload());
    secondary.told(0);
    server.log.wait_for(&format!("the secondary {at} has been told of file.test again (serial 6)"));
    assert_eq!((count(&server, at, "refused"), count(&server, at, "answered")), (2.0, 1.0));
    site.configure("");
    assert!(server.reload());
    let series = format!("trimtab_notifies_total{{secondary=\"{at}\",result=\"answered\"}}");
    assert_eq!(server.metrics().find(&series), None, "who is no secondary any more");
}

#[test]
fn zones_that_nobody_gets_are_not_told_of() {
    let secondary = Secondary::new();
    let site = site(secondary.address(), 5);
    let dynamic = "[regions.solo]\naddresses = [\"192.0.2.100\"]\n\
                   [[records]]\nname = \"app.site.test\"\npolicy = \"solo\"\n";
    let at = secondary.address();
    site.configure(&format!(
        "[server.transfer]\nallow = [\"127.0.0.1\"]\nnotify = [\"{at}\"]\n\
         [zones.\"file.test\"]\nfile = \"file\"\n{dynamic}"
    ));
    let server = site.serve();
    assert_eq!(secondary.told(0), "file.test.");
    // The next that it hears is the next serial.
    set(&site, 6);
    assert!(server.reload());
    assert_eq!(secondary.told(0), "file.test.");
}
