//! `[query_log]`: what is told of the answers that are given, to whom.

use std::path::PathBuf;

use super::value::Value;

/// The query log; off unless it has a file or a socket.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryLog {
    /// Where lines of JSON go, if anywhere.
    pub file: Option<LogFile>,
    /// The share of answers that are logged, above 0 and up to 1.
    pub sample: f64,
    /// How much of clients is told.
    pub client: LogClient,
    /// The same answers as dnstap.
    pub dnstap: Dnstap,
}

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFile {
    /// To standard output.
    Stdout,
    /// To a file; a relative path is relative to the configuration file.
    Path(PathBuf),
}

/// How much of a client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogClient {
    /// Its network: an IPv4 /24, an IPv6 /56.
    Subnet,
    /// Its address.
    Address,
}

/// Messages as they are on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dnstap {
    /// The socket of whoever takes them, if anybody does.
    pub socket: Option<PathBuf>,
    /// What this nameserver calls itself, 1 to 255 octets; `None`: as in `server.nsid`.
    pub identity: Option<String>,
    /// What it says that it is, 1 to 255 octets; `None`: the program and its version.
    pub version: Option<String>,
}

impl Default for QueryLog {
    fn default() -> Self {
        Self { file: None, sample: 1.0, client: LogClient::Subnet, dnstap: Dnstap::default() }
    }
}

/// The longest path of a socket (unix(7)), in octets.
const SOCKET_MAX: usize = 107;

impl QueryLog {
    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut log = Self::default();
            t.set("file", &mut log.file, |v| match v.text() {
                Some("-") => Some(Some(LogFile::Stdout)),
                _ => v.file().map(|path| Some(LogFile::Path(path))),
            });
            let wanted = "a number above 0 and up to 1: the share of answers that are logged";
            t.set("sample", &mut log.sample, |v| {
                let share = v.number(0.0..=1.0, wanted)?;
                if share > 0.0 { Some(share) } else { v.refuse(wanted) }
            });
            let clients = [("subnet", LogClient::Subnet), ("address", LogClient::Address)];
            t.set("client", &mut log.client, |v| v.word(&clients));
            t.set("dnstap", &mut log.dnstap, Dnstap::read);
            log
        })
    }
}

impl Dnstap {
    fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut dnstap = Self::default();
            t.set("socket", &mut dnstap.socket, |v| {
                let path = v.file()?;
                match path.as_os_str().len() <= SOCKET_MAX {
                    true => Some(Some(path)),
                    false => v.refuse(format!("a path of at most {SOCKET_MAX} octets")),
                }
            });
            t.set("identity", &mut dnstap.identity, |v| told(v).map(Some));
            t.set("version", &mut dnstap.version, |v| told(v).map(Some));
            dnstap
        })
    }
}

/// A text that goes with each message.
fn told(v: &Value<'_>) -> Option<String> {
    v.parsed("a text of 1 to 255 octets", |text| {
        (1..=255).contains(&text.len()).then(|| text.into())
    })
}
