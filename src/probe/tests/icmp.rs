//! icmp checks as far as this machine lets anybody send such. That they work both ways is shown by
//! `tests/checks`, which has the privileges.

use std::net::{IpAddr, Ipv6Addr};

use rstest::rstest;
use socket2::{Domain, Protocol, Socket, Type};

use super::*;
use crate::model::IcmpProbe;

/// Whether a socket for echo requests can be had, with privileges or without.
fn allowed(address: IpAddr) -> bool {
    let (domain, protocol) = match address {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    [Type::DGRAM, Type::RAW].iter().any(|kind| Socket::new(domain, *kind, Some(protocol)).is_ok())
}

#[rstest]
#[case::v4(Ipv4Addr::LOCALHOST.into())]
#[case::v6(Ipv6Addr::LOCALHOST.into())]
#[tokio::test]
async fn loopback_answers_or_this_host_may_not_ask(#[case] address: IpAddr) {
    let probe = Probe::Icmp(IcmpProbe { count: 1 });
    let verdict = probe_at(probe, Destination::Address(address), PATIENT).await;
    match verdict {
        Verdict::Seen(Outcome::Pass, _, phases) => {
            assert!(allowed(address));
            assert!(phases.first_byte.is_some_and(|trip| trip <= phases.total));
            assert_eq!((phases.connect, phases.tls), (None, None));
        }
        Verdict::Abstained(why) => {
            assert!(!allowed(address), "{why}");
            assert!(why.starts_with("this host may not send ICMP: "), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn forbidden_addresses_are_not_asked() {
    let probe = Probe::Icmp(IcmpProbe { count: 1 });
    let at = Destination::Address([169, 254, 169, 254].into());
    let verdict = probe_at(probe, at, PATIENT).await;
    let Verdict::Seen(outcome, ..) = verdict else { panic!("{verdict:?}") };
    let reason = "connect: 169.254.169.254 is link-local or metadata, and not in [probe] allow";
    assert_eq!(outcome, failed(reason));
}
