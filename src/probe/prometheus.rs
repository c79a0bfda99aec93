//! prometheus checks: a query to a server that speaks Prometheus's HTTP API, whose figure is compared.
//!
//! That the server does not answer, or has no figure, says nothing of the target.

use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use ipnet::IpNet;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, Response, Url, redirect};
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::attempt::{Attempt, Failure};
use super::figures::{self, judge, missing};
use super::reason;
use super::tls::{Manner, Roots, Tls, verifying};
use crate::clock;
use crate::model::{PrometheusProbe, Target, TlsVerify, forbidden};

/// Octets of a reply.
const REPLY_MAX: usize = 1 << 20;
/// Octets of a token's file.
const TOKEN_MAX: usize = 16 << 10;

/// The clients: one for all servers whose certificates are to be trusted by the same authorities.
#[derive(Debug, Default)]
pub(super) struct Clients(Mutex<HashMap<Trust, Client>>);

/// Whose certificates are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Trust {
    /// Nobody is asked for one.
    Plain,
    /// Those that this machine trusts.
    Machine,
    /// The authorities of a file, as it was written at a time.
    File(PathBuf, Option<SystemTime>),
}

impl Clients {
    /// Asks, and compares.
    ///
    /// # Errors
    /// `0.073 > 0.05 (sum(rate(...)))`; all that keeps it from an answer is the server's.
    pub(super) async fn query(
        &self,
        probe: &PrometheusProbe,
        target: &Target,
        allow: &[IpNet],
        tls: &Tls,
        attempt: &mut Attempt,
    ) -> Result<(), Failure> {
        let query = probe.query(&target.destination);
        let asked = clock::now();
        let answer = async {
            let response = self.ask(probe, &query, target, allow, tls).await?;
            let headed = clock::now().saturating_duration_since(asked);
            Ok::<_, String>((headed, samples(response).await?))
        };
        let answer = match attempt.within(|| "answer", answer).await {
            Ok(answer) => answer,
            Err(Failure::Target(late)) => Err(late.to_string()),
            Err(other) => return Err(other),
        };
        let (headed, samples) = answer.map_err(|why| missing(&why))?;
        attempt.phases.first_byte = Some(headed);
        judge(&samples, probe.fail_when, &query)
    }

    async fn ask(
        &self,
        probe: &PrometheusProbe,
        query: &str,
        target: &Target,
        allow: &[IpNet],
        tls: &Tls,
    ) -> Result<Response, String> {
        let url = url(probe, query, target)?;
        let literal = url.host_str().map(|host| host.trim_matches(['[', ']']).parse());
        if let Some(Ok(address)) = literal
            && forbidden(address, allow)
        {
            return Err(format!("{address} is link-local or metadata, and not in [probe] allow"));
        }
        let client = self.client(probe, &url, tls).await?;
        let mut request = client.get(url);
        if let Some(path) = &probe.token_file {
            request = request.header(AUTHORIZATION, token(path).await?);
        }
        request.send().await.map_err(|error| told(&error))
    }

    async fn client(
        &self,
        probe: &PrometheusProbe,
        url: &Url,
        tls: &Tls,
    ) -> Result<Client, String> {
        let trust = match &probe.ca_file {
            _ if url.scheme() == "http" => Trust::Plain,
            None => Trust::Machine,
            Some(path) => Trust::File(path.clone(), modified(path).await),
        };
        let known = |clients: &Self| {
            clients.0.lock().unwrap_or_else(PoisonError::into_inner).get(&trust).cloned()
        };
        if let Some(client) = known(self) {
            return Ok(client);
        }
        let config = match &trust {
            Trust::Plain | Trust::Machine => {
                // Where nothing is secured it is never used.
                let plain = trust == Trust::Plain;
                let verify = if plain { TlsVerify::Off } else { TlsVerify::Full };
                let config = tls.config(&Manner::plain(verify)).await;
                config.map_err(|why| why.to_string())?
            }
            Trust::File(path, _) => trusting(path).await?,
        };
        let client = Client::builder()
            .tls_backend_preconfigured(Arc::unwrap_or_clone(config))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("trimtab/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| told(&error))?;
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What a file was before is of no use any more.
        if let Trust::File(path, _) = &trust {
            clients.retain(|other, _| !matches!(other, Trust::File(old, _) if old == path));
        }
        Ok(clients.entry(trust.clone()).or_insert(client).clone())
    }
}

fn url(probe: &PrometheusProbe, query: &str, target: &Target) -> Result<Url, String> {
    let mut url: Url = probe.url.parse().map_err(|_| "its URL cannot be read".to_owned())?;
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(["api", "v1", "query"]);
    }
    let timeout = format!("{}ms", target.check.timing.timeout.as_millis());
    url.query_pairs_mut().append_pair("query", query).append_pair("timeout", &timeout);
    Ok(url)
}

/// Reads a file on a thread for it.
async fn read(path: &Path, most: usize) -> Result<Vec<u8>, String> {
    let file = path.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read(file)).await;
    match read {
        Ok(Ok(octets)) if octets.len() <= most => Ok(octets),
        Ok(Ok(_)) => Err(format!("{}: more than such a file can be", path.display())),
        Ok(Err(error)) => Err(format!("{}: {error}", path.display())),
        Err(_defect) => Err(format!("{} cannot be read", path.display())),
    }
}

async fn modified(path: &Path) -> Option<SystemTime> {
    let path = path.to_owned();
    let at = move || std::fs::metadata(path).and_then(|file| file.modified()).ok();
    tokio::task::spawn_blocking(at).await.ok().flatten()
}

async fn token(path: &Path) -> Result<HeaderValue, String> {
    let octets = read(path, TOKEN_MAX).await?;
    let value = [b"Bearer ", octets.trim_ascii()].concat();
    // What is in it is not told.
    let mut value =
        HeaderValue::from_bytes(&value).map_err(|_| format!("{} has no token", path.display()))?;
    value.set_sensitive(true);
    Ok(value)
}

async fn trusting(path: &Path) -> Result<Arc<ClientConfig>, String> {
    let text = read(path, REPLY_MAX).await?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| format!("{}: {error}", path.display()))?;
    if found.is_empty() {
        return Err(format!("{} has no certificate", path.display()));
    }
    verifying(Roots::Given(found)).map_err(|why| why.to_string())
}

/// The figures of a reply.
async fn samples(mut response: Response) -> Result<Vec<f64>, String> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| told(&error))? {
        if body.len() + piece.len() > REPLY_MAX {
            return Err(format!("a reply of more than {REPLY_MAX} octets"));
        }
        body.extend_from_slice(&piece);
    }
    figures::read(response.status(), &body)
}

/// An error of the client: what lies at its bottom says most.
fn told(error: &reqwest::Error) -> String {
    let mut bottom: &dyn Error = error;
    while let Some(below) = bottom.source() {
        bottom = below;
        if let Some(io) = bottom.downcast_ref::<std::io::Error>()
            && io.raw_os_error().is_some()
        {
            bottom = io;
            break;
        }
    }
    let why = match bottom.downcast_ref::<std::io::Error>() {
        Some(io) => reason::of_io(io),
        None => bottom.to_string(),
    };
    if error.is_connect() { format!("connect: {why}") } else { why }
}
