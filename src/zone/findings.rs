//! What is wrong with one zone, brought into the order of its files and kept to a readable length.

use crate::problem::{Place, Problem, Problems, Severity};

/// The problems of one zone while it is read.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Problem>,
    errors: usize,
    untold: usize,
}

/// At most so many problems of one zone are told.
const MOST_TOLD: usize = 100;
/// Collected before they are sorted and cut to [`MOST_TOLD`].
const MOST_KEPT: usize = 10_000;

impl Findings {
    pub(super) fn push(&mut self, problem: Problem) {
        let is_error = problem.severity == Severity::Error;
        self.errors += usize::from(is_error);
        if self.list.len() < MOST_KEPT {
            self.list.push(problem);
        } else {
            self.untold += 1;
            // One error must remain, or a broken zone would be served.
            if is_error && self.errors == 1 {
                self.list[MOST_KEPT - 1] = problem;
            }
        }
    }

    /// Whether anything refuses the zone.
    pub(super) const fn any_error(&self) -> bool {
        self.errors > 0
    }

    /// Whether reading on would only repeat itself.
    pub(super) const fn is_enough(&self) -> bool {
        self.errors >= MOST_TOLD
    }

    /// Hands them on, those of whole files first and the others by line; of too many, errors first.
    pub(super) fn report(mut self, zone: &str, place: &Place, problems: &mut Problems) {
        if self.list.len() > MOST_TOLD {
            self.list.sort_by_key(|problem| problem.severity);
            self.untold += self.list.len() - MOST_TOLD;
            self.list.truncate(MOST_TOLD);
        }
        self.list.sort_by_cached_key(|problem| match &problem.place {
            Place::Line { path, line, column } => (path.clone(), *line, *column),
            Place::File(path) => (path.clone(), 0, 0),
            Place::Span(source, span) => (source.path.clone(), 0, span.start),
        });
        for problem in self.list {
            problems.push(problem);
        }
        if self.untold > 0 {
            problems.push(Problem::warning(
                place.clone(),
                zone,
                format!("{} more problems, not shown", self.untold),
                "a zone without problems",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize, severity: Severity) -> Problem {
        let place = Place::Line { path: "z".into(), line, column: 1 };
        Problem { severity, ..Problem::error(place, "z", "f", "w") }
    }

    #[test]
    fn a_flood_is_cut_but_an_error_stays() {
        let mut findings = Findings::default();
        for line in 0..MOST_KEPT + 5 {
            findings.push(at(line, Severity::Warning));
        }
        findings.push(at(7, Severity::Error));
        assert!(findings.any_error() && !findings.is_enough());
        let mut problems = Problems::default();
        findings.report("z", &Place::File("z".into()), &mut problems);
        assert_eq!(problems.0.len(), MOST_TOLD + 1);
        assert_eq!(problems.errors(), 1);
        assert_eq!(problems.0[MOST_TOLD].found, "9906 more problems, not shown");
    }
}
