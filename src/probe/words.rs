//! What a target says of itself in the words of a load balancer's agent: the protocol of HAProxy's
//! `agent-check`, and the load, which is ours.
//!
//! Words are separated by spaces, tabs or commas, in any case of letters. Each answer stands by
//! itself: what it does not say is not so. Words that are not known are passed over.

use super::attempt::Failure;
use crate::health::Report;

/// No reported load is higher: at the load 1 a target is full.
const LOAD_MAX: f64 = 1000.0;

/// What was understood of a line.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Words {
    /// The part of its usual share that it wants, 0 to 1.
    weight: Option<f64>,
    /// How loaded it is.
    load: Option<f64>,
    /// It is under maintenance.
    maintenance: bool,
    /// It is down, and how that was said: `failed: no database`.
    down: Option<String>,
}

impl Words {
    /// The words of a line; `None` when none of them is understood.
    pub(super) fn read(line: &str) -> Option<Self> {
        let (words, description) = line.split_once('#').unwrap_or((line, ""));
        let (mut read, mut understood, mut drain) = (Self::default(), false, false);
        for word in words.split([' ', '\t', ',', '\r', '\n']).filter(|word| !word.is_empty()) {
            let word = word.to_ascii_lowercase();
            let known = match word.as_str() {
                "up" | "ready" => true,
                "drain" => {
                    drain = true;
                    true
                }
                "maint" => {
                    read.maintenance = true;
                    true
                }
                "down" | "failed" | "stopped" => {
                    read.down = Some(match description.trim() {
                        "" => word.clone(),
                        why => format!("{word}: {why}"),
                    });
                    true
                }
                _ => read.number(&word),
            };
            understood |= known;
        }
        if drain {
            read.weight = Some(0.0);
        }
        understood.then_some(read)
    }

    /// Takes a word that holds a number; whether it is one.
    fn number(&mut self, word: &str) -> bool {
        if let Some(count) = word.strip_prefix("maxconn:") {
            return count.parse::<u64>().is_ok();
        }
        if let Some(told) = word.strip_prefix("load:").and_then(load) {
            self.load = Some(told);
            return true;
        }
        let Some(percent) = word.strip_suffix('%').and_then(number) else { return false };
        self.weight = Some((percent / 100.0).min(1.0));
        true
    }

    /// Leaves it in a report.
    ///
    /// # Errors
    ///
    /// The target says that it is down.
    pub(super) fn report(self, report: &mut Report) -> Result<(), Failure> {
        report.weight = self.weight;
        report.load = self.load.or(report.load);
        report.maintenance = self.maintenance;
        self.down.map_or(Ok(()), |why| Err(Failure::target(&why)))
    }
}

/// A load: `0.85` or `85%`.
pub(super) fn load(text: &str) -> Option<f64> {
    let load = match text.strip_suffix('%') {
        Some(percent) => number(percent)? / 100.0,
        None => number(text)?,
    };
    (load <= LOAD_MAX).then_some(load)
}

/// A number in digits, not below 0.
fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Weight, load, maintenance, why it is down.
    type Told<'a> = (Option<f64>, Option<f64>, bool, Option<&'a str>);

    const NOTHING: Told<'static> = (None, None, false, None);

    #[rstest]
    #[case("up", NOTHING)]
    #[case("READY\r\n", NOTHING)]
    #[case("75%", (Some(0.75), None, false, None))]
    #[case("up,\t100%", (Some(1.0), None, false, None))]
    #[case("250%", (Some(1.0), None, false, None))]
    #[case("up 0%", (Some(0.0), None, false, None))]
    #[case("12.5%", (Some(0.125), None, false, None))]
    #[case("drain 75%", (Some(0.0), None, false, None))]
    #[case("maint", (None, None, true, None))]
    #[case("maxconn:20 up", NOTHING)]
    #[case("maxconn:20", NOTHING)]
    #[case("ready load:0.85 50%", (Some(0.5), Some(0.85), false, None))]
    #[case("load:85%", (None, Some(0.85), false, None))]
    #[case("down", (None, None, false, Some("down")))]
    #[case("failed # no database, no disk", (None, None, false, Some("failed: no database, no disk")))]
    #[case("50% Stopped#by hand", (Some(0.5), None, false, Some("stopped: by hand")))]
    #[case("hello up", NOTHING)]
    #[case("up # 50% drain", NOTHING)]
    fn lines(#[case] line: &str, #[case] (weight, load, maintenance, down): Told<'_>) {
        let down = down.map(str::to_owned);
        assert_eq!(Words::read(line), Some(Words { weight, load, maintenance, down }));
    }

    #[rstest]
    #[case("")]
    #[case("# up")]
    #[case("hello")]
    #[case("-5%")]
    #[case("NaN%")]
    #[case("1e3%")]
    #[case("%")]
    #[case("load:inf")]
    #[case("load:1e9")]
    #[case("load:99999")]
    #[case("maxconn:")]
    fn what_is_not_understood(#[case] line: &str) {
        assert_eq!(Words::read(line), None);
    }

    #[test]
    fn a_line_replaces_what_was_said_before_it_but_a_load_that_it_does_not_tell() {
        let before = Report { weight: Some(0.5), load: Some(0.7), ..Report::default() };
        let mut report = before.clone();
        assert_eq!(Words::read("up").unwrap().report(&mut report), Ok(()));
        assert_eq!(report, Report { weight: None, ..before });
        let down = Words::read("down # gone").unwrap().report(&mut report);
        assert_eq!(down, Err(Failure::Target("down: gone".into())));
    }
}
