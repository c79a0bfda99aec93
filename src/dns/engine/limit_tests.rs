//! Limits of replies over UDP: who shares an account, and what is sent over the limit.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

use std::net::IpAddr;
use std::sync::Arc;

use hickory_proto::op::{Message, ResponseCode};
use rstest::rstest;

use super::tests::{query, shared, snapshot};
use super::*;
use crate::metrics::{Metrics, Proto};
use crate::model::Family;
use crate::routing::{Networks, RateLimit};
use crate::wire::rtype;

const AAAA: u16 = 28;
const TXT: u16 = 16;
const MX: u16 = 15;
const CLIENT: &str = "192.0.2.1";

/// One reply a second of either kind, and none without records.
fn one() -> RateLimit {
    RateLimit {
        responses_per_second: 1,
        errors_per_second: 1,
        slip: 0,
        dry_run: false,
        exempt: Networks::default(),
    }
}

/// One engine under limits, at a time of its own.
struct Bench {
    snapshot: Snapshot,
    metrics: Arc<Metrics>,
    worker: Worker,
    transport: Transport,
}

impl Bench {
    fn new(limits: RateLimit) -> Self {
        let metrics = Metrics::new();
        let block = metrics.block(Proto::Udp, Family::V4, false);
        let worker = Worker::new(block, 7, shared());
        let mut bench = Self { snapshot: snapshot(), metrics, worker, transport: Transport::Udp };
        bench.snapshot.options.rate_limit = Some(limits);
        bench
    }

    fn send(&mut self, from: &str, request: &[u8]) -> Option<Vec<u8>> {
        let from: IpAddr = from.parse().unwrap();
        let mut at = Located::default();
        locate(&self.snapshot, from, request, &mut at);
        let mut buffer = vec![0; reply_max(self.transport, 4096)];
        buffer[..request.len()].copy_from_slice(request);
        match finish(&self.snapshot, &at, self.transport, &mut buffer, &mut self.worker) {
            Verdict::Reply(len) => Some(buffer[..len].to_vec()),
            Verdict::Nothing | Verdict::Transfer => None,
        }
    }

    /// Asks for a name, of `example.test` unless it ends with a dot, and tells whether there was
    /// a reply.
    fn ask(&mut self, from: &str, name: &str, qtype: u16) -> bool {
        self.send(from, &query(&full(name), qtype, None)).is_some()
    }

    /// How replies to one question came out: `.` none, `t` truncated, `c` BADCOOKIE, `w` whole.
    fn run(&mut self, request: &[u8], times: usize) -> String {
        let one = |_| match self.send(CLIENT, request) {
            None => '.',
            Some(reply) if reply[2] & 0x02 != 0 => 't',
            Some(reply) if Message::from_vec(&reply).unwrap().response_code == BADCOOKIE => 'c',
            Some(_) => 'w',
        };
        (0..times).map(one).collect()
    }

    /// The counters of replies over a limit that are not 0.
    fn counted(&self) -> Vec<String> {
        let text = self.metrics.text();
        let lines = text.lines().filter_map(|line| {
            let line = line.strip_prefix("trimtab_dns_rate_limited_total")?;
            (!line.ends_with(" 0")).then(|| line.to_owned())
        });
        lines.collect()
    }
}

const BADCOOKIE: ResponseCode = ResponseCode::BADCOOKIE;

fn full(name: &str) -> String {
    name.strip_suffix('.').map_or_else(|| format!("{name}.example.test"), ToOwned::to_owned)
}

#[rstest]
#[case::name_and_type("www", rtype::A, "wWw", rtype::A, true)]
#[case::another_type_that_is_there("app", rtype::A, "app", AAAA, false)]
#[case::another_name("www", rtype::A, "ns1", rtype::A, false)]
#[case::rfc2308_no_data_of_any_type("www", TXT, "www", MX, true)]
#[case::no_data_and_data("www", TXT, "www", rtype::A, false)]
#[case::rfc4592_names_below_a_wildcard("a.wild", rtype::A, "b.c.wild", rtype::A, true)]
#[case::rfc4592_the_wildcard_itself("a.wild", rtype::A, "*.wild", rtype::A, true)]
#[case::rfc4592_no_data_below_a_wildcard("a.wild", TXT, "b.wild", MX, true)]
#[case::referrals("a.sub", rtype::A, "b.sub", TXT, true)]
#[case::a_referral_and_a_name_that_does_not_exist("a.sub", rtype::A, "nope", rtype::A, false)]
#[case::the_delegation_itself("a.sub", rtype::A, "sub", rtype::NS, true)]
#[case::rfc6672_names_below_a_dname("x.d", rtype::A, "y.d", TXT, true)]
#[case::an_alias_of_any_type("c1", rtype::A, "c1", TXT, true)]
#[case::an_alias_and_its_end("c1", rtype::A, "www", rtype::A, false)]
#[case::an_alias_by_a_dname_and_its_end("x.d", rtype::A, "x.e", rtype::A, false)]
#[case::an_alias_of_nothing("gone", rtype::A, "nope", rtype::A, false)]
#[case::a_dynamic_name("app", rtype::A, "app", rtype::A, true)]
#[case::rfc8482_any("www", rtype::ANY, "www", rtype::A, false)]
#[case::names_that_do_not_exist("nope", rtype::A, "x.host.wild", TXT, true)]
#[case::names_of_no_zone("a.test.", rtype::A, "b.", TXT, true)]
#[case::no_zone_and_a_zone("a.test.", rtype::A, "nope", rtype::A, false)]
#[case::what_is_not_answered_at_all("a.test.", rtype::A, "www", rtype::AXFR, true)]
fn who_shares_an_account(
    #[case] first: &str,
    #[case] first_type: u16,
    #[case] second: &str,
    #[case] second_type: u16,
    #[case] shared: bool,
) {
    let mut bench = Bench::new(one());
    assert!(bench.ask(CLIENT, first, first_type));
    assert_eq!(bench.ask(CLIENT, second, second_type), !shared);
    assert!(!bench.ask(CLIENT, first, first_type), "the first one's account is empty");
    bench.worker.now.millis += 1000;
    assert!(bench.ask(CLIENT, first, first_type), "and a second later it is not");
}

#[test]
fn clients_of_a_network_share_its_accounts() {
    let mut bench = Bench::new(one());
    for (from, answered) in [
        ("192.0.2.1", true),
        ("192.0.2.200", false),
        ("::ffff:192.0.2.9", false),
        ("192.0.3.1", true),
        ("2001:db8:0:a00::1", true),
        ("2001:db8:0:aff::2", false),
        ("2001:db8:0:b00::1", true),
    ] {
        assert_eq!(bench.ask(from, "www", rtype::A), answered, "{from}");
        assert_eq!(bench.ask(from, "nope", rtype::A), answered, "{from}");
    }
    let counts =
        [r#"{limit="errors",action="dropped"} 3"#, r#"{limit="responses",action="dropped"} 3"#];
    assert_eq!(bench.counted(), counts);
}

#[rstest]
#[case(0, "ww......")]
#[case(1, "wwtttttt")]
#[case(2, "ww.t.t.t")]
#[case(3, "ww..t..t")]
fn each_slip_th_reply_over_the_limit_is_sent(#[case] slip: u8, #[case] wanted: &str) {
    let mut bench = Bench::new(RateLimit { responses_per_second: 2, slip, ..one() });
    assert_eq!(bench.run(&query("www.example.test", rtype::A, None), 8), wanted);
}

/// Not a single octet longer than what was asked, so that nothing is gained by asking for another.
#[rstest]
#[case::answer("www", rtype::A, "NoError aa tc")]
#[case::wildcard("a.wild", rtype::A, "NoError aa tc")]
#[case::dynamic("app", rtype::A, "NoError aa tc")]
#[case::no_data("www", TXT, "NoError aa tc")]
#[case::nxdomain("nope", rtype::A, "NoError aa tc")]
#[case::referral("a.sub", rtype::A, "NoError tc")]
#[case::outside("a.test.", rtype::A, "Refused tc")]
#[case::axfr("www", rtype::AXFR, "FormErr tc")]
fn a_slipped_reply_is_no_longer_than_the_request(
    #[case] name: &str,
    #[case] qtype: u16,
    #[case] wanted: &str,
) {
    let subnet = [0, 8, 0, 7, 0, 1, 24, 0, 198, 51, 100];
    let with_option = |mut octets: Vec<u8>| {
        *octets.last_mut().unwrap() = subnet.len() as u8;
        [&octets[..], &subnet].concat()
    };
    for request in [
        query(&full(name), qtype, None),
        query(&full(name), qtype, Some(1232)),
        with_option(query(&full(name), qtype, Some(1232))),
    ] {
        let mut bench = Bench::new(RateLimit { slip: 1, ..one() });
        bench.send(CLIENT, &request).unwrap();
        let reply = bench.send(CLIENT, &request).unwrap();
        assert!(reply.len() <= request.len(), "{} for {}", reply.len(), request.len());
        let message = Message::from_vec(&reply).unwrap();
        let mut text = format!("{:?}", message.response_code);
        text.push_str(if message.authoritative { " aa" } else { "" });
        text.push_str(if message.truncation { " tc" } else { "" });
        assert_eq!(text, wanted);
        assert_eq!(message.queries.len(), 1);
        assert_eq!(message.answers.len() + message.authorities.len(), 0);
        assert_eq!(message.edns.is_some(), request[11] == 1, "RFC 6891 section 7");
    }
}

#[test]
fn a_request_that_cannot_be_read_is_limited_too() {
    let mut bench = Bench::new(RateLimit { slip: 1, ..one() });
    let mut request = query("www.example.test", rtype::A, None);
    request.push(0);
    assert_eq!(bench.send(CLIENT, &request).unwrap().len(), 12 + 22);
    let reply = bench.send(CLIENT, &request).unwrap();
    assert_eq!((reply[2] & 0x02, reply[3] & 0x0f), (0x02, 1), "FORMERR, TC");
    assert!(reply.len() <= request.len());
    // A short one, and a response, are never answered, and so no matter for limits.
    assert_eq!(bench.counted(), [r#"{limit="errors",action="slipped"} 1"#]);
}

/// A query for `www.example.test` with an option, code and length included.
fn www_with(option: &[u8]) -> Vec<u8> {
    let mut octets = query("www.example.test", rtype::A, Some(1232));
    *octets.last_mut().unwrap() = option.len() as u8;
    [&octets, option].concat()
}

/// A cookie option (RFC 7873 section 4).
fn cookie(client: &[u8; 8], server: &[u8]) -> Vec<u8> {
    [&[0, 10, 0, 8 + server.len() as u8], &client[..], server].concat()
}

#[test]
fn rfc7873_5_2_limits_and_cookies() {
    let mut bench = Bench::new(RateLimit { slip: 2, ..one() });
    let new = www_with(&cookie(b"a client", &[]));
    assert_eq!(bench.run(&new, 5), "w.c.c", "section 5.2.3: a client cookie alone");
    assert_eq!(bench.run(&www_with(&cookie(b"a client", b"not one of ours!")), 3), ".c.");
    // The reply that tells of the limit has the cookie that lifts it, and no more than that.
    let reply = bench.send(CLIENT, &new).unwrap();
    assert_eq!(reply.len(), new.len() + 16);
    let server = reply.last_chunk::<16>().unwrap();
    let known = www_with(&cookie(b"a client", server));
    assert_eq!(bench.run(&known, 5), "wwwww", "section 5.2.5: a correct server cookie");
    assert_eq!(bench.send("192.0.2.2", &known), None, "and it is the client's alone");
    assert_eq!(bench.run(&new, 2), "c.", "those with a cookie do not use the others' share up");
}

#[test]
fn a_slipped_reply_tells_no_name_of_the_server() {
    let mut bench = Bench::new(RateLimit { slip: 1, ..one() });
    bench.snapshot.options.nsid = Some("ns1.example.net".into());
    let request = www_with(&[0, 3, 0, 0]);
    assert!(bench.send(CLIENT, &request).unwrap().len() > request.len() + 15);
    assert!(bench.send(CLIENT, &request).unwrap().len() <= request.len());
}

/// `version.bind` in class CH (RFC 4892).
#[test]
fn what_the_server_tells_of_itself_is_limited_too() {
    let mut bench = Bench::new(RateLimit { slip: 1, ..one() });
    bench.snapshot.options.version_bind = Some("a rather long text".into());
    let mut request = query("version.bind", TXT, None);
    *request.last_mut().unwrap() = 3;
    assert!(bench.send(CLIENT, &request).unwrap().len() > request.len());
    assert_eq!(bench.run(&request, 2), "tt");
    assert!(bench.send(CLIENT, &request).unwrap().len() <= request.len());
}

#[test]
fn tcp_and_exempt_networks_have_no_limit() {
    let exempt =
        Networks::new(&["192.0.2.0/30".parse().unwrap(), "2001:db8::/32".parse().unwrap()]);
    let mut bench = Bench::new(RateLimit { exempt, ..one() });
    for from in ["192.0.2.1", "192.0.2.3", "2001:db8:7::1"] {
        for _ in 0..3 {
            assert!(bench.ask(from, "www", rtype::A) && bench.ask(from, "nope", rtype::A));
        }
    }
    // The other clients of that network do not pay for it.
    assert!(bench.ask("192.0.2.4", "www", rtype::A));
    assert!(!bench.ask("192.0.2.4", "www", rtype::A));
    bench.transport = Transport::Tcp;
    assert!(bench.ask("192.0.2.4", "www", rtype::A));
}

#[test]
fn a_dry_run_counts_and_sends() {
    let mut bench = Bench::new(RateLimit { dry_run: true, slip: 2, ..one() });
    assert_eq!(bench.run(&query("www.example.test", rtype::A, None), 5), "wwwww");
    assert_eq!(bench.run(&query("nope.example.test", rtype::A, None), 3), "www");
    assert_eq!(
        bench.counted(),
        [r#"{limit="errors",action="dry_run"} 2"#, r#"{limit="responses",action="dry_run"} 4"#]
    );
}

#[test]
fn what_is_not_sent_is_no_answer_of_a_region() {
    let mut bench = Bench::new(RateLimit { responses_per_second: 3, slip: 2, ..one() });
    assert_eq!(bench.run(&query("app.example.test", rtype::A, None), 7), "www.t.t");
    let text = bench.metrics.text();
    let value = |series: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(series));
        line.unwrap_or_else(|| panic!("no {series} in {text}")).trim().to_owned()
    };
    assert_eq!(value(r#"trimtab_dns_answers_total{region="other"}"#), "3");
    assert_eq!(value(r#"trimtab_dns_responses_total{proto="udp",rcode="NOERROR"}"#), "5");
    assert_eq!(value(r#"trimtab_dns_dropped_total{reason="rate_limit"}"#), "2");
    assert_eq!(bench.counted().len(), 2);
}

#[test]
fn other_rates_meet_the_same_accounts() {
    let mut bench = Bench::new(RateLimit { responses_per_second: 4, ..one() });
    let request = query("www.example.test", rtype::A, None);
    assert_eq!(bench.run(&request, 6), "wwww..");
    bench.snapshot.options.rate_limit = Some(RateLimit { responses_per_second: 8, ..one() });
    assert_eq!(bench.run(&request, 2), "..", "what was sent is not forgotten");
    bench.worker.now.millis += 250;
    assert_eq!(bench.run(&request, 4), "ww..");
    bench.snapshot.options.rate_limit = None;
    assert_eq!(bench.run(&request, 4), "wwww");
}
