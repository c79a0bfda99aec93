//! What all probes share, and the one function that makes a probe.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::attempt::{Attempt, Failure};
use super::connect::{Lookups, connect};
use super::icmp::Pings;
use super::limits::Limits;
use super::task::Verdict;
use super::tls::{self, Manner, Over, Roots, Tls};
use super::{agent, dns, exec, grpc, http, prometheus, reason, tls_only};
use crate::health::Outcome;
use crate::model::{Probe, Target, TargetId, TlsVerify};

/// What all probes share.
#[derive(Debug)]
pub(super) struct Tools {
    limits: watch::Receiver<Limits>,
    tls: Tls,
    lookups: Lookups,
    /// Targets of which it was told that they say what is not understood.
    unclear: Mutex<HashSet<TargetId>>,
    pings: Pings,
    prometheus: prometheus::Clients,
}

impl Tools {
    pub(super) fn new(limits: watch::Receiver<Limits>, roots: Roots) -> Self {
        let (lookups, unclear, pings, prometheus) = Default::default();
        Self { limits, tls: Tls::new(roots), lookups, unclear, pings, prometheus }
    }

    /// Probes a target once, for no longer than its time-out.
    pub(super) async fn probe(&self, target: &Target) -> Verdict {
        // What has to be read once is no target's time.
        let config = match manner(&target.check.probe) {
            Some(manner) => Some(self.tls.config(&manner).await),
            None => None,
        };
        let mut attempt = Attempt::start(target.check.timing.timeout);
        let result = match config.transpose() {
            Ok(config) => self.run(target, config, &mut attempt).await,
            Err(failure) => Err(failure),
        };
        attempt.phases.total = attempt.elapsed();
        if let Some(what) = &attempt.unclear {
            self.tell_unclear(target, what);
        }
        match result {
            Ok(()) => Verdict::Seen(Outcome::Pass, attempt.report, attempt.phases),
            Err(Failure::Target(why)) => {
                Verdict::Seen(Outcome::Fail(why), attempt.report, attempt.phases)
            }
            Err(Failure::Source(why)) => {
                Verdict::Seen(Outcome::Missing(why), attempt.report, attempt.phases)
            }
            Err(Failure::Local(why)) => Verdict::Abstained(why),
        }
    }

    async fn run(
        &self,
        target: &Target,
        config: Option<Arc<ClientConfig>>,
        attempt: &mut Attempt,
    ) -> Result<(), Failure> {
        let allow = Arc::clone(&self.limits.borrow().allow);
        let lookups = &self.lookups;
        match &target.check.probe {
            Probe::Dns(probe) => {
                return dns::exchange(probe, target, &allow, lookups, attempt).await;
            }
            Probe::Icmp(probe) => {
                return self.pings.exchange(*probe, target, &allow, lookups, attempt).await;
            }
            Probe::Exec(probe) => return exec::run(probe, target, attempt).await,
            Probe::Prometheus(probe) => {
                return self.prometheus.query(probe, target, &allow, &self.tls, attempt).await;
            }
            // Those that connect, and those that are never probed.
            Probe::Tcp
            | Probe::Http(_)
            | Probe::Tls(_)
            | Probe::Agent(_)
            | Probe::Grpc(_)
            | Probe::Calculated(_)
            | Probe::Push(_) => {}
        }
        let stream = connect(target, &allow, lookups, attempt).await?;
        let Some(config) = config else { return ask(target, stream, attempt).await };
        let name = tls_name(target, &stream)?;
        let mut stream = tls::handshake(config, name, stream, attempt).await?;
        match &target.check.probe {
            Probe::Tls(_) => tls_only::objection(&mut stream, attempt).await,
            _ => ask(target, stream, attempt).await,
        }
    }

    /// Of how many targets it was told that they say what is not understood.
    #[cfg(test)]
    pub(super) fn unclear_of(&self) -> usize {
        self.unclear.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Says once for each target that it says what is not understood.
    fn tell_unclear(&self, target: &Target, what: &str) {
        let mut told = self.unclear.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(target.id) {
            let (check, destination) = (&target.check.name, &target.destination);
            tracing::warn!("check {check} of {destination}: {what}; nothing is taken from it");
        }
    }
}

/// Asks over an established connection, secured or not.
async fn ask<S>(target: &Target, stream: S, attempt: &mut Attempt) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    match &target.check.probe {
        Probe::Http(probe) => http::exchange(probe, target, stream, attempt).await,
        Probe::Agent(probe) => agent::exchange(probe, stream, attempt).await,
        Probe::Grpc(probe) => grpc::exchange(probe, target, stream, attempt).await,
        // Being connected, and trusted, was all.
        _ => Ok(()),
    }
}

/// How a probe speaks TLS, if it does.
fn manner(probe: &Probe) -> Option<Manner> {
    let (verify, credentials, over) = match probe {
        Probe::Http(probe) => (probe.tls?, &probe.credentials, Over::Http1),
        Probe::Tls(probe) => (TlsVerify::Full, &probe.credentials, Over::Anything),
        Probe::Grpc(probe) => (probe.tls?, &probe.credentials, Over::Http2),
        _ => return None,
    };
    Some(Manner { verify, credentials: credentials.clone(), over })
}

/// The server's name; where nothing is verified, a host that is none is replaced by the address.
fn tls_name(target: &Target, stream: &TcpStream) -> Result<ServerName<'static>, Failure> {
    let (host, verify) = match &target.check.probe {
        Probe::Http(probe) => (probe.host.as_deref(), probe.tls),
        Probe::Tls(probe) => (Some(&*probe.host), Some(TlsVerify::Full)),
        Probe::Grpc(probe) => (probe.host.as_deref(), probe.tls),
        _ => (None, None),
    };
    let name = http::server_name(host, target);
    match (ServerName::try_from(name.clone()), verify, stream.peer_addr()) {
        (Ok(name), ..) => Ok(name),
        (Err(_), Some(TlsVerify::Off), Ok(peer)) => Ok(ServerName::from(peer.ip())),
        (Err(_), ..) => {
            let name = reason::quoted(&name);
            Err(Failure::in_phase("TLS", format_args!("no certificate can be for {name}")))
        }
    }
}
