//! What a drill comes to: what was measured beside what was predicted, and a verdict.

use crate::model::{Counted, Drill};

/// By so much a measured share may differ from the predicted one: a percentage point.
const WITHIN: f64 = 0.01;
/// With fewer answers nothing is said of shares.
const ENOUGH: u64 = 1000;
/// How many standard deviations chance is given.
const SIGMAS: f64 = 4.0;

/// What a drill comes to in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::control) enum Word {
    /// Answers moved as predicted, and nothing came into doubt.
    Passed,
    /// Answers moved otherwise than predicted.
    Deviated,
    /// It was given up.
    Aborted,
    /// There were too few answers to tell.
    NotMeasured,
}

impl Word {
    /// The word of the API.
    pub(in crate::control) const fn label(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Deviated => "deviated",
            Self::Aborted => "aborted",
            Self::NotMeasured => "not measured",
        }
    }
}

/// What a drill comes to.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::control) struct Verdict {
    pub(in crate::control) word: Word,
    pub(in crate::control) text: String,
}

/// What a drill comes to, by what was found so far.
pub(in crate::control) fn verdict(drill: &Drill) -> Verdict {
    let found = &drill.found;
    if let Some(why) = &drill.aborted {
        return Verdict { word: Word::Aborted, text: why.clone() };
    }
    if found.all_down {
        let text = "the all-down rules of a record were engaged meanwhile".into();
        return Verdict { word: Word::Deviated, text };
    }
    let total = found.during.total();
    if total < ENOUGH {
        let text = format!("{total} answers were counted, and {ENOUGH} are needed to judge shares");
        return Verdict { word: Word::NotMeasured, text };
    }
    let worst = (found.predicted.iter())
        .filter_map(|(region, predicted)| {
            let measured = found.during.share(region)?;
            let beyond = (measured - predicted).abs() - allowed(*predicted, &found.during);
            Some((region, *predicted, measured, beyond))
        })
        .max_by(|a, b| a.3.total_cmp(&b.3));
    match worst {
        Some((region, predicted, measured, beyond)) if beyond > 0.0 => Verdict {
            word: Word::Deviated,
            text: format!(
                "{region} gave {:.1} % of the answers, and {:.1} % were predicted",
                measured * 100.0,
                predicted * 100.0
            ),
        },
        _ => Verdict {
            word: Word::Passed,
            text: format!(
                "every share is within a percentage point of its prediction, of {total} answers"
            ),
        },
    }
}

/// By how much a share may differ: a percentage point, and what chance makes of so many answers.
fn allowed(predicted: f64, counted: &Counted) -> f64 {
    let total = counted.total().max(1) as f64;
    WITHIN.max(SIGMAS * (predicted * (1.0 - predicted) / total).sqrt())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::Findings;

    fn drill(predicted: f64, a: u64, b: u64) -> Drill {
        let answers = vec![("a".into(), a), ("b".into(), b)];
        let predicted = vec![("a".into(), predicted), ("b".into(), 1.0 - predicted)];
        Drill {
            region: "a".into(),
            record: None,
            share: 0.5,
            lasts: Duration::from_secs(600),
            returned: None,
            aborted: None,
            known: Vec::new(),
            after: Duration::from_secs(60),
            found: Findings {
                predicted,
                during: Counted { over_ms: 600_000, answers },
                ..Findings::default()
            },
        }
    }

    #[test]
    fn shares_are_held_against_their_predictions() {
        let word = |drill: &Drill| verdict(drill).word;
        assert_eq!(word(&drill(0.3, 30_900, 69_100)), Word::Passed);
        assert_eq!(word(&drill(0.3, 32_000, 68_000)), Word::Deviated);
        assert_eq!(word(&drill(0.3, 340, 659)), Word::NotMeasured);
        // Of a thousand answers four standard deviations are 5.8 points.
        assert_eq!(word(&drill(0.3, 355, 645)), Word::Passed);
        assert_eq!(word(&drill(0.3, 360, 640)), Word::Deviated);
        let aborted = Drill { aborted: Some("b is down".into()), ..drill(0.3, 30_000, 70_000) };
        assert_eq!(verdict(&aborted).text, "b is down");
        let mut engaged = drill(0.3, 30_000, 70_000);
        engaged.found.all_down = true;
        assert_eq!(word(&engaged), Word::Deviated);
    }
}
