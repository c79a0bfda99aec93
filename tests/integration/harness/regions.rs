//! Regions that are told apart by their answers: `a` has 192.0.2.1 and 2001:db8::1, `b` has those
//! that end in 2, and so on. Where a region has several addresses, the last digit counts.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::IpAddr;

use hickory_proto::rr::RecordType;

use super::dns::Reply;
use super::server::Server;
use super::subnet::answered;
use super::target::{Mode, Target};
use super::wait::until;

/// So many answers show each of up to three regions of equal weight but once in 10 billion times.
const ENOUGH: usize = 60;

/// Where four regions are, as further keys: Frankfurt, London, Ashburn, Tokyo.
pub(crate) const PLACES: [&str; 4] = [
    "location = \"aws:eu-central-1\"",
    "location = \"aws:eu-west-2\"",
    "location = \"aws:us-east-1\"",
    "location = \"aws:ap-northeast-1\"",
];

/// Policies with their names, each with a record of the same name.
pub(crate) fn records(policies: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, policy) in policies {
        let _ = write!(
            text,
            "[policies.{name}]\n{policy}\n\
             [[records]]\nname = \"{name}.site.test\"\npolicy = \"{name}\"\n"
        );
    }
    text
}

/// A region for each of `more`, which are further keys of it. Always up.
pub(crate) fn regions(more: &[&str]) -> String {
    let mut text = String::new();
    for ((letter, number), more) in ('a'..).zip(1..).zip(more) {
        let _ = write!(
            text,
            "[regions.{letter}]\naddresses = [\"192.0.2.{number}\", \"2001:db8::{number}\"]\n{more}\n"
        );
    }
    text
}

/// The same; each is up while its target is.
pub(crate) fn watched(port: u16, targets: &[Target], more: &[&str]) -> String {
    assert_eq!(targets.len(), more.len());
    let mut text = String::new();
    for (letter, target) in ('a'..).zip(targets) {
        let ip = target.ip();
        let _ = write!(
            text,
            "[checks.{letter}]\ntype = \"http\"\nport = {port}\npath = \"/healthz\"\n\
             target = \"{ip}\"\ninterval = \"200ms\"\ntimeout = \"180ms\"\nfall = 2\nrise = 2\n"
        );
    }
    let checked = ('a'..).zip(more).map(|(letter, more)| format!("check = \"{letter}\"\n{more}"));
    let checked: Vec<String> = checked.collect();
    text + &regions(&checked.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The region that an address is of.
fn letter(ip: IpAddr) -> char {
    let last = match ip {
        IpAddr::V4(ip) => ip.octets()[3],
        IpAddr::V6(ip) => ip.octets()[15],
    };
    char::from(b'a' + last % 10 - 1)
}

/// The regions of an answer, each once, in alphabetical order.
pub(crate) fn letters(reply: &Reply) -> String {
    reply.addresses().into_iter().map(letter).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Has these targets fail and all others be well, and waits until the server knows.
#[track_caller]
pub(crate) fn set_down(server: &Server, targets: &[Target], down: &str) {
    for (letter, target) in ('a'..).zip(targets) {
        target.set(if down.contains(letter) { Mode::Status(503) } else { Mode::Ok });
    }
    for (letter, _) in ('a'..).zip(targets) {
        let up = f64::from(u8::from(!down.contains(letter)));
        server.metric_becomes(
            &format!(r#"trimtab_region_up{{region="{letter}",family="ipv4"}}"#),
            up,
        );
    }
}

/// Clients in a prefix get these regions, each of them and no others. As what is known of health is
/// published a moment later, a first answer may be waited for.
#[track_caller]
pub(crate) fn goes_to(server: &Server, name: &str, prefix: &str, wanted: &str) {
    let mut client = server.client();
    let mut some = |count: usize| -> String {
        let ask = |_| answered(&mut client, name, RecordType::A, prefix).0;
        let found: Vec<String> = (0..count).map(ask).collect();
        found.concat().chars().collect::<BTreeSet<_>>().into_iter().collect()
    };
    until(&format!("{name} for {prefix} is answered by {wanted}"), || {
        (some(ENOUGH) == wanted).then_some(())
    });
    assert_eq!(some(ENOUGH), wanted, "{name} for {prefix}");
}
