//! Limits of replies over UDP, with clients of several networks within 127.0.0.0/8.
//!
//! What refills an account is time, so the tests allow what has passed since they began; nothing
//! else depends on how fast they are.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use rstest::rstest;
use trimtab::clock::now;

use crate::harness::{Client, Question, Reply, Server, Site, Via, exchange, option, until};

/// Replies in a second, of either kind.
const RATE: usize = 20;
const FLOOD: usize = 120;
const COOKIE: u16 = 10;

/// A server that limits everybody, with more keys of the limits.
fn limited(keys: &str) -> Server {
    site(&format!("exempt = []\n{keys}")).serve()
}

fn site(keys: &str) -> Site {
    Site::new(&body(keys))
}

fn body(keys: &str) -> String {
    format!(
        "[server.rate_limit]\nresponses_per_second = {RATE}\nerrors_per_second = {RATE}\n{keys}\n\
         [regions.r]\naddresses = [\"192.0.2.1\"]\n\
         [[records]]\nname = \"app.site.test\"\npolicy = \"r\"\n\
         [[records]]\nname = \"*.wild.site.test\"\npolicy = \"r\"\n"
    )
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// What came of the queries of a flood, one character each: `.` nothing, `t` a reply with TC,
/// `w` a whole one.
#[derive(Debug)]
struct Flood {
    outcomes: String,
    started: Instant,
}

impl Flood {
    /// Sends them all at once, and then one that is charged to another account, whose answer tells
    /// that no more will come: one worker replies in order.
    fn of(from: &str, to: SocketAddr, question: impl Fn(usize) -> Question) -> Self {
        let started = now();
        let client = Client::at(ip(from), to);
        for id in 0..FLOOD {
            client.send(&question(id).wire(u16::try_from(id).unwrap()));
        }
        client.send(&Question::new("site.test", RecordType::SOA).wire(u16::MAX));
        let mut outcomes = vec!['.'; FLOOD];
        loop {
            let reply = client.receive();
            let header = &reply.message.metadata;
            let Some(outcome) = outcomes.get_mut(usize::from(header.id)) else { break };
            *outcome = if header.truncation { 't' } else { 'w' };
        }
        Self { outcomes: outcomes.into_iter().collect(), started }
    }

    fn count(&self, outcome: char) -> usize {
        self.outcomes.chars().filter(|one| *one == outcome).count()
    }

    /// A second's worth was answered, and what time has added since.
    #[track_caller]
    fn assert_limited(&self) {
        let most = RATE + (RATE as f64 * (now() - self.started).as_secs_f64()) as usize + 1;
        let whole = self.count('w');
        assert!((RATE..=most).contains(&whole), "{whole} of at most {most}: {}", self.outcomes);
        assert!(self.outcomes.starts_with(&"w".repeat(RATE)), "{}", self.outcomes);
    }

    /// What was over the limit, in order.
    fn over(&self) -> String {
        self.outcomes.chars().filter(|outcome| *outcome != 'w').collect()
    }
}

fn one_name(_: usize) -> Question {
    Question::a("app.site.test")
}

fn no_such_name(id: usize) -> Question {
    Question::a(&format!("n{id}.site.test"))
}

#[rstest]
#[case::one_name(one_name, "responses")]
#[case::names_below_a_wildcard(|id| Question::a(&format!("n{id}.wild.site.test")), "responses")]
#[case::no_data(|id| Question::new("app.site.test", (300 + id as u16).into()), "responses")]
#[case::names_that_do_not_exist(no_such_name, "errors")]
#[case::names_of_no_zone(|id| Question::a(&format!("n{id}.elsewhere.test")), "errors")]
fn a_flood_of_one_network_is_limited_and_another_is_answered(
    #[case] question: fn(usize) -> Question,
    #[case] limit: &str,
) {
    let server = limited("");
    let before = server.metrics();
    let flood = Flood::of("127.0.2.7", server.v4, question);
    flood.assert_limited();
    let over = flood.over();
    assert_eq!(over, ".t".repeat(over.len()).chars().take(over.len()).collect::<String>());

    // Another client of the same network is no better off, one of another network is.
    let neighbour = Flood::of("127.0.2.200", server.v4, question);
    let refilled = (RATE as f64 * (now() - flood.started).as_secs_f64()) as usize + 1;
    assert!(flood.count('w') + neighbour.count('w') <= RATE + refilled, "{}", neighbour.outcomes);
    let mut polite = Client::at(ip("127.0.3.7"), server.v4);
    for id in 0..RATE {
        assert!(!polite.ask(&question(id)).message.metadata.truncation, "{id}");
    }

    let grown = server.metrics().growth(&before, "trimtab_dns_rate_limited_total");
    let series = |action: &str| {
        format!("trimtab_dns_rate_limited_total{{limit=\"{limit}\",action=\"{action}\"}}")
    };
    let dropped = (flood.count('.') + neighbour.count('.')) as f64;
    let slipped = (flood.count('t') + neighbour.count('t')) as f64;
    assert_eq!(grown, [(series("dropped"), dropped), (series("slipped"), slipped)]);
    let dropped_too = server.metrics().growth(&before, "trimtab_dns_dropped_total");
    let reason = "trimtab_dns_dropped_total{reason=\"rate_limit\"}".to_owned();
    assert_eq!(dropped_too, [(reason, dropped)]);
}

#[test]
fn a_network_is_answered_again_when_its_flood_is_over() {
    let server = limited("slip = 1");
    Flood::of("127.0.2.7", server.v4, one_name).assert_limited();
    let mut client = Client::at(ip("127.0.2.8"), server.v4);
    until("an answer that is whole", || {
        let reply = client.ask(&one_name(0));
        (!reply.message.metadata.truncation).then_some(())
    });
}

#[test]
fn ipv6_is_limited_too() {
    let server = limited("");
    Flood::of("::1", server.v6, one_name).assert_limited();
}

#[rstest]
#[case::none("slip = 0", '.')]
#[case::all("slip = 1", 't')]
fn slip_says_how_many_are_sent_without_records(#[case] keys: &str, #[case] outcome: char) {
    let server = limited(keys);
    let flood = Flood::of("127.0.2.7", server.v4, one_name);
    flood.assert_limited();
    assert!(flood.over().chars().all(|over| over == outcome), "{}", flood.outcomes);
}

#[test]
fn a_dry_run_sends_all_and_counts() {
    let server = limited("dry_run = true");
    let before = server.metrics();
    let flood = Flood::of("127.0.2.7", server.v4, one_name);
    assert_eq!(flood.count('w'), FLOOD);
    let grown = server.metrics().growth(&before, "trimtab_dns_rate_limited_total");
    let [(series, count)] = &grown[..] else { panic!("{grown:?}") };
    assert_eq!(series, "trimtab_dns_rate_limited_total{limit=\"responses\",action=\"dry_run\"}");
    let most = (FLOOD - RATE) as f64;
    let refilled = (now() - flood.started).as_secs_f64() * RATE as f64 + 1.0;
    assert!((most - refilled..=most).contains(count), "{count}");
}

#[rstest]
#[case::loopback_by_default("", "127.0.2.7")]
#[case::a_network_of_ours("exempt = [\"127.0.2.0/28\"]", "127.0.2.7")]
#[case::no_limits_at_all("exempt = []\nenabled = false", "127.0.2.7")]
fn some_have_no_limit(#[case] keys: &str, #[case] from: &str) {
    let server = site(keys).serve();
    assert_eq!(Flood::of(from, server.v4, one_name).count('w'), FLOOD);
    assert_eq!(Flood::of(from, server.v4, no_such_name).count('w'), FLOOD);
}

/// RFC 7766 section 5, as TC has it.
#[test]
fn who_is_told_to_ask_over_tcp_is_answered_there() {
    let server = limited("slip = 1");
    // IPv6 has but one address here, so it is the same client.
    Flood::of("::1", server.v6, one_name).assert_limited();
    for id in 0..2 * RATE {
        let reply = exchange(Via::Tcp, server.v6, &one_name(id).wire(1));
        assert_eq!(reply.addresses(), [ip("192.0.2.1")]);
    }
}

/// The cookie option of a reply.
#[track_caller]
fn cookie(reply: &Reply) -> Vec<u8> {
    reply.opt().and_then(|opt| opt.option(COOKIE).map(<[u8]>::to_vec)).expect("a cookie")
}

/// The first reply with BADCOOKIE: while nobody asked, there may have been time for a few others.
#[track_caller]
fn told(client: &mut Client, question: &Question) -> Reply {
    let mut replies = (0..FLOOD).map(|_| client.ask(question));
    replies
        .find(|reply| reply.message.response_code == ResponseCode::BADCOOKIE)
        .expect("the network is over its limit")
}

#[test]
fn rfc7873_5_2_3_who_shares_a_network_with_a_flood_gets_on_by_a_cookie() {
    let server = limited("slip = 1");
    Flood::of("127.0.2.7", server.v4, one_name).assert_limited();
    let mut client = Client::at(ip("127.0.2.9"), server.v4);
    let asked = |cookie: &[u8]| one_name(0).options(option(COOKIE, cookie));
    let first = told(&mut client, &asked(b"01234567"));
    assert!(!first.message.metadata.truncation && first.addresses().is_empty());
    let known = cookie(&first);
    for _ in 0..5 * RATE {
        assert_eq!(client.ask(&asked(&known)).addresses(), [ip("192.0.2.1")]);
    }
    // It is good for that client alone.
    let mut thief = Client::at(ip("127.0.2.10"), server.v4);
    told(&mut thief, &asked(&known));
}

#[test]
fn a_reload_changes_limits_and_forgets_nobody() {
    let site = site("exempt = []");
    let server = site.serve();
    let flood = Flood::of("127.0.2.7", server.v4, one_name);
    flood.assert_limited();
    // So slow that an account which was empty stays so.
    let slow = body("exempt = []\nslip = 1")
        .replace("responses_per_second = 20", "responses_per_second = 1");
    site.configure(&slow);
    assert!(server.reload());
    let reply = Client::at(ip("127.0.2.7"), server.v4).ask(&one_name(0));
    let passed = now() - flood.started;
    assert!(reply.message.metadata.truncation || passed.as_secs() > 0, "after {passed:?}");
    site.configure(&body("enabled = false"));
    assert!(server.reload());
    assert_eq!(Flood::of("127.0.2.7", server.v4, one_name).count('w'), FLOOD);
}
