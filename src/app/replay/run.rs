//! Reading the log, line by line, and putting each question to both configurations.

use crate::app::clients::Clients;
use crate::geo::DatabaseError;
use crate::routing::Snapshot;

use super::clients::{Asking, MOST};
use super::log::{self, Asked, Line, Log, LogError, Other};
use super::names::Names;
use super::outcome::outcome;
use super::report::{Read, Report, Unread};
use super::tally::Tally;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A database is broken.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// There was no line, or none that could be read.
    #[error("no line of the query log could be read{}", first.as_ref().map_or_else(
        || ": it is empty".to_owned(),
        |Unread { file, line, why }| format!("; the first: {file}:{line}: {why}"),
    ))]
    Nothing {
        /// The first line, if there was one.
        first: Option<Unread>,
    },
}

/// So many lines that cannot be read are shown.
const UNREAD: usize = 5;

/// Answers the queries of logs by two configurations, that in use first. Where clients are is looked up in
/// `clients`, which are those of the second.
///
/// # Errors
/// When a log or a database cannot be read, or the logs have no line that can be.
pub fn replay(
    logs: Vec<Log>,
    snapshots: [&Snapshot; 2],
    clients: &Clients,
) -> Result<Report, Error> {
    replay_of(logs, snapshots, clients, MOST)
}

/// The same with room for another number of clients.
pub(super) fn replay_of(
    logs: Vec<Log>,
    snapshots: [&Snapshot; 2],
    clients: &Clients,
    most: usize,
) -> Result<Report, Error> {
    let [_, after] = snapshots;
    let mut run = Run {
        snapshots,
        names: Names::default(),
        asking: Asking::new(clients, &after.assembly.trees, most),
        tally: Tally::default(),
        read: Read::default(),
    };
    let mut octets = Vec::new();
    for mut log in logs {
        run.read.files.push(log.name.clone());
        let mut number = 0;
        while log.next(&mut octets)? {
            number += 1;
            run.read.lines += 1;
            let asked = log::line(&octets).and_then(|line| run.take(line));
            match asked {
                Ok(Some(question)) => run.count(&question)?,
                Ok(None) => {}
                Err(why) => run.unreadable(&log.name, number, why),
            }
        }
    }
    if run.read.lines == run.read.unreadable {
        return Err(Error::Nothing { first: run.read.unread.into_iter().next() });
    }
    let (networks, moved) = run.asking.networks();
    let networks = (networks, moved, run.asking.is_full);
    let targets = &run.names.targets;
    let sums = run.tally.finish(targets);
    Ok(Report::new(snapshots, targets, &sums, networks, run.read))
}

struct Run<'a> {
    snapshots: [&'a Snapshot; 2],
    names: Names,
    asking: Asking<'a>,
    tally: Tally,
    read: Read,
}

/// A question that a dynamic record of either configuration answers.
struct Question<'a> {
    asked: Asked<'a>,
    /// The position of what it asks for.
    target: usize,
}

impl Run<'_> {
    /// The question of a line, if it is one that counts.
    fn take<'a>(&mut self, line: Line<'a>) -> Result<Option<Question<'a>>, String> {
        let asked = match line {
            Line::Asked(asked) => asked,
            Line::Other(why) => {
                *match why {
                    Other::Type => &mut self.read.other_types,
                    Other::CutShort => &mut self.read.cut_short,
                    Other::Unanswered => &mut self.read.unanswered,
                } += 1;
                return Ok(None);
            }
        };
        let target = self.names.target(self.snapshots, &asked.name, asked.family)?;
        self.read.other_names += u64::from(target.is_none());
        Ok(target.map(|target| Question { asked, target }))
    }

    fn count(&mut self, Question { asked, target }: &Question<'_>) -> Result<(), DatabaseError> {
        let Some(of) = self.names.targets.get(*target) else { return Ok(()) };
        let Asked { family, asker, network, .. } = asked;
        let [before, after] = [0, 1]
            .map(|at: usize| outcome(self.snapshots[at], &of.ways[at], *family, asker, *network));
        // The record's own name is asked for next, and has a line of its own.
        if before.1.apart && !asked.by_record {
            self.read.led_on += 1;
            return Ok(());
        }
        let client = self.asking.client(asker)?;
        let outcomes = [before.0, after.0];
        let moved = self.tally.count(self.snapshots, (*target, of), outcomes, client.country);
        self.asking.count(client.network, moved);
        self.read.blurred += u64::from(network.is_some());
        self.read.coarse += u64::from(before.1.coarse || after.1.coarse);
        self.read.note_time(&asked.time);
        Ok(())
    }

    fn unreadable(&mut self, file: &str, line: u64, why: String) {
        self.read.unreadable += 1;
        if self.read.unread.len() < UNREAD {
            self.read.unread.push(Unread { file: file.into(), line, why });
        }
    }
}

impl Read {
    /// Times are in UTC and of one form, so that they are in order as texts.
    fn note_time(&mut self, time: &str) {
        if time.is_empty() {
            return;
        }
        if self.since.as_deref().is_none_or(|since| time < since) {
            self.since = Some(time.into());
        }
        if self.until.as_deref().is_none_or(|until| time > until) {
            self.until = Some(time.into());
        }
    }
}
