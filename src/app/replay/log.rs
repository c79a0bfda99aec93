//! The lines of a query log, as `docs/query-log.md` describes them: which of them are questions that a
//! policy could answer, and whose.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, stdin};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::Deserialize;

use crate::model::Family;
use crate::routing::Asker;

/// A log that is read line by line.
pub struct Log {
    /// What it is called in reports.
    pub name: String,
    reader: Box<dyn BufRead>,
}

/// A log that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}", path.display())]
pub struct LogError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub error: io::Error,
}

/// The most octets of a line; one that has more is no line of a query log.
const LONGEST: u64 = 1 << 18;

impl Log {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        if path == Path::new("-") {
            return Ok(Self::of("standard input", BufReader::new(stdin())));
        }
        let opened = File::open(path);
        let file = opened.map_err(|error| LogError { path: path.into(), error })?;
        Ok(Self::of(&path.display().to_string(), BufReader::with_capacity(1 << 16, file)))
    }

    /// What a reader gives.
    pub fn of(name: &str, reader: impl BufRead + 'static) -> Self {
        Self { name: name.into(), reader: Box::new(reader) }
    }

    /// Reads the next line without its end into `line`; `false` when there is none. Of one that is too
    /// long there is only the beginning, which is no JSON.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> Result<bool, LogError> {
        line.clear();
        let read = self.read(line);
        read.map_err(|error| LogError { path: self.name.clone().into(), error })
    }

    fn read(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        let read = self.reader.by_ref().take(LONGEST).read_until(b'\n', line)?;
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if read as u64 == LONGEST {
            self.reader.skip_until(b'\n')?;
        }
        Ok(read > 0)
    }
}

/// What a line tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Somebody asked for addresses, and was answered.
    Asked(Asked<'a>),
    /// Something else.
    Other(Other),
}

/// A question for addresses.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    /// The name as it is written.
    pub(super) name: Cow<'a, str>,
    /// Which addresses.
    pub(super) family: Family,
    /// Whose question it was. Of a client that was logged as a network, the first address.
    pub(super) asker: Asker,
    /// Such a network.
    pub(super) network: Option<IpNet>,
    /// Whether a dynamic record answered.
    pub(super) by_record: bool,
    /// When, as it is written.
    pub(super) time: Cow<'a, str>,
}

/// Why a line says nothing of how clients are shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Other {
    /// It asks for another type than A and AAAA.
    Type,
    /// The reply was cut short: the client asks again.
    CutShort,
    /// It was not answered: it could not be read, asked for something that is not done, or had a wrong
    /// cookie.
    Unanswered,
}

/// The fields that matter here; a text that is not there is empty.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    client: Cow<'a, str>,
    #[serde(borrow, default)]
    subnet: Cow<'a, str>,
    #[serde(default)]
    opcode: u8,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default, rename = "type")]
    rtype: Cow<'a, str>,
    #[serde(borrow, default)]
    class: Cow<'a, str>,
    #[serde(borrow)]
    rcode: Cow<'a, str>,
    #[serde(default)]
    truncated: bool,
    #[serde(borrow, default)]
    record: Cow<'a, str>,
}

/// Reads a line.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn line(octets: &[u8]) -> Result<Line<'_>, String> {
    let fields: Fields<'_> = serde_json::from_slice(octets).map_err(|error| error.to_string())?;
    let (source, network) = client(&fields.client)?;
    let subnet = match &*fields.subnet {
        "" => None,
        text => Some(prefix(text).map(|net| (net.addr(), net.prefix_len()))?),
    };
    // What has no type was no question that could be read.
    let is_question = fields.opcode == 0 && fields.class.is_empty() && !fields.rtype.is_empty();
    let is_answered = ["NOERROR", "NXDOMAIN", "REFUSED", "SERVFAIL"].contains(&&*fields.rcode);
    if !is_question || !is_answered {
        return Ok(Line::Other(Other::Unanswered));
    }
    let family = match &*fields.rtype {
        "A" => Family::V4,
        "AAAA" => Family::V6,
        _ => return Ok(Line::Other(Other::Type)),
    };
    if fields.truncated {
        return Ok(Line::Other(Other::CutShort));
    }
    Ok(Line::Asked(Asked {
        name: fields.name,
        family,
        asker: Asker { source, subnet },
        network,
        by_record: !fields.record.is_empty(),
        time: fields.time,
    }))
}

fn client(text: &str) -> Result<(IpAddr, Option<IpNet>), String> {
    if let Ok(address) = text.parse() {
        return Ok((address, None));
    }
    prefix(text).map(|net| (net.addr(), Some(net)))
}

fn prefix(text: &str) -> Result<IpNet, String> {
    let net = text.parse::<IpNet>();
    net.map(|net| net.trunc()).map_err(|_| format!("{text:?} is no address and no prefix"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"{"time":"2026-11-30T13:17:21.042Z","transport":"udp","client":"192.0.2.0/24","subnet":"198.51.100.0/24","decided_by":"subnet","name":"app.example.com","type":"A","rcode":"NOERROR","record":"app.example.com","regions":["eu-west"],"reason":"available","ttl":60,"generation":12}"#;

    fn asked(text: &str) -> Asked<'_> {
        match line(text.as_bytes()) {
            Ok(Line::Asked(asked)) => asked,
            other => panic!("a question, not {other:?}"),
        }
    }

    #[test]
    fn a_line_tells_who_asked_for_what() {
        let full = asked(FULL);
        assert_eq!(
            (&*full.name, full.family, full.by_record),
            ("app.example.com", Family::V4, true)
        );
        assert_eq!(full.network, Some("192.0.2.0/24".parse().unwrap()));
        let subnet = Some(("198.51.100.0".parse().unwrap(), 24));
        assert_eq!(full.asker, Asker { source: "192.0.2.0".parse().unwrap(), subnet });

        let bare =
            asked(r#"{"client":"2001:db8::1","name":"a\\046b.","type":"AAAA","rcode":"NXDOMAIN"}"#);
        assert_eq!((&*bare.name, bare.family, bare.by_record), ("a\\046b.", Family::V6, false));
        assert_eq!(bare.network, None);
        assert_eq!(bare.asker, Asker { source: "2001:db8::1".parse().unwrap(), subnet: None });
    }

    #[test]
    fn what_says_nothing_of_shares_is_told_apart() {
        let with = |from: &str, to: &str| {
            assert!(FULL.contains(from));
            match line(FULL.replace(from, to).as_bytes()) {
                Ok(Line::Other(why)) => why,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(with(r#""type":"A""#, r#""type":"TXT""#), Other::Type);
        assert_eq!(with(r#""ttl":60"#, r#""truncated":true"#), Other::CutShort);
        assert_eq!(with(r#""ttl":60"#, r#""opcode":4"#), Other::Unanswered);
        assert_eq!(with(r#""ttl":60"#, r#""class":"CH""#), Other::Unanswered);
        assert_eq!(with("NOERROR", "BADCOOKIE"), Other::Unanswered);
        assert_eq!(with(r#""name":"app.example.com","type":"A","#, ""), Other::Unanswered);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let error = |text: &str| line(text.as_bytes()).unwrap_err();
        assert!(error(&FULL[..70]).contains("EOF"));
        assert!(error("").contains("EOF"));
        assert!(error(r#"{"rcode":"NOERROR"}"#).contains("missing field `client`"));
        let strange = FULL.replace("192.0.2.0/24", "example.com");
        assert_eq!(error(&strange), "\"example.com\" is no address and no prefix");
        let strange = FULL.replace("198.51.100.0/24", "198.51.100.0");
        assert_eq!(error(&strange), "\"198.51.100.0\" is no address and no prefix");
        assert!(line(b"\xff").is_err());
    }

    #[test]
    fn lines_are_read_one_by_one_however_long() {
        let long = "x".repeat(LONGEST as usize * 2 + 5);
        let exact = "y".repeat(LONGEST as usize - 1);
        let text = format!("one\n\n{long}\n{exact}\nlast");
        let mut log = Log::of("a log", io::Cursor::new(text));
        let mut lines = Vec::new();
        let mut line = Vec::new();
        while log.next(&mut line).unwrap() {
            lines.push(line.clone());
        }
        let wanted = ["one", "", &long[..LONGEST as usize], &exact, "last"];
        assert_eq!(lines, wanted.map(|line| line.as_bytes().to_vec()));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let Err(error) = Log::open(Path::new("/nowhere/queries.jsonl")) else { panic!("opened") };
        assert_eq!(error.to_string(), "cannot read /nowhere/queries.jsonl");
    }
}
