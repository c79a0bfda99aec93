//! One hook: whom to tell of what, and how a request to it is made.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};
use reqwest::{Client, Url, redirect};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::alarms::{self, Alert};
use super::message::{Message, Turn};
use super::outbox::Manner;
use super::signature::{Secret, signatures};
use super::{chat, cloudevents};
use crate::config::{Topic, WebhookFormat};

/// How long what is sent together waits for company.
const GATHER: Duration = Duration::from_millis(500);
/// How long a test's alert goes on.
const TEST: Duration = Duration::from_secs(60);

/// Whom to tell of what.
#[derive(Clone)]
pub struct Hook {
    /// What it is called in logs and metrics.
    pub name: Arc<str>,
    /// What this nameserver calls itself.
    pub instance: Arc<str>,
    /// Where it is.
    pub url: Url,
    /// What is sent.
    pub format: WebhookFormat,
    /// What it is told of.
    pub topics: Vec<Topic>,
    /// What messages are signed with, if with anything; of the format cloudevents only.
    pub secrets: Vec<Secret>,
    /// The whole value of the header `authorization`, if there is one.
    pub authorization: Option<HeaderValue>,
    /// Who connects.
    pub client: Client,
    /// From connect to the end of the answer.
    pub timeout: Duration,
    /// How many events may wait.
    pub queue: usize,
    /// For how long an event is kept for.
    pub retry_for: Duration,
    /// How often an alert that is firing is sent again.
    pub repeat: Duration,
}

impl std::fmt::Debug for Hook {
    // Without what may be a secret: the URL is one in a chat.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, format, .. } = self;
        f.debug_struct("Hook").field("name", name).field("format", format).finish_non_exhaustive()
    }
}

/// Something that waits to be told.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) message: Arc<Message>,
    /// What it is for Alertmanager.
    pub(super) alert: Option<Alert>,
}

/// A request that is ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Where to.
    pub url: Url,
    /// Its header.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Hook {
    /// How what waits for it is taken.
    pub(super) const fn manner(&self) -> Manner {
        match self.format {
            WebhookFormat::CloudEvents => Manner { most: 1, gather: Duration::ZERO },
            WebhookFormat::Slack => Manner { most: chat::MOST, gather: GATHER },
            WebhookFormat::Alertmanager => Manner { most: alarms::MOST, gather: GATHER },
        }
    }

    /// Whether it is told of this.
    pub(super) fn wants(&self, message: &Message) -> bool {
        let neither = message.turn == Turn::Neither;
        message.topic.is_none_or(|topic| self.topics.contains(&topic))
            && !(neither && self.repeats())
    }

    /// Whether it wants to hear again and again of what is bad.
    pub(super) fn repeats(&self) -> bool {
        self.format == WebhookFormat::Alertmanager
    }

    /// What tells it of these. Of the format cloudevents there is one, and `now` is the time of its
    /// signature.
    pub(super) fn tell(&self, items: &[Item], now: SystemTime) -> Option<Request> {
        let messages = || items.iter().map(|item| &*item.message);
        match self.format {
            WebhookFormat::CloudEvents => {
                let message = messages().next()?;
                let body = cloudevents::body(&self.instance, message);
                let mut request = self.request(cloudevents::CONTENT_TYPE, body);
                let id = cloudevents::id(&self.instance, message);
                self.sign(&mut request, &id, now).ok()?;
                Some(request)
            }
            WebhookFormat::Slack => {
                Some(self.request(chat::CONTENT_TYPE, chat::body(&self.instance, messages())))
            }
            WebhookFormat::Alertmanager => {
                let alerts: Vec<Alert> = items.iter().filter_map(|i| i.alert.clone()).collect();
                self.alert(&alerts)
            }
        }
    }

    /// What says these alerts; nothing, if there are none.
    pub(super) fn alert(&self, alerts: &[Alert]) -> Option<Request> {
        if alerts.is_empty() {
            return None;
        }
        let request = self.request(alarms::CONTENT_TYPE, alarms::body(alerts));
        Some(Request { url: alarms::address(&self.url), ..request })
    }

    /// What tries it, with this message; an alert ends by itself after a minute.
    #[must_use]
    pub fn trial(&self, message: Message, now: SystemTime) -> Option<Request> {
        let end = humantime::format_rfc3339_seconds(now + TEST).to_string();
        let worse = Message { turn: Turn::Worse, ..message.clone() };
        let alert = alarms::Alarms::default().note(&self.instance, &worse);
        let alert = alert.map(|alert| alert.until(end));
        self.tell(&[Item { message: Arc::new(message), alert }], now)
    }

    fn request(&self, content_type: &'static str, body: Vec<u8>) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert(reqwest::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(value) = &self.authorization {
            headers.insert(reqwest::header::AUTHORIZATION, value.clone());
        }
        Request { url: self.url.clone(), headers, body }
    }

    fn sign(
        &self,
        request: &mut Request,
        id: &str,
        now: SystemTime,
    ) -> Result<(), InvalidHeaderValue> {
        let time = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut set = |name, value: &str| -> Result<(), InvalidHeaderValue> {
            request.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value)?);
            Ok(())
        };
        set("webhook-id", id)?;
        set("webhook-timestamp", &time.to_string())?;
        if !self.secrets.is_empty() {
            set("webhook-signature", &signatures(&self.secrets, id, time, &request.body))?;
        }
        Ok(())
    }
}

/// Who is trusted.
#[derive(Debug, Clone, Copy)]
pub enum Authorities<'a> {
    /// Nobody: there is no TLS.
    None,
    /// Those that this machine trusts.
    Machine,
    /// These, in PEM.
    Given(&'a str),
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum NoTls {
    /// The machine trusts nobody.
    #[error(
        "this machine has no trusted root certificates: install ca-certificates, or set ca_file"
    )]
    Empty,
    /// The file is none of certificates, or of none that can be trusted.
    #[error("{0}")]
    File(String),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

impl Authorities<'_> {
    /// A client that trusts them. It goes where it is told and nowhere else: no redirect is followed, no
    /// proxy of the environment used.
    ///
    /// # Errors
    /// When there is nobody to trust.
    pub fn client(self) -> Result<Client, NoTls> {
        let setup = |error: &dyn std::fmt::Display| NoTls::Setup(error.to_string());
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(|e| setup(&e))?;
        let tls = builder.with_root_certificates(self.store()?).with_no_client_auth();
        Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("trimtab/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| setup(&e))
    }

    fn store(self) -> Result<RootCertStore, NoTls> {
        let mut store = RootCertStore::empty();
        match self {
            Self::None => {}
            Self::Machine => {
                let found = rustls_native_certs::load_native_certs().certs;
                if store.add_parsable_certificates(found).0 == 0 {
                    return Err(NoTls::Empty);
                }
            }
            Self::Given(text) => {
                for one in CertificateDer::pem_slice_iter(text.as_bytes()) {
                    let one = one.map_err(|error| NoTls::File(format!("no PEM: {error}")))?;
                    let useless = |_| NoTls::File("a certificate that cannot be trusted".into());
                    store.add(one).map_err(useless)?;
                }
                if store.is_empty() {
                    return Err(NoTls::File("no certificate".into()));
                }
            }
        }
        Ok(store)
    }
}
