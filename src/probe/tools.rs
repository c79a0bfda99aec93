//! What all probes share, and the one function that makes a probe.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::attempt::{Attempt, Failure};
use super::connect::{Lookups, connect};
use super::limits::Limits;
use super::task::Verdict;
use super::tls::{self, Roots, Tls};
use super::{http, reason};
use crate::health::Outcome;
use crate::model::{HttpProbe, Probe, Target, TlsVerify};

/// What all probes share.
#[derive(Debug)]
pub(super) struct Tools {
    limits: watch::Receiver<Limits>,
    tls: Tls,
    lookups: Lookups,
}

impl Tools {
    pub(super) fn new(limits: watch::Receiver<Limits>, roots: Roots) -> Self {
        Self { limits, tls: Tls::new(roots), lookups: Lookups::default() }
    }

    /// Probes a target once, for no longer than its time-out.
    pub(super) async fn probe(&self, target: &Target) -> Verdict {
        // What has to be read once is no target's time.
        let config = match &target.check.probe {
            Probe::Http(HttpProbe { tls: Some(verify), .. }) => {
                Some(self.tls.config(*verify).await)
            }
            Probe::Http(_) | Probe::Tcp | Probe::Calculated(_) => None,
        };
        let mut attempt = Attempt::start(target.check.timing.timeout);
        let result = match config.transpose() {
            Ok(config) => self.run(target, config, &mut attempt).await,
            Err(failure) => Err(failure),
        };
        attempt.phases.total = attempt.elapsed();
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
        let stream = connect(target, &allow, &self.lookups, attempt).await?;
        match (&target.check.probe, config) {
            // A calculated one is never probed.
            (Probe::Tcp | Probe::Calculated(_), _) => Ok(()),
            (Probe::Http(probe), None) => http::exchange(probe, target, stream, attempt).await,
            (Probe::Http(probe), Some(config)) => {
                let name = tls_name(probe, target, &stream)?;
                let stream = tls::handshake(config, name, stream, attempt).await?;
                http::exchange(probe, target, stream, attempt).await
            }
        }
    }
}

/// The server's name; where nothing is verified, a host that is none is replaced by the address.
fn tls_name(
    probe: &HttpProbe,
    target: &Target,
    stream: &TcpStream,
) -> Result<ServerName<'static>, Failure> {
    let name = http::server_name(probe, target);
    match (ServerName::try_from(name.clone()), probe.tls, stream.peer_addr()) {
        (Ok(name), ..) => Ok(name),
        (Err(_), Some(TlsVerify::Off), Ok(peer)) => Ok(ServerName::from(peer.ip())),
        (Err(_), ..) => {
            let name = reason::quoted(&name);
            Err(Failure::in_phase("TLS", format_args!("no certificate can be for {name}")))
        }
    }
}
