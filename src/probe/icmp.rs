//! icmp checks: echo requests, of which one must be answered.
//!
//! One socket for each family serves all checks. It is opened for the first of them, without privileges where
//! the kernel allows that (`net.ipv4.ping_group_range`), else as a raw one, which wants CAP_NET_RAW.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use surge_ping::{
    Client, Config, ICMP, IcmpPacket, PingIdentifier, PingSequence, Pinger, SurgeError,
};
use tokio::task::JoinSet;

use super::attempt::{Attempt, Failure};
use super::connect::{Lookups, one_address};
use super::reason;
use crate::model::{IcmpProbe, Target};

/// What is sent: as much as ping(8) does.
const PAYLOAD: [u8; 56] = *b"trimtab asks whether this address is there to be reached";

/// The sockets.
pub(super) struct Pings {
    v4: Mutex<Option<Client>>,
    v6: Mutex<Option<Client>>,
    /// Tells raw sockets of several servers on one machine apart.
    identifier: PingIdentifier,
    sequence: AtomicU16,
}

impl Default for Pings {
    fn default() -> Self {
        let identifier = PingIdentifier(fastrand::u16(..));
        let (v4, v6, sequence) = Default::default();
        Self { v4, v6, identifier, sequence }
    }
}

impl std::fmt::Debug for Pings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pings").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

impl Pings {
    /// Sends the requests, spread over the time-out, until one is answered.
    ///
    /// # Errors
    /// `echo reply: timed out after 2 s`, or that this host may not send such.
    pub(super) async fn exchange(
        &self,
        probe: IcmpProbe,
        target: &Target,
        allow: &[IpNet],
        lookups: &Lookups,
        attempt: &mut Attempt,
    ) -> Result<(), Failure> {
        let address = one_address(target, allow, lookups, attempt).await?;
        let client = self.client(address).map_err(|error| not_allowed(&error))?;
        let (left, count) = (attempt.left(), u32::from(probe.count.max(1)));
        let mut requests = JoinSet::new();
        for nth in 0..count {
            let sequence = PingSequence(self.sequence.fetch_add(1, Ordering::Relaxed));
            let pinger = client.pinger(address, self.identifier).await;
            requests.spawn(ask(pinger, sequence, left / count * nth, left));
        }
        let first_good = async {
            let mut failure = None;
            while let Some(ended) = requests.join_next().await {
                match ended {
                    Ok(Ok(round_trip)) => return Ok(round_trip),
                    Ok(Err(why)) => failure = Some(why),
                    Err(_defect) => {}
                }
            }
            Err(failure.unwrap_or_else(|| Failure::local("the echo requests were broken off")))
        };
        let round_trip = attempt.within(|| "echo reply", first_good).await??;
        attempt.phases.first_byte = Some(round_trip);
        Ok(())
    }

    fn client(&self, address: IpAddr) -> io::Result<Client> {
        let (slot, kind) = match address {
            IpAddr::V4(_) => (&self.v4, ICMP::V4),
            IpAddr::V6(_) => (&self.v6, ICMP::V6),
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*slot {
            return Ok(client.clone());
        }
        let client = Client::new(&Config::builder().kind(kind).build())?;
        Ok(slot.insert(client).clone())
    }
}

/// One request, sent after a while; its round trip.
async fn ask(
    mut pinger: Pinger,
    sequence: PingSequence,
    after: Duration,
    patience: Duration,
) -> Result<Duration, Failure> {
    tokio::time::sleep(after).await;
    pinger.timeout(patience);
    match pinger.ping(sequence, &PAYLOAD).await {
        Ok((reply, round_trip)) => judged(&reply).map(|()| round_trip),
        Err(SurgeError::IOError(error)) if reason::is_local(&error) => Err(Failure::local(error)),
        Err(SurgeError::IOError(error)) => {
            Err(Failure::in_phase("echo request", reason::of_io(&error)))
        }
        Err(SurgeError::Timeout { .. }) => {
            let late = format_args!("timed out after {}", reason::told(patience));
            Err(Failure::in_phase("echo reply", late))
        }
        Err(error) => Err(Failure::local(error)),
    }
}

/// A raw socket hears of errors on the way, too.
fn judged(reply: &IcmpPacket) -> Result<(), Failure> {
    let (number, echo, unreachable) = match reply {
        IcmpPacket::V4(reply) => (reply.get_icmp_type().0, 0, 3),
        IcmpPacket::V6(reply) => (reply.get_icmpv6_type().0, 129, 1),
    };
    match number {
        number if number == echo => Ok(()),
        number if number == unreachable => Err(Failure::target("echo reply: unreachable")),
        number => Err(Failure::in_phase("echo reply", format_args!("ICMP type {number} instead"))),
    }
}

fn not_allowed(error: &io::Error) -> Failure {
    if error.kind() != io::ErrorKind::PermissionDenied {
        return Failure::local(format_args!("this host may not send ICMP: {error}"));
    }
    Failure::local(
        "this host may not send ICMP: its group is not in net.ipv4.ping_group_range, and there is no CAP_NET_RAW",
    )
}
