//! The whole configuration, and how it is read.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use toml::de::DeValue;

use super::context::Context;
use super::syntax::{Mended, Mistake};
use super::table::Table;
use super::value::Value;
use super::{
    Admin, Alias, Check, Damping, Defaults, Geo, Latency, Log, Metrics, Plans, Policy, Probe,
    QueryLog, Record, Region, Safety, Server, State, Webhook, Window, Zone,
};
use super::{names, simulate};
use crate::model::Foresight;
use crate::problem::{Place, Problem, Problems, Source, readable};

/// A configuration, in the order of the documentation. Lists of named things are in the order of
/// the file.
///
/// When its reading found errors, it holds what could be read, so that more can be checked;
/// values that could not be read stand at their defaults, and nothing may be served from it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// Sockets and limits.
    pub server: Server,
    /// The HTTP side.
    pub admin: Admin,
    /// What is counted.
    pub metrics: Metrics,
    /// What is logged.
    pub log: Log,
    /// What is told of answers.
    pub query_log: QueryLog,
    /// Who is told of events.
    pub webhooks: Vec<Webhook>,
    /// How probing as a whole is done.
    pub probe: Probe,
    /// How the names of endpoints are looked up.
    pub alias: Alias,
    /// What survives a restart.
    pub state: State,
    /// Where clients are.
    pub geo: Geo,
    /// How far clients are from regions.
    pub latency: Latency,
    /// What records and checks do that say nothing else.
    pub defaults: Defaults,
    /// Health checks.
    pub checks: Vec<Check>,
    /// Regions.
    pub regions: Vec<Region>,
    /// Holding down what flaps.
    pub damping: Damping,
    /// How far probes are trusted.
    pub safety: Safety,
    /// How plans are watched.
    pub plans: Plans,
    /// Maintenance windows.
    pub windows: Vec<Window>,
    /// What a simulation goes by.
    pub simulate: Foresight,
    /// Policies.
    pub policies: Vec<Policy>,
    /// Zones.
    pub zones: Vec<Zone>,
    /// Dynamic records.
    pub records: Vec<Record>,
    /// What could not be read.
    pub incomplete: Incomplete,
}

/// What could not be read and so is not in a configuration; what depends on it need not be judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Incomplete {
    /// Some zone.
    pub zones: bool,
    /// Something that refers to regions, policies or checks, or all of those.
    pub references: bool,
    /// Some address or endpoint.
    pub addresses: bool,
    /// Some region's location.
    pub locations: bool,
    /// Something that says where clients are.
    pub sources: bool,
}

/// Reads the configuration file at `path`; `None` when it cannot be read as text.
#[must_use]
pub fn read(path: &Path) -> (Option<Config>, Problems) {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let (config, problems) = parse(&Arc::new(Source { path: path.into(), text }));
            (Some(config), problems)
        }
        Err(error) => {
            let wanted = "a configuration file that can be read";
            let place = Place::File(path.into());
            let mut problem = Problem::error(place, "configuration", error.to_string(), wanted);
            problem.hint = readable(&error).map(Into::into);
            (None, Problems(vec![problem]))
        }
    }
}

/// Reads a configuration from its text, and finds everything that is wrong with the text.
#[must_use]
pub fn parse(source: &Arc<Source>) -> (Config, Problems) {
    let (config, problems, _) = with_known(source, &Mended::new(&source.text));
    (config, problems)
}

/// The keys that readers know, by kind of table.
pub(super) type Known = BTreeMap<String, BTreeSet<&'static str>>;

/// What [`parse`] does, and which keys were known to the readers of the tables that were read.
pub(super) fn with_known(source: &Arc<Source>, mended: &Mended) -> (Config, Problems, Known) {
    let tree = DeValue::Table(mended.tree());
    let syntax = mended.mistakes.iter().map(|m| syntax_problem(source, m)).collect();
    let cx = Context {
        source,
        mended,
        problems: RefCell::new(Problems(syntax)),
        incomplete: Cell::new(if mended.mistakes.is_empty() {
            Incomplete::default()
        } else {
            LOST
        }),
        known: RefCell::default(),
    };
    let root = Value { cx: &cx, path: String::new(), kind: String::new(), span: 0..0, tree: &tree };
    let mut config = root.table(root_table).unwrap_or_default();
    names::check(&config, &cx);
    config.incomplete = cx.incomplete.get();
    let mut problems = cx.problems.into_inner();
    in_file_order(&mut problems);
    (config, problems, cx.known.into_inner())
}

/// Sorts problems of one configuration by their places in it.
pub fn in_file_order(problems: &mut Problems) {
    problems.0.sort_by_key(|p| match &p.place {
        Place::Span(_, span) => span.start,
        _ => 0,
    });
}

fn root_table(t: &Table<'_>) -> Config {
    let wanted = "version = 1, the version of this format";
    t.required("version", wanted, |v| match v.as_integer() {
        Some(1) => Some(()),
        _ => v.refuse("1, the only version of this format"),
    });
    let mut config = Config::default();
    t.set("server", &mut config.server, Server::read);
    t.set("admin", &mut config.admin, Admin::read);
    t.set("metrics", &mut config.metrics, Metrics::read);
    t.set("log", &mut config.log, Log::read);
    t.set("query_log", &mut config.query_log, QueryLog::read);
    t.set("webhooks", &mut config.webhooks, Webhook::read_all);
    t.set("probe", &mut config.probe, Probe::read);
    t.set("alias", &mut config.alias, Alias::read);
    t.set("state", &mut config.state, State::read);
    t.set("geo", &mut config.geo, Geo::read);
    t.set("latency", &mut config.latency, Latency::read);
    t.set("defaults", &mut config.defaults, Defaults::read);
    let timing = config.defaults.check;
    section(t, "checks", &mut config.checks, |v| Check::read_all(v, timing));
    section(t, "regions", &mut config.regions, Region::read_all);
    t.set("damping", &mut config.damping, Damping::read);
    t.set("safety", &mut config.safety, Safety::read);
    t.set("plans", &mut config.plans, Plans::read);
    t.set("windows", &mut config.windows, Window::read_all);
    t.set("simulate", &mut config.simulate, simulate::read);
    section(t, "policies", &mut config.policies, Policy::read_all);
    section(t, "zones", &mut config.zones, Zone::read_all);
    let regions = &config.regions;
    section(t, "records", &mut config.records, |v| Record::read_all(v, regions));
    config
}

/// Reads a section of named things. When it is none, nothing can be said of what refers to it.
fn section<'a, T>(
    t: &Table<'a>,
    key: &'static str,
    slot: &mut Vec<T>,
    read: impl FnOnce(&Value<'a>) -> Option<Vec<T>>,
) {
    t.set(key, slot, |v| {
        let read = read(v);
        if read.is_none() {
            t.lost(|lost| *lost = LOST);
        }
        read
    });
}

const LOST: Incomplete =
    Incomplete { zones: true, references: true, addresses: true, locations: true, sources: true };

/// A mistake against the grammar in the form of all problems: the parser says `what, expected
/// this`.
fn syntax_problem(source: &Arc<Source>, mistake: &Mistake) -> Problem {
    let text = source.text.get(mistake.span.clone()).unwrap_or_default();
    let place = Place::Span(Arc::clone(source), mistake.span.clone());
    if mistake.message == "duplicate key" {
        let found = format!("\"{text}\" for a second time");
        let key = path_at(&source.text, mistake.span.start, text);
        let problem = Problem::error(place, key, found, "each name once in its table");
        return problem.hint("remove one of the two, or give it another name");
    }
    let (found, wanted) = mistake
        .message
        .split_once(", expected ")
        .unwrap_or((mistake.message.as_str(), "text in the grammar of TOML (https://toml.io)"));
    match (found, wanted) {
        ("string values must be quoted", _) if text.is_empty() => {
            Problem::error(place, "TOML", "no value", "a value")
        }
        ("string values must be quoted", _) => {
            let problem = Problem::error(place, "TOML", text, "a value");
            problem.hint(format!("put texts in quotes: {text:?}"))
        }
        (_, "nothing") => Problem::error(place, "TOML", found, "nothing of the kind"),
        _ => Problem::error(place, "TOML", found, wanted),
    }
}

/// The dotted path of a key at a position of the text: in a header, that header; else behind the
/// header above.
fn path_at(text: &str, at: usize, key: &str) -> String {
    let header = |line: &str| {
        let end = line.rfind(']').unwrap_or(line.len());
        line.get(..end).map(|line| line.trim_matches(['[', ']', ' ']).to_owned())
    };
    let start = text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |at| at + 1);
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    if line.trim_start().starts_with('[') {
        return header(line).unwrap_or_default();
    }
    let above = text.get(..start).unwrap_or_default().lines().rev();
    match above.map(str::trim_start).find(|line| line.starts_with('[')).and_then(header) {
        Some(header) => format!("{header}.{key}"),
        None => key.into(),
    }
}
