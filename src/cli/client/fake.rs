//! A server for tests: real sockets, answers that the test decides on, and what it was asked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{Fleet, Servers};

/// What it does with a request.
#[derive(Debug, Clone)]
pub(in crate::cli) enum Act {
    /// Answers.
    Json(u16, Value),
    /// Answers with what is no JSON.
    Page(u16),
    /// Ends the connection without a word.
    Break,
    /// Ends it in the middle of its answer.
    Half,
    /// Says nothing for as long as the client waits.
    Hang,
}

/// A request.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Asked {
    /// `GET /api/v1/status`.
    pub(in crate::cli) line: String,
    /// The lines of the head, in lower case.
    pub(in crate::cli) head: String,
    /// The body, if it is JSON.
    pub(in crate::cli) body: Value,
}

impl Asked {
    /// The value of a header, in lower case.
    pub(in crate::cli) fn header(&self, name: &str) -> Option<&str> {
        let line = self.head.lines().find(|line| line.starts_with(&format!("{name}: ")))?;
        line.split_once(": ").map(|(_, value)| value)
    }
}

/// The server; its threads end with the test.
pub(in crate::cli) struct Fake {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

type Deed = Arc<dyn Fn(usize, &Asked) -> Act + Send + Sync>;

impl Fake {
    /// Acts on the request of each number, from 0, as it is told.
    pub(in crate::cli) fn start(
        act: impl Fn(usize, &Asked) -> Act + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Arc::new(act), None)
    }

    /// The same behind TLS.
    pub(super) fn start_tls(
        tls: ServerConfig,
        act: impl Fn(usize, &Asked) -> Act + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Arc::new(act), Some(Arc::new(tls)))
    }

    fn listen(act: Deed, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let fake = Self { address: listener.local_addr().unwrap(), asked: Arc::default() };
        let asked = Arc::clone(&fake.asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (act, asked, tls) = (Arc::clone(&act), Arc::clone(&asked), tls.clone());
                std::thread::spawn(move || match tls {
                    None => serve(stream, &act, &asked),
                    Some(tls) => {
                        let session = ServerConnection::new(tls).unwrap();
                        serve(StreamOwned::new(session, stream), &act, &asked)
                    }
                });
            }
        });
        fake
    }

    /// A port on which nobody listens.
    pub(in crate::cli) fn nobody() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    }

    /// Its URL.
    pub(in crate::cli) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its port.
    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// All that it was asked so far.
    pub(in crate::cli) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Servers as they are named by arguments.
pub(in crate::cli) fn servers(urls: &[&str]) -> Servers {
    Servers {
        admin: urls.iter().map(|url| url.parse().unwrap()).collect(),
        actor: Some("alice@ops".into()),
        ..Servers::default()
    }
}

/// The same, resolved.
pub(in crate::cli) fn fleet(urls: &[&str]) -> Fleet {
    Fleet::of(&servers(urls)).unwrap()
}

fn serve(
    mut stream: impl Read + Write,
    act: &Deed,
    log: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let asked = read(&mut stream)?;
    let number = {
        let mut log = log.lock().unwrap();
        log.push(asked.clone());
        log.len() - 1
    };
    let (status, kind, body) = match act(number, &asked) {
        Act::Json(status, body) => {
            let kind = if status < 300 { "application/json" } else { "application/problem+json" };
            (status, kind, body.to_string())
        }
        Act::Page(status) => (status, "text/html", "<html>hello</html>".into()),
        Act::Break => return Ok(()),
        Act::Half => {
            return stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"a\":");
        }
        Act::Hang => {
            // Until the client gives up.
            let _ = stream.read(&mut [0]);
            return Ok(());
        }
    };
    let head = format!(
        "HTTP/1.1 {status} As told\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes())?;
    stream.flush()
}

fn read(stream: &mut impl Read) -> std::io::Result<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        stream.read_exact(&mut octet)?;
        head.push(octet[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let line = head.lines().next().unwrap_or_default().replace(" HTTP/1.1", "");
    let mut asked = Asked { line, head: head.to_lowercase(), body: Value::Null };
    let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    asked.body = serde_json::from_slice(&body).unwrap_or_default();
    Ok(asked)
}
