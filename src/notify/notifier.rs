//! The tasks: one that follows the plans, and one for each secondary.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock;
use crate::metrics::Metrics;
use crate::wire::{Name, is_newer};

use super::peer::{Outcome, Peer, Result};
use super::{Plan, Secondary};

/// Tells secondaries; its tasks end with it, or when the server stops.
#[derive(Debug)]
pub struct Notifier {
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    tasks: TaskTracker,
    zones: watch::Sender<Arc<Zones>>,
    peers: HashMap<SocketAddr, (Secondary, CancellationToken)>,
}

/// Zones with their serials.
type Zones = Vec<(Name, u32)>;

impl Notifier {
    /// One that has nothing to tell.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, stop: CancellationToken) -> Self {
        let (zones, _) = watch::channel(Arc::default());
        Self { metrics, stop, tasks: TaskTracker::new(), zones, peers: HashMap::new() }
    }

    /// Brings a plan into force; must be called within a runtime.
    pub fn plan(&mut self, plan: Plan) {
        let Plan { secondaries, zones } = plan;
        if !secondaries.is_empty() {
            let before: HashMap<Name, u32> = self.zones.borrow().iter().cloned().collect();
            for (zone, serial) in &zones {
                if let Some(before) = before.get(zone).filter(|before| is_newer(**before, *serial))
                {
                    tracing::warn!(
                        "the serial of {zone} has gone back from {before} to {serial}: secondaries \
                         keep what they have until it is above {before}"
                    );
                }
            }
        }
        self.zones.send_replace(Arc::new(zones));
        self.peers.retain(|_, (secondary, stop)| {
            let stays = secondaries.contains(secondary);
            if !stays {
                stop.cancel();
            }
            stays
        });
        for secondary in secondaries {
            if self.peers.contains_key(&secondary.address) {
                continue;
            }
            let stop = self.stop.child_token();
            let task = Task {
                secondary: secondary.clone(),
                metrics: Arc::clone(&self.metrics),
                peer: Peer::new(secondary.key.clone()),
                zones: self.zones.subscribe(),
            };
            let end = stop.clone();
            self.tasks.spawn(async move { end.run_until_cancelled(task.run()).await });
            self.peers.insert(secondary.address, (secondary, stop));
        }
        let addresses: Vec<String> = self.peers.keys().map(ToString::to_string).collect();
        self.metrics.secondaries(&addresses);
    }

    /// Waits until all tasks have ended; call it after stopping.
    pub async fn stopped(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// One secondary's.
struct Task {
    secondary: Secondary,
    metrics: Arc<Metrics>,
    peer: Peer,
    zones: watch::Receiver<Arc<Zones>>,
}

impl Task {
    async fn run(mut self) {
        let mut buffer = [0; 1500];
        let mut socket = None;
        self.zones.mark_changed();
        loop {
            let now = clock::now();
            for outcome in self.peer.give_up(now) {
                self.tell(&outcome);
            }
            if socket.is_none() && self.peer.next(now).is_some() {
                // Without one, nothing is answered, and it is tried again with the next message.
                socket = open(&self.secondary).await;
            }
            for message in self.peer.due(now, wall(), || fastrand::u16(..)) {
                if let Some(socket) = &socket {
                    // What is lost here is sent again like what is lost elsewhere.
                    let _ = socket.send(&message).await;
                }
            }
            let next = self.peer.next(now);
            if next.is_none() {
                // It would keep an address that the machine may lose by the next time.
                socket = None;
            }
            let heard = async {
                match &socket {
                    Some(socket) => socket.recv(&mut buffer).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = self.zones.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let zones = Arc::clone(&self.zones.borrow_and_update());
                    self.peer.plan(&zones);
                }
                heard = heard => match heard {
                    Ok(len) => {
                        let octets = buffer.get(..len).unwrap_or_default();
                        if let Some(outcome) = self.peer.heard(octets, wall()) {
                            self.tell(&outcome);
                        }
                    }
                    // Nobody listens there, most likely; the next message gets another socket.
                    Err(_) => socket = None,
                },
                () = tokio::time::sleep_until(next.unwrap_or(now).into()), if next.is_some() => {}
            }
        }
    }

    /// Counts what came of a message, and logs what has changed.
    fn tell(&self, outcome: &Outcome) {
        let Outcome { zone, serial, result, is_new } = outcome;
        let at = self.secondary.address;
        self.metrics.notified(&at.to_string(), result.label());
        match result {
            Result::Unanswered if *is_new => tracing::warn!(
                "the secondary {at} does not answer when it is told of {zone} (serial {serial}); \
                 it will find out when it looks by itself"
            ),
            Result::Refused(rcode) if *is_new => tracing::warn!(
                "the secondary {at} refuses to be told of {zone} (response code {rcode}): does it \
                 know the zone, and let this server notify it?"
            ),
            Result::Answered if *is_new => {
                tracing::info!(
                    "the secondary {at} has been told of {zone} again (serial {serial})"
                );
            }
            result => tracing::debug!(
                "the secondary {at} was told of {zone} (serial {serial}): {}",
                result.label()
            ),
        }
    }
}

/// A socket that hears nobody else.
async fn open(secondary: &Secondary) -> Option<UdpSocket> {
    let address = secondary.address;
    let any = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((secondary.source.unwrap_or(any), 0)).await.ok()?;
    socket.connect(address).await.ok()?;
    Some(socket)
}

/// Seconds since 1970.
fn wall() -> u64 {
    clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
