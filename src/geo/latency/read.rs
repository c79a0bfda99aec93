//! Reads the table from a file of comma-separated values.
//!
//! A line is `client,region,rtt_ms`; blanks around fields and quotes around a whole field do not
//! matter. Empty lines and lines that begin with `#` are passed over, and so is a first line that
//! names the columns. No field can have a comma or a line break in it, so a line is simply split:
//! readers of the general format lose count of the lines, which problems must tell, at comments
//! and empty lines.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::fields::{Field, fields, is_header};
use super::key::Refused;
use super::{ClientKey, LatencyTable};
use crate::model::{Continent, RegionId};
use crate::problem::{Place, Problem, Problems, Severity, Source, nearest, readable};

/// The longest round trip, in milliseconds.
const RTT_MAX: f64 = 60_000.0;
/// At most so many errors are told, and so many warnings.
const MOST_TOLD: usize = 100;

impl LatencyTable {
    /// Reads a file. `regions` are the names of all regions, each at the position of its id. What
    /// is wrong is added to `problems`; the table has the rows that are right.
    #[must_use]
    pub fn read(path: &Path, regions: &[Arc<str>], problems: &mut Problems) -> Self {
        match text(path) {
            Ok(text) => {
                Self::of(&Arc::new(Source { path: path.to_owned(), text }), regions, problems)
            }
            Err(problem) => {
                problems.push(*problem);
                Self::default()
            }
        }
    }

    /// The same of a text that is at hand.
    pub(super) fn of(source: &Arc<Source>, regions: &[Arc<str>], problems: &mut Problems) -> Self {
        let mut reader = Reader::new(source, regions);
        reader.read();
        reader.finish(problems)
    }
}

/// The whole file.
fn text(path: &Path) -> Result<String, Box<Problem>> {
    let wanted = "a text file with lines of client,region,rtt_ms";
    let problem = |found: String| {
        Box::new(Problem::error(Place::File(path.to_owned()), "latency.table", found, wanted))
    };
    let octets = fs::read(path).map_err(|e| {
        let mut problem = problem(format!("a file that cannot be read ({e})"));
        problem.hint = readable(&e).map(Into::into);
        problem
    })?;
    String::from_utf8(octets).map_err(|e| {
        let valid = e.as_bytes().get(..e.utf8_error().valid_up_to()).unwrap_or_default();
        let line = valid.iter().filter(|&&octet| octet == b'\n').count() + 1;
        problem(format!("octets that are not UTF-8, in line {line}"))
    })
}

/// One pass over a file.
struct Reader<'a> {
    source: &'a Arc<Source>,
    names: &'a [Arc<str>],
    regions: HashMap<&'a str, RegionId>,
    table: LatencyTable,
    /// In which line each pair was first.
    lines: HashMap<(ClientKey, RegionId), usize>,
    problems: Problems,
    untold: usize,
}

impl<'a> Reader<'a> {
    fn new(source: &'a Arc<Source>, names: &'a [Arc<str>]) -> Self {
        let regions = (0..=u16::MAX).zip(names).map(|(id, name)| (&**name, RegionId(id)));
        Self {
            source,
            names,
            regions: regions.collect(),
            table: LatencyTable::default(),
            lines: HashMap::new(),
            problems: Problems::default(),
            untold: 0,
        }
    }

    fn read(&mut self) {
        let source = self.source;
        // What spreadsheets put at the start of a file.
        let mark = if source.text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
        let mut end = mark;
        let mut is_first = true;
        let text = source.text.get(mark..).unwrap_or_default();
        for (line, text) in text.split_inclusive('\n').enumerate() {
            let start = end;
            end += text.len();
            if text.trim().is_empty() || text.trim_start().starts_with('#') {
                continue;
            }
            let fields = fields(text, start);
            let is_header = is_first && is_header(&fields);
            is_first = false;
            if !is_header {
                self.row(line + 1, &fields, start..start + text.trim_end().len());
            }
        }
    }

    fn row(&mut self, line: usize, fields: &[Field<'_>], whole: Range<usize>) {
        let [client, region, rtt] = fields else {
            let count = fields.len();
            let found = format!("{count} field{}", if count == 1 { "" } else { "s" });
            let has_others = fields.iter().any(|field| field.text.contains([';', '\t']));
            let hint = has_others.then(|| "commas stand between fields".to_owned());
            self.refuse("client,region,rtt_ms", whole, found, "three fields", hint);
            return;
        };
        // All three, so that each of them is told.
        let (key, id, time) = (self.client(client), self.region(region), self.time(rtt));
        let (Some(key), Some(id), Some(time)) = (key, id, time) else { return };
        if self.table.insert(key, id, time) {
            self.lines.insert((key, id), line);
            return;
        }
        let first = self.lines.get(&(key, id)).copied().unwrap_or_default();
        let found = format!("a second row of {key} and {}", region.text);
        let hint = format!("the first is in line {first}");
        self.refuse("client", whole, found, "one row for the same client and region", Some(hint));
    }

    fn client(&mut self, field: &Field<'_>) -> Option<ClientKey> {
        match ClientKey::parse(field.text) {
            Ok(key) => {
                self.doubt(&key, field);
                Some(key)
            }
            Err(Refused { wanted, hint }) => {
                let found = format!("{:?}", field.text);
                self.refuse("client", field.span.clone(), found, wanted, hint);
                None
            }
        }
    }

    /// Warns of a country that no client will ever be in.
    fn doubt(&mut self, key: &ClientKey, field: &Field<'_>) {
        let country = match key {
            ClientKey::Country(country) => *country,
            ClientKey::Subdivision(subdivision) => subdivision.country(),
            _ => return,
        };
        if country.continent().is_some() {
            return;
        }
        let place = self.place(field.span.clone());
        let found = format!("the country {country}, which is not known");
        let problem = Problem::warning(place, "client", found, "an ISO 3166-1 code");
        self.push(match (country.code(), field.text.parse::<Continent>()) {
            ("UK", _) => problem.hint("the United Kingdom is GB"),
            (_, Ok(continent)) => problem.hint(format!("the continent is continent:{continent}")),
            _ => problem,
        });
    }

    fn region(&mut self, field: &Field<'_>) -> Option<RegionId> {
        let id = self.regions.get(field.text).copied();
        if id.is_none() {
            let near = nearest(field.text, self.names.iter().map(|name| &**name));
            let hint = near.map(|near| format!("did you mean {near:?}?"));
            let found = format!("{:?}", field.text);
            self.refuse("region", field.span.clone(), found, "the name of a region", hint);
        }
        id
    }

    fn time(&mut self, field: &Field<'_>) -> Option<Duration> {
        let ms = field.text.parse::<f64>().ok().filter(|ms| (0.0..=RTT_MAX).contains(ms));
        if ms.is_none() {
            let number = field.text.trim_end_matches("ms").trim_end();
            let has_unit = number != field.text && number.parse::<f64>().is_ok();
            let hint = has_unit.then(|| format!("write {number}, without a unit"));
            let found = format!("{:?}", field.text);
            let wanted = "milliseconds from 0 to 60000";
            self.refuse("rtt_ms", field.span.clone(), found, wanted, hint);
        }
        ms.map(|ms| Duration::from_secs_f64(ms / 1000.0))
    }

    fn place(&self, span: Range<usize>) -> Place {
        Place::Span(Arc::clone(self.source), span)
    }

    fn refuse(
        &mut self,
        key: &str,
        span: Range<usize>,
        found: String,
        wanted: &str,
        hint: Option<String>,
    ) {
        let problem = Problem::error(self.place(span), key, found, wanted);
        self.push(Problem { hint, ..problem });
    }

    /// Keeps a problem if not too many like it are kept already: an error is never lost among
    /// warnings.
    fn push(&mut self, problem: Problem) {
        let alike = match problem.severity {
            Severity::Error => self.problems.errors(),
            Severity::Warning => self.problems.warnings(),
        };
        if alike < MOST_TOLD {
            self.problems.push(problem);
        } else {
            self.untold += 1;
        }
    }

    fn finish(mut self, problems: &mut Problems) -> LatencyTable {
        if self.untold > 0 {
            let place = Place::File(self.source.path.clone());
            let found = format!("{} more problems, not shown", self.untold);
            let wanted = "a table without problems";
            self.problems.push(Problem::warning(place, "latency.table", found, wanted));
        }
        problems.extend(self.problems);
        self.table
    }
}
