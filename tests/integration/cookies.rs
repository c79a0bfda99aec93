//! DNS cookies (RFC 7873 and 9018) as clients see them.

use std::net::SocketAddr;

use rstest::rstest;

use crate::harness::{Question, Reply, Server, Site, Via, exchange, option, until};

const COOKIE: u16 = 10;
const CLIENT: &[u8] = b"\x24\x64\xc4\xab\xcf\x10\xc9\x57";
const NOERROR: u16 = 0;
const FORMERR: u16 = 1;
const BADCOOKIE: u16 = 23;

/// A reply to a query with a cookie of these octets.
fn reply(via: Via, to: SocketAddr, data: &[u8]) -> Reply {
    let question = Question::a("ns1.site.test").options(option(COOKIE, data));
    exchange(via, to, &question.wire(1))
}

/// A reply to a message with such a cookie and no question.
fn greeted(via: Via, to: SocketAddr, data: &[u8]) -> Reply {
    let cookie = option(COOKIE, data);
    let mut request = vec![0, 7, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0];
    request.extend(u16::try_from(cookie.len()).unwrap().to_be_bytes());
    request.extend(cookie);
    exchange(via, to, &request)
}

/// The cookie of a reply.
#[track_caller]
fn cookie(reply: &Reply) -> Vec<u8> {
    let opt = reply.opt().expect("an OPT");
    opt.option(COOKIE).expect("a cookie").to_vec()
}

fn ways(server: &Server) -> Vec<(Via, SocketAddr)> {
    [Via::Udp, Via::Tcp].into_iter().flat_map(|via| [(via, server.v4), (via, server.v6)]).collect()
}

#[test]
fn rfc7873_5_2_3_a_client_gets_a_cookie_and_is_known_by_it() {
    let server = Site::new("").serve();
    for (via, to) in ways(&server) {
        let before = server.metrics();
        let first = reply(via, to, CLIENT);
        assert_eq!(first.addresses().len(), 1, "answered as ever: {via:?}");
        let got = cookie(&first);
        assert_eq!((got.len(), &got[..8], &got[8..12]), (24, CLIENT, &[1, 0, 0, 0][..]));
        let second = reply(via, to, &got);
        assert_eq!(second.addresses().len(), 1);
        assert_eq!(cookie(&second), got, "it is good for half an hour");
        let grown = server.metrics().growth(&before, "trimtab_dns_cookies_total");
        let one = |kind| (format!("trimtab_dns_cookies_total{{cookie=\"{kind}\"}}"), 1.0);
        assert_eq!(grown, [one("new"), one("valid")], "{via:?}");
    }
}

#[rstest]
#[case::rfc9018_4_of_another_client(b"another!", 0)]
#[case::rfc9018_4_of_another_maker(CLIENT, 15)]
#[case::rfc9018_4_3_of_another_time(CLIENT, 7)]
fn rfc7873_5_2_4_a_wrong_cookie_is_as_none(#[case] client: &[u8], #[case] bent: usize) {
    let server = Site::new("").serve();
    for (via, to) in ways(&server) {
        let got = cookie(&reply(via, to, CLIENT));
        let mut sent = [client, &got[8..]].concat();
        sent[8 + bent] ^= u8::from(bent > 0);
        let before = server.metrics();
        let answered = reply(via, to, &sent);
        assert_eq!(answered.header().0, NOERROR);
        assert_eq!(answered.addresses().len(), 1, "answered all the same");
        let fresh = cookie(&answered);
        assert_ne!(fresh, sent);
        assert_eq!(cookie(&reply(via, to, &fresh)), fresh, "a good one came back");
        let grown = server.metrics().growth(&before, "trimtab_dns_cookies_total");
        assert!(grown.contains(&("trimtab_dns_cookies_total{cookie=\"wrong\"}".into(), 1.0)));
    }
}

#[test]
fn rfc7873_5_2_2_lengths() {
    let server = Site::new("").serve();
    for len in (0..=48).chain([255, 1000]) {
        let answered = reply(Via::Udp, server.v4, &vec![7; len]);
        let good = len == 8 || (16..=40).contains(&len);
        assert_eq!(answered.header().0, if good { NOERROR } else { FORMERR }, "{len} octets");
        assert_eq!(answered.addresses().len(), usize::from(good), "{len} octets");
        let opt = answered.opt().expect("an OPT in errors, too");
        assert_eq!(opt.option(COOKIE).map(<[u8]>::len), good.then_some(24), "{len} octets");
    }
}

#[test]
fn rfc7873_5_2_of_several_cookies_the_first_counts() {
    let server = Site::new("").serve();
    let two = [option(COOKIE, CLIENT), option(COOKIE, b"the next")].concat();
    let question = Question::a("ns1.site.test").options(two);
    let got = cookie(&exchange(Via::Udp, server.v4, &question.wire(1)));
    assert_eq!(got[..8], *CLIENT);
}

#[test]
fn rfc7873_5_4_a_cookie_without_a_question() {
    let server = Site::new("").serve();
    for (via, to) in ways(&server) {
        let new = greeted(via, to, CLIENT);
        assert_eq!(new.header(), (NOERROR, false, false, [0, 0, 0, 1]), "{via:?}");
        let got = cookie(&new);
        assert_eq!(got[..8], *CLIENT);
        let known = greeted(via, to, &got);
        assert_eq!((known.header().0, cookie(&known)), (NOERROR, got.clone()), "{via:?}");
        let mut bent = got.clone();
        bent[20] ^= 1;
        let wrong = greeted(via, to, &bent);
        assert_eq!(wrong.header(), (BADCOOKIE, false, false, [0, 0, 0, 1]), "{via:?}");
        let fresh = cookie(&wrong);
        assert_eq!(greeted(via, to, &fresh).header().0, NOERROR, "the fresh one is good");
        assert_eq!(greeted(via, to, &[1; 9]).header().0, FORMERR);
    }
}

#[test]
fn rfc9018_5_nameservers_share_a_secret_and_change_it() {
    const OLD: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf\n";
    const NEW: &str = "445536bcd2513298075a5d379663c962\n";
    let sites = [OLD, OLD].map(|secrets| {
        let site = Site::new("[server.cookies]\nsecret_file = \"cookie.secret\"\n");
        site.write("cookie.secret", secrets);
        site
    });
    let servers = sites.each_ref().map(Site::serve);
    let ask = |of: usize, data: &[u8]| cookie(&reply(Via::Udp, servers[of].v4, data));
    let from_first = ask(0, CLIENT);
    assert_eq!(ask(1, &from_first), from_first, "one nameserver's cookie is good at the other");

    // The new secret is known to all before any of them uses it, and the old one goes last.
    for (site, server) in sites.iter().zip(&servers) {
        site.write("cookie.secret", &format!("{OLD}{NEW}"));
        assert!(server.reload());
    }
    sites[0].write("cookie.secret", &format!("{NEW}{OLD}"));
    assert!(servers[0].reload());
    let counted = |of: usize, series: &str| {
        servers[of].metrics().value(&format!("trimtab_dns_cookies_total{{cookie=\"{series}\"}}"))
    };
    let replaced = ask(0, &from_first);
    assert_ne!(replaced, from_first, "made with the new secret now");
    assert_eq!((counted(0, "valid"), counted(0, "wrong")), (1.0, 0.0));
    ask(1, &replaced);
    assert_eq!((counted(1, "valid"), counted(1, "wrong")), (2.0, 0.0), "good there already");

    // A broken file changes nothing.
    sites[0].write("cookie.secret", "not a secret\n");
    assert!(!servers[0].reload());
    assert_eq!(ask(0, &replaced), replaced);
}

#[test]
fn a_reload_keeps_the_random_secret() {
    let site = Site::new("");
    let server = site.serve();
    let got = cookie(&reply(Via::Udp, server.v4, CLIENT));
    assert!(server.reload());
    assert_eq!(cookie(&reply(Via::Udp, server.v4, &got)), got);
}

#[test]
fn rfc9018_4_3_new_cookies_have_the_time_of_the_moment() {
    let server = Site::new("").serve();
    let time = |via| {
        let cookie = cookie(&reply(via, server.v4, CLIENT));
        u32::from_be_bytes(*cookie[12..].first_chunk().unwrap())
    };
    let start = [Via::Udp, Via::Tcp].map(time);
    until("a second passes", || (wall_secs() > start[1].max(start[0])).then_some(()));
    for (via, start) in [Via::Udp, Via::Tcp].into_iter().zip(start) {
        assert!((start + 1..=wall_secs()).contains(&time(via)), "{via:?}");
    }
}

/// Seconds of Unix time.
fn wall_secs() -> u32 {
    let since = trimtab::clock::wall().duration_since(std::time::UNIX_EPOCH).unwrap();
    u32::try_from(since.as_secs()).unwrap()
}

#[test]
fn cookies_can_be_switched_off() {
    let server = Site::new("[server.cookies]\nenabled = false\n").serve();
    for data in [CLIENT, &[7; 24], &[7; 9], &[]] {
        let answered = reply(Via::Udp, server.v4, data);
        assert_eq!((answered.header().0, answered.addresses().len()), (NOERROR, 1));
        assert_eq!(answered.opt().unwrap().options, []);
    }
    assert_eq!(greeted(Via::Udp, server.v4, CLIENT).header().0, FORMERR, "RFC 9619");
}
