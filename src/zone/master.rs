//! Reads master files (RFC 1035 section 5) into a [`Loaded`].
//!
//! The grammar is the `domain` crate's; here are streaming, going on after an error, `$TTL`,
//! `$INCLUDE`, times with units, and problems that say what to do. An included file must be
//! beside the including one or below its folder, so that a zone file from elsewhere cannot make
//! the server read (and quote in a report) any file of the machine. The origin, the TTL and the
//! last owner of an included file end with it (RFC 1035 section 5.1).

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Component, Path, PathBuf};

use domain::base::iana::Class;
use domain::base::rdata::ComposeRecordData;
use domain::rdata::ZoneRecordData;
use domain::zonefile::inplace::{Entry as Scanned, ScannedRecord};

use crate::problem::{Place, Problem, Problems, readable};
use crate::wire::{CLASS_IN, Name};

use super::complaint::{self, Complaint};
use super::directive::{Directive, directive};
use super::entries::{End, Entries, Entry};
use super::findings::Findings;
use super::label::{is_within, show, show_type};
use super::loaded::Loaded;
use super::scanner::{Scanner, Start};
use super::{generic, origin, units};

/// Files open at once, one including the next.
const DEPTH_MAX: usize = 16;
/// The greatest TTL; what is above counts as 0 (RFC 2181 section 8).
const TTL_MAX: u32 = 0x7fff_ffff;

/// Reads and checks a zone from its master file.
///
/// The zone's name is the origin and IN the class unless the file says otherwise. Everything that
/// is wrong goes to `problems`; when there is an error among it, the zone is not fit to be served,
/// and what could be read is returned only to be checked further.
pub fn load(path: &Path, apex: &Name, problems: &mut Problems) -> Loaded {
    read(path, apex, problems, |reader, start| reader.file(path, start, None))
}

/// The same of a text that is at hand.
#[cfg(test)]
pub(super) fn load_text(text: &str, apex: &Name, problems: &mut Problems) -> Loaded {
    let path = Path::new("test.zone");
    read(path, apex, problems, |reader, start| reader.stream(path, text.as_bytes(), start))
}

fn read(
    path: &Path,
    apex: &Name,
    problems: &mut Problems,
    with: impl FnOnce(&mut Reader<'_>, Start),
) -> Loaded {
    let mut loaded = Loaded::new(apex.clone(), Place::File(path.to_owned()));
    let mut findings = Findings::default();
    let mut reader = Reader { loaded: &mut loaded, findings: &mut findings, open: Vec::new() };
    with(&mut reader, Start::of(apex.as_wire()));
    if findings.any_error() {
        loaded.set_partial();
    }
    loaded.settle(findings, problems);
    loaded
}

struct Reader<'a> {
    loaded: &'a mut Loaded,
    findings: &'a mut Findings,
    /// The files that are being read, the outermost first, as the system names them.
    open: Vec<PathBuf>,
}

/// The file that an entry is in.
#[derive(Clone, Copy)]
struct Current<'a> {
    path: &'a Path,
    number: u16,
}

impl Reader<'_> {
    /// Reads one file; `asked` is the place of the `$INCLUDE` that wants it.
    fn file(&mut self, path: &Path, start: Start, asked: Option<Place>) {
        let place = asked.unwrap_or_else(|| Place::File(path.to_owned()));
        let real = match path.canonicalize().and_then(|real| Ok((File::open(&real)?, real))) {
            Ok((file, real)) => {
                if self.open.contains(&real) || self.open.len() >= DEPTH_MAX {
                    let found = format!("{}, which is being read already", path.display());
                    self.error(place, &found, "files that do not include one another", None);
                    return;
                }
                self.open.push(real);
                file
            }
            Err(error) => return self.unreadable(place, path, &error),
        };
        self.stream(path, BufReader::with_capacity(1 << 16, real), start);
        self.open.pop();
    }

    /// Reads what is in a file.
    fn stream(&mut self, path: &Path, input: impl BufRead, start: Start) {
        let number = self.loaded.add_file(path.to_owned());
        let mut entries = Entries::new(input);
        let mut scanner = Scanner::new(start);
        let current = Current { path, number };
        while !self.findings.is_enough() {
            match entries.next() {
                Ok(Some(entry)) => self.entry(current, &mut scanner, entry),
                Ok(None) => break,
                Err(error) => {
                    return self.unreadable(Place::File(path.to_owned()), path, &error);
                }
            }
        }
    }

    fn entry(&mut self, current: Current<'_>, scanner: &mut Scanner, entry: Entry<'_>) {
        if let Some(complaint) = complaint::of_end(entry.end) {
            scanner.recover(entry.text);
            return self.complain(current, entry, complaint);
        }
        debug_assert_eq!(entry.end, End::Whole);
        match directive(entry.text) {
            Some(Directive::Ttl(Some(secs))) => {
                let ttl = self.ttl(current, entry.line, secs);
                return scanner.set_ttl(ttl);
            }
            Some(Directive::Ttl(None)) => {
                return self.complain(current, entry, complaint::of_ttl(entry.text));
            }
            Some(Directive::Unknown) => {
                return self.complain(current, entry, complaint::of_directive(entry.text));
            }
            Some(Directive::Known) | None => {}
        }
        if scanner.is_orphan(entry.text) {
            return; // its owner could not be read, which was said
        }
        let with_origin = origin::rewrite(entry.text, || scanner.origin());
        let entry = Entry { text: with_origin.as_deref().unwrap_or(entry.text), ..entry };
        let error = match scanner.feed(entry.text) {
            Ok(scanned) => return self.scanned(current, scanner, entry, scanned),
            Err(error) => error,
        };
        scanner.recover(entry.text);
        if let Some(text) = units::rewrite(entry.text) {
            match scanner.feed(&text) {
                Ok(scanned) => return self.scanned(current, scanner, entry, scanned),
                Err(error) => {
                    scanner.recover(entry.text);
                    let rewritten = Entry { text: &text, ..entry };
                    return self.complain(current, rewritten, complaint::of(&text, &error));
                }
            }
        }
        self.complain(current, entry, complaint::of(entry.text, &error));
    }

    fn scanned(
        &mut self,
        current: Current<'_>,
        scanner: &mut Scanner,
        entry: Entry<'_>,
        scanned: Option<Scanned>,
    ) {
        let line = entry.line;
        match scanned {
            Some(Scanned::Record(record)) => {
                let rtype = record.rtype().to_int();
                if generic::may_hold_names(rtype) && entry.has_empty_label() {
                    return self.complain(current, entry, complaint::of_empty_label());
                }
                self.record(current, scanner, line, &record);
            }
            Some(Scanned::Include { path, origin }) => {
                let place = line_of(current, line, 1);
                let wanted = Path::new(&*path);
                if !wanted
                    .components()
                    .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
                {
                    let wanted = "a file beside this one or below its folder, named relative to it";
                    return self.error(place, &format!("$INCLUDE {path}"), wanted, None);
                }
                let mut file = current.path.parent().unwrap_or(Path::new("")).to_owned();
                file.extend(wanted.components().filter(|part| *part != Component::CurDir));
                let start = scanner.inherit(origin.as_ref().map(|origin| origin.as_slice()));
                self.file(&file, start, Some(place));
            }
            None => {}
        }
    }

    fn record(
        &mut self,
        current: Current<'_>,
        scanner: &mut Scanner,
        line: usize,
        record: &ScannedRecord,
    ) {
        let rtype = record.rtype().to_int();
        let place = || line_of(current, line, 1);
        let Some(owner) = scanner.note(record.owner(), record.ttl().as_secs()) else {
            let Complaint { found, wanted, .. } = complaint::of_empty_label();
            return self.error(place(), &found, &wanted, None);
        };
        if record.class() != Class::from_int(CLASS_IN) {
            let found = format!("class {}", record.class());
            return self.error(place(), &found, "class IN, or none given", None);
        }
        if !is_within(owner, self.loaded.apex().as_wire()) {
            let zone = self.loaded.apex().to_string();
            let found = format!("{} {}, outside the zone", show(owner), show_type(rtype));
            let hint = format!(
                "a name that ends with a dot is absolute; others end with the origin, at first {zone}"
            );
            return self.error(place(), &found, &format!("{zone} or a name below it"), Some(&hint));
        }
        if generic::is_meta(rtype) {
            let found = format!("type {}", show_type(rtype));
            return self.error(place(), &found, "a type that zones hold (RFC 6895)", None);
        }
        let plain = match record.data() {
            ZoneRecordData::Unknown(data) => match generic::plain(rtype, data.data()) {
                Some(plain) => Some(plain),
                None => {
                    let found = format!("data that are not those of type {}", show_type(rtype));
                    let wanted = format!("data of type {} in wire form", show_type(rtype));
                    return self.error(place(), &found, &wanted, None);
                }
            },
            _ => None,
        };
        let ttl = self.ttl(current, line, record.ttl().as_secs());
        let at = (current.number, line);
        let owner = scanner.owner();
        let is_short = self.loaded.push(owner, rtype, ttl, at, |to| match plain {
            Some(plain) => to.extend_from_slice(&plain),
            None => {
                let Ok(()) = record.data().compose_rdata(to);
            }
        });
        if !is_short {
            let found = "over 65535 octets of data";
            self.error(place(), found, "at most 65535 octets in one record", None);
        }
    }

    /// The TTL that is served for one that was written.
    fn ttl(&mut self, current: Current<'_>, line: usize, secs: u32) -> u32 {
        if secs <= TTL_MAX {
            return secs;
        }
        let zone = self.loaded.apex().to_string();
        let found = format!("TTL {secs}");
        let wanted = format!("at most {TTL_MAX} seconds (RFC 2181 section 8)");
        let problem = Problem::warning(line_of(current, line, 1), zone, found, wanted);
        self.findings.push(problem.hint("it counts as 0"));
        0
    }

    fn complain(&mut self, current: Current<'_>, entry: Entry<'_>, complaint: Complaint) {
        let place = line_of(current, entry.line + complaint.line, complaint.column);
        self.error(place, &complaint.found, &complaint.wanted, complaint.hint.as_deref());
    }

    fn unreadable(&mut self, place: Place, path: &Path, error: &std::io::Error) {
        let found = format!("{}: {error}", path.display());
        self.error(place, &found, "a file that can be read", readable(error));
    }

    fn error(&mut self, place: Place, found: &str, wanted: &str, hint: Option<&str>) {
        let problem = Problem::error(place, self.loaded.apex().to_string(), found, wanted);
        self.findings.push(match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        });
    }
}

fn line_of(current: Current<'_>, line: usize, column: usize) -> Place {
    Place::Line { path: current.path.to_owned(), line, column }
}
