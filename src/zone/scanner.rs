//! The `domain` crate's reader, fed entry by entry and set up anew after an error.
//!
//! That reader is of no use once it has refused an entry, and keeps to itself what the next
//! entries inherit: the last owner and the last TTL. They are told to a new one by way of a
//! record that is thrown away.

use domain::base::iana::Class;
use domain::base::name::{Name as DomainName, ToName};
use domain::zonefile::inplace::{Entry, Zonefile};

use crate::wire::{CLASS_IN, Name};

use super::complaint::Refusal;
use super::label::is_whole;

/// What a file starts with.
#[derive(Debug, Clone)]
pub(super) struct Start {
    /// In wire form.
    origin: Vec<u8>,
    /// `$TTL`, in seconds.
    ttl: Option<u32>,
    /// The TTL of the last record, for a file without `$TTL`.
    last_ttl: u32,
    /// In wire form; empty before the first record.
    owner: Vec<u8>,
}

impl Start {
    /// At the top of a zone's file.
    pub(super) fn of(apex: &[u8]) -> Self {
        Self { origin: apex.to_vec(), ttl: None, last_ttl: DEFAULT_TTL, owner: Vec::new() }
    }
}

/// The TTL of records before any `$TTL` or TTL, in seconds; the reader's own.
const DEFAULT_TTL: u32 = 3600;
/// The reader's block; its octets are used in place, and freed with the last record in them.
const BLOCK: usize = 1 << 16;

/// The end of a record that is thrown away, behind its TTL.
const PROBE: &str = " TYPE65280 \\# 0\n";

/// The reader of one file.
pub(super) struct Scanner {
    inner: Zonefile,
    /// What would have to be told to a new `inner`; its origin lags behind.
    state: Start,
    /// Lines that `inner` has seen.
    lines: usize,
    /// The owner of the last entry could not be read.
    lost: bool,
    /// Where the next owner is written.
    spare: Vec<u8>,
}

impl Scanner {
    pub(super) fn new(start: Start) -> Self {
        let inner = Zonefile::with_capacity(BLOCK).allow_invalid();
        let mut scanner = Self { inner, state: start, lines: 0, lost: false, spare: Vec::new() };
        scanner.prime();
        scanner
    }

    /// Tells `inner` what it inherits.
    fn prime(&mut self) {
        self.inner.set_default_class(Class::from_int(CLASS_IN));
        if !self.state.owner.is_empty() {
            self.set_origin(&self.state.owner.clone());
            let inherited = self.feed(format!("@ {}{PROBE}", self.state.last_ttl).as_bytes());
            debug_assert!(inherited.is_ok(), "{inherited:?}");
        }
        self.set_origin(&self.state.origin.clone());
        if let Some(ttl) = self.state.ttl {
            self.set_ttl(ttl);
        }
    }

    fn set_origin(&mut self, wire: &[u8]) {
        if let Ok(name) = DomainName::from_octets(wire.to_vec().into()) {
            self.inner.set_origin(name);
        }
    }

    /// Does what `$TTL` says.
    pub(super) fn set_ttl(&mut self, ttl: u32) {
        self.state.ttl = Some(ttl);
        let _ = self.feed(format!("$TTL {ttl}\n").as_bytes());
    }

    /// Reads one whole entry; `None` when it was `$ORIGIN`.
    pub(super) fn feed(&mut self, text: &[u8]) -> Result<Option<Entry>, Refusal> {
        self.inner.extend_from_slice(text);
        let before = self.lines;
        let entry = match self.inner.next_entry() {
            Ok(entry) => entry,
            Err(error) => return Err(Refusal::of(&error.to_string(), before)),
        };
        self.lines += text.iter().filter(|&&octet| octet == b'\n').count();
        Ok(entry)
    }

    /// Starts anew behind an entry that was refused. Its owner is kept, if it has one that can be
    /// read, since the next entries may inherit it.
    pub(super) fn recover(&mut self, refused: &[u8]) {
        if let Ok(origin) = self.inner.origin() {
            self.state.origin = origin.as_slice().to_vec();
        }
        self.renew();
        let Some(owner) = own_owner(refused) else { return };
        let mut probe = owner.to_vec();
        probe.extend_from_slice(format!(" {}{PROBE}", self.state.last_ttl).as_bytes());
        let is_known = match self.feed(&probe) {
            Ok(Some(Entry::Record(record))) => {
                self.note(record.owner(), self.state.last_ttl).is_some()
            }
            _ => false,
        };
        if !is_known {
            self.renew();
            self.lost = true;
        }
    }

    fn renew(&mut self) {
        self.inner = Zonefile::with_capacity(BLOCK).allow_invalid();
        self.lines = 0;
        self.prime();
    }

    /// Whether an entry inherits an owner that could not be read.
    pub(super) fn is_orphan(&self, text: &[u8]) -> bool {
        self.lost && matches!(text.first(), Some(b' ' | b'\t'))
    }

    /// Remembers what the entries behind a record inherit; gives its owner in lower case, or
    /// nothing when it is no name, as `a..b`, which `inner` lets pass.
    pub(super) fn note(&mut self, owner: &impl ToName, ttl: u32) -> Option<&[u8]> {
        let mut wire = std::mem::take(&mut self.spare);
        wire.clear();
        let Ok(()) = owner.compose_canonical(&mut wire);
        self.lost = !is_whole(&wire);
        if !self.lost {
            std::mem::swap(&mut wire, &mut self.state.owner);
            self.state.last_ttl = ttl;
        }
        self.spare = wire;
        (!self.lost).then_some(self.state.owner.as_slice())
    }

    /// The owner of the last record, in lower-case wire form.
    pub(super) fn owner(&self) -> &[u8] {
        &self.state.owner
    }

    /// The origin as people write it, with its final dot.
    pub(super) fn origin(&self) -> Option<String> {
        let name = Name::from_wire(self.inner.origin().ok()?.as_slice()).ok()?;
        Some(if name.labels() == 0 { ".".to_owned() } else { format!("{name}.") })
    }

    /// What a file starts with that is included here, perhaps with an origin of its own.
    pub(super) fn inherit(&self, origin: Option<&[u8]>) -> Start {
        let mut start = self.state.clone();
        match (origin, self.inner.origin()) {
            (Some(origin), _) => start.origin = origin.to_vec(),
            (None, Ok(origin)) => start.origin = origin.as_slice().to_vec(),
            (None, Err(_)) => {}
        }
        start
    }
}

/// The text of the owner that an entry names itself.
fn own_owner(entry: &[u8]) -> Option<&[u8]> {
    let first = entry.first().filter(|&first| *first != b'$')?;
    let ends = |octet: &u8| octet.is_ascii_whitespace() || b"();\"".contains(octet);
    if ends(first) { None } else { entry.split(ends).next() }
}
