//! The records of one zone as they were read, in one block of memory, and grouped into RRsets.
//!
//! A record costs 32 octets beside its data; the owner is written once for records that follow
//! one another. Records are grouped by sorting on the owner's hash, which is also the order in
//! which the index is filled, so that neighbours in the index are neighbours in memory.

use std::ops::Range;
use std::path::PathBuf;

use crate::problem::{Place, Problem, Problems};
use crate::wire::{Name, hash_name, rtype};

use super::findings::Findings;
use super::rules;

/// One zone, read and checked by itself; [`super::Names::build`] takes it from here.
#[derive(Debug)]
pub struct Loaded {
    apex: Name,
    /// Where problems of the zone as a whole are.
    place: Place,
    files: Vec<PathBuf>,
    pub(super) records: Vec<Record>,
    blob: Vec<u8>,
    /// Something could not be read, so what is missing may be no mistake of its own.
    partial: bool,
    /// The block passed 4 GiB.
    overflow: bool,
}

/// One record; owner and data are in the block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    hash: u64,
    owner: u32,
    /// Where its data's two octets of length are; also its age, since data are appended.
    data: u32,
    /// In seconds; after settling that of its RRset.
    pub(super) ttl: u32,
    line: u32,
    pub(super) rtype: u16,
    file: u16,
}

impl Loaded {
    pub(super) const fn new(apex: Name, place: Place) -> Self {
        Self {
            apex,
            place,
            files: Vec::new(),
            records: Vec::new(),
            blob: Vec::new(),
            partial: false,
            overflow: false,
        }
    }

    /// The zone's name.
    #[must_use]
    pub const fn apex(&self) -> &Name {
        &self.apex
    }

    /// The files that it was read from, included ones too; none when it was synthesised.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// How many records there are, duplicates not counted.
    #[must_use]
    pub fn records(&self) -> usize {
        self.records.len()
    }

    /// The serial of its SOA; 0 when it has none.
    #[must_use]
    pub fn serial(&self) -> u32 {
        let soa =
            self.find(self.apex.as_wire()).filter(|r| r.rtype == rtype::SOA).min_by_key(|r| r.data);
        let rdata = soa.map(|soa| self.rdata(&soa)).unwrap_or_default();
        let numbers = rdata.len().checked_sub(20).and_then(|at| rdata.get(at..));
        numbers.and_then(|n| n.first_chunk()).map_or(0, |serial| u32::from_be_bytes(*serial))
    }

    /// Remembers a file; records name it by the number returned.
    pub(super) fn add_file(&mut self, path: PathBuf) -> u16 {
        self.files.push(path);
        u16::try_from(self.files.len() - 1).unwrap_or(u16::MAX)
    }

    /// Marks it as not wholly read.
    pub(super) const fn set_partial(&mut self) {
        self.partial = true;
    }

    pub(super) const fn is_partial(&self) -> bool {
        self.partial
    }

    /// Adds a record of a lower-cased owner; `compose` appends its data. False when the data are
    /// over 65535 octets, and the record is then left out.
    pub(super) fn push(
        &mut self,
        owner: &[u8],
        rtype: u16,
        ttl: u32,
        (file, line): (u16, usize),
        compose: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        let (hash, at) = match self.records.last() {
            Some(last) if self.owner(last) == owner => (last.hash, last.owner),
            _ => {
                let at = self.blob.len();
                self.blob.extend_from_slice(owner);
                (hash_name(owner), at as u32)
            }
        };
        let data = self.blob.len();
        if u32::try_from(data).is_err() {
            self.overflow = true;
            self.blob.truncate(u32::MAX as usize);
            return true;
        }
        self.blob.extend_from_slice(&[0, 0]);
        compose(&mut self.blob);
        let Ok(len) = u16::try_from(self.blob.len() - data - 2) else {
            self.blob.truncate(data);
            return false;
        };
        if let Some(room) = self.blob.get_mut(data..data + 2) {
            room.copy_from_slice(&len.to_be_bytes());
        }
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        self.records.push(Record { hash, owner: at, data: data as u32, ttl, line, rtype, file });
        true
    }

    /// The owner of a record, in lower case.
    pub(super) fn owner(&self, record: &Record) -> &[u8] {
        let from = self.blob.get(record.owner as usize..).unwrap_or_default();
        let mut len = 0;
        while let Some(&label @ 1..) = from.get(len) {
            len += usize::from(label) + 1;
        }
        from.get(..=len).unwrap_or_default()
    }

    /// A record's data.
    pub(super) fn rdata(&self, record: &Record) -> &[u8] {
        self.prefixed(record).get(2..).unwrap_or_default()
    }

    /// A record's data behind two octets of length, as a tail holds them.
    pub(super) fn prefixed(&self, record: &Record) -> &[u8] {
        let from = self.blob.get(record.data as usize..).unwrap_or_default();
        let len = from.first_chunk().map_or(0, |len| usize::from(u16::from_be_bytes(*len)));
        from.get(..len + 2).unwrap_or_default()
    }

    /// Where a record was written.
    pub(super) fn place(&self, record: &Record) -> Place {
        match self.files.get(usize::from(record.file)) {
            Some(path) => Place::Line { path: path.clone(), line: record.line as usize, column: 1 },
            None => self.place.clone(),
        }
    }

    /// Where a record was written, as a part of a sentence.
    pub(super) fn at(&self, record: &Record) -> String {
        match self.files.get(usize::from(record.file)) {
            Some(path) if record.file > 0 => format!("in {} line {}", path.display(), record.line),
            Some(_) => format!("in line {}", record.line),
            None => "of the configuration".to_owned(),
        }
    }

    /// Where problems of the zone as a whole are.
    pub(super) const fn whole(&self) -> &Place {
        &self.place
    }

    /// Groups the records, checks them by the rules of one zone, and drops duplicates; all that
    /// was found goes to `problems`.
    pub(super) fn settle(&mut self, mut findings: Findings, problems: &mut Problems) {
        let zone = self.apex.to_string();
        let mut records = std::mem::take(&mut self.records);
        records.sort_unstable_by(|a, b| {
            a.hash
                .cmp(&b.hash)
                .then_with(|| {
                    if a.owner == b.owner {
                        std::cmp::Ordering::Equal
                    } else {
                        self.owner(a).cmp(self.owner(b))
                    }
                })
                .then(a.rtype.cmp(&b.rtype))
                .then(a.data.cmp(&b.data))
        });
        rules::settle(self, &mut records, &mut findings);
        self.records = records;
        self.records.shrink_to_fit();
        if self.overflow {
            findings.push(Problem::error(
                self.place.clone(),
                &*zone,
                "a zone of over 4 GiB",
                "at most 4 GiB of names and data in a zone",
            ));
        }
        findings.report(&zone, &self.place, problems);
    }

    /// The records of one owner; only once settled.
    pub(super) fn find(&self, owner: &[u8]) -> impl Iterator<Item = Record> {
        let hash = hash_name(owner);
        let from = self.records.partition_point(|record| record.hash < hash);
        let same = self.records.get(from..).unwrap_or_default().iter();
        same.take_while(move |r| r.hash == hash).filter(move |r| self.owner(r) == owner).copied()
    }

    /// The ranges of records of one owner each; only once sorted.
    pub(super) fn owners(&self) -> impl Iterator<Item = Range<usize>> {
        runs(&self.records, |a, b| self.is_same_owner(a, b))
    }

    pub(super) fn is_same_owner(&self, a: &Record, b: &Record) -> bool {
        a.owner == b.owner || (a.hash == b.hash && self.owner(a) == self.owner(b))
    }
}

impl Record {
    /// The file's number and the line where it was written, to tell records apart by age.
    pub(super) const fn age(&self) -> u32 {
        self.data
    }
}

/// The ranges of neighbours that are alike.
pub(super) fn runs<T>(
    list: &[T],
    alike: impl Fn(&T, &T) -> bool,
) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let first = list.get(from)?;
        let rest = list.get(from + 1..).unwrap_or_default();
        let len = 1 + rest.iter().take_while(|next| alike(first, next)).count();
        let range = from..from + len;
        from += len;
        Some(range)
    })
}
