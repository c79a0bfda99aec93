//! NOTIFY: secondaries are told when a zone's serial has grown (RFC 1996), so that they fetch it at
//! once and not when they would next look.
//!
//! [`Notifier`] is handed a [`Plan`] whenever one comes into force. Each secondary has a task and a
//! socket of its own, so that one that is dead holds up nobody else; whom to ask what and when is
//! decided in `peer`, which knows neither. Who may then have the zone is left to `dns`.

mod message;
mod notifier;
mod peer;

pub use notifier::Notifier;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::wire::{Name, tsig};

/// Whom to tell what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The secondaries, each once.
    pub secondaries: Vec<Secondary>,
    /// Zones that they may fetch, with their serials.
    pub zones: Vec<(Name, u32)>,
}

/// A secondary nameserver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secondary {
    /// Where it is told.
    pub address: SocketAddr,
    /// Where messages to it are to come from, since secondaries look at that; `None`: wherever the
    /// system sends them from.
    pub source: Option<IpAddr>,
    /// What messages to it are signed with.
    pub key: Option<Arc<tsig::Key>>,
}
