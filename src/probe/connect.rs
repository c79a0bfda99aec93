//! From a destination to an established TCP connection.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use ipnet::IpNet;
use tokio::net::{TcpStream, lookup_host};

use super::attempt::{Attempt, Failure};
use super::reason;
use crate::model::{Destination, Target, TargetId, forbidden};

/// A name's further addresses are not tried.
const ADDRESSES_MAX: usize = 4;

/// Lookups under way. The system's resolver cannot be interrupted, so one that hangs outlives
/// its probe; no second one is started for the same target meanwhile.
#[derive(Debug, Clone, Default)]
pub(super) struct Lookups(Arc<Mutex<HashSet<TargetId>>>);

/// Keeps a target from being looked up twice; gone when the lookup has ended.
struct Lookup(Lookups, TargetId);

impl Lookups {
    fn begin(&self, target: TargetId) -> Option<Lookup> {
        let mut busy = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        busy.insert(target).then(|| Lookup(self.clone(), target))
    }
}

impl Drop for Lookup {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

/// Connects to the target; a name is looked up, and its addresses are tried in order.
///
/// The connection is closed abortively when it is dropped.
///
/// # Errors
///
/// `resolve: …` or `connect: …`, also when the address is one that must not be probed.
pub(super) async fn connect(
    target: &Target,
    allow: &[IpNet],
    lookups: &Lookups,
    attempt: &mut Attempt,
) -> Result<TcpStream, Failure> {
    let addresses = addresses(target, lookups, attempt).await?;
    let mut failure = None;
    for address in addresses.into_iter().take(ADDRESSES_MAX) {
        let tried = match permitted(address, allow) {
            Err(refused) => Err(refused),
            Ok(()) => connect_to(SocketAddr::new(address, target.check.port), attempt).await,
        };
        match tried {
            Ok(stream) => {
                attempt.phases.connect = Some(attempt.elapsed());
                return Ok(stream);
            }
            Err(why) => failure = Some(why),
        }
    }
    Err(failure.unwrap_or_else(nowhere))
}

/// The address to ask where nothing is connected to: that of the target, or the first of its name.
///
/// # Errors
///
/// As those of [`connect`].
pub(super) async fn one_address(
    target: &Target,
    allow: &[IpNet],
    lookups: &Lookups,
    attempt: &Attempt,
) -> Result<IpAddr, Failure> {
    let addresses = addresses(target, lookups, attempt).await?;
    let address = *addresses.first().ok_or_else(nowhere)?;
    permitted(address, allow).map(|()| address)
}

async fn addresses(
    target: &Target,
    lookups: &Lookups,
    attempt: &Attempt,
) -> Result<Vec<IpAddr>, Failure> {
    match &target.destination {
        Destination::Address(address) | Destination::Member { address, .. } => Ok(vec![*address]),
        Destination::Name(name) => resolve(name, target, lookups, attempt).await,
        Destination::Region(_) => Ok(Vec::new()),
    }
}

fn nowhere() -> Failure {
    Failure::in_phase("resolve", "the name has no address")
}

fn permitted(address: IpAddr, allow: &[IpNet]) -> Result<(), Failure> {
    if !forbidden(address, allow) {
        return Ok(());
    }
    let why = format_args!("{address} is link-local or metadata, and not in [probe] allow");
    Err(Failure::in_phase("connect", why))
}

async fn connect_to(address: SocketAddr, attempt: &Attempt) -> Result<TcpStream, Failure> {
    match attempt.within(|| "connect", TcpStream::connect(address)).await? {
        Ok(stream) => {
            // If it cannot be set, the connection is closed in the usual way.
            let _ = stream.set_zero_linger();
            Ok(stream)
        }
        Err(error) if reason::is_local(&error) => Err(Failure::local(error)),
        Err(error) => Err(Failure::in_phase("connect", reason::of_io(&error))),
    }
}

async fn resolve(
    name: &str,
    target: &Target,
    lookups: &Lookups,
    attempt: &Attempt,
) -> Result<Vec<IpAddr>, Failure> {
    let Some(guard) = lookups.begin(target.id) else {
        return Err(Failure::local("a lookup of its name has not ended yet"));
    };
    let asked = (name.to_owned(), target.check.port);
    let lookup = tokio::spawn(async move {
        let found = lookup_host(asked).await.map(|found| found.map(|to| to.ip()).collect());
        drop(guard);
        found
    });
    match attempt.within(|| "resolve", lookup).await? {
        Ok(Ok(addresses)) => Ok(addresses),
        // The resolver did not answer: that says nothing of the target. That a name does not exist
        // does, and getaddrinfo(3) tells the two apart by their texts only.
        Ok(Err(error)) if error.to_string().contains("Temporary failure") => {
            Err(Failure::local(error))
        }
        Ok(Err(error)) => Err(Failure::in_phase("resolve", error)),
        Err(_defect) => Err(Failure::local("the lookup of a name was broken off")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_looked_up_once_at_a_time() {
        let lookups = Lookups::default();
        let first = lookups.begin(TargetId(1));
        assert!(first.is_some());
        assert!(lookups.begin(TargetId(1)).is_none());
        assert!(lookups.begin(TargetId(2)).is_some());
        drop(first);
        assert!(lookups.begin(TargetId(1)).is_some());
    }
}
