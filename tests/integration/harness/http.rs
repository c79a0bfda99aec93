//! An HTTP client for the admin port, plain or over TLS: a connection for each request.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;

use rustls_pki_types::pem::PemObject as _;
use serde_json::Value;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{self as rustls_pki_types, CertificateDer};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use super::pki::HOST;
use super::wait::PATIENCE;

/// Who asks, and how.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    at: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    headers: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of a problem document.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        assert!(self.head.contains("content-type: application/problem+json\r\n"), "{self:?}");
        self.json()["code"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }
}

/// What trusts an authority, and speaks these versions.
pub(crate) fn trusting(
    authority: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

impl Http {
    /// A client of a server at an address; of any address that of loopback.
    pub(crate) fn new(at: SocketAddr) -> Self {
        let ip = if at.ip().is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { at.ip() };
        Self { at: (ip, at.port()).into(), tls: None, headers: String::new() }
    }

    /// The same over TLS.
    pub(crate) fn over(mut self, tls: &Arc<ClientConfig>) -> Self {
        self.tls = Some(Arc::clone(tls));
        self
    }

    /// The same with another header in every request.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers += &format!("{name}: {value}\r\n");
        self
    }

    /// One request, with a body of JSON unless that is null.
    pub(crate) fn request(&self, line: &str, body: &Value) -> io::Result<Answer> {
        let stream = TcpStream::connect(self.at)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        match &self.tls {
            None => self.exchange(stream, line, body),
            Some(tls) => {
                let name = HOST.try_into().unwrap();
                let session = ClientConnection::new(Arc::clone(tls), name).unwrap();
                self.exchange(StreamOwned::new(session, stream), line, body)
            }
        }
    }

    fn exchange(
        &self,
        mut stream: impl Read + Write,
        line: &str,
        body: &Value,
    ) -> io::Result<Answer> {
        let (kind, body) = match body {
            Value::Null => ("", String::new()),
            body => ("Content-Type: application/json\r\n", body.to_string()),
        };
        let (at, headers, length) = (self.at, &self.headers, body.len());
        write!(
            stream,
            "{line} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\nContent-Length: {length}\r\n\
             {kind}{headers}\r\n{body}"
        )?;
        stream.flush()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let (head, body) = (format!("{head}\r\n"), body.to_owned());
        Ok(Answer { status: status.unwrap_or_default(), head, body })
    }

    /// A question below /api/v1.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request(&format!("GET /api/v1{path}"), &Value::Null).expect("the admin port answers")
    }

    /// A change below /api/v1.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(&format!("POST /api/v1{path}"), body).expect("the admin port answers")
    }

    /// The end of something below /api/v1.
    #[track_caller]
    pub(crate) fn delete(&self, path: &str) -> Answer {
        let line = format!("DELETE /api/v1{path}");
        self.request(&line, &Value::Null).expect("the admin port answers")
    }
}
