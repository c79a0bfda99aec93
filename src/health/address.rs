//! All checks of one address, taken together. Pure.
//!
//! All that decide must pass. One that has nothing to say (it could not be asked) is left out while
//! another has; where none has, they count as they were. A calculated check counts those behind it.

use std::sync::Arc;
use std::time::Duration;

use super::{Health, State};
use crate::model::{Calculated, Check, Probe, Shed};

/// What the checks of one address come to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Address {
    /// Down if any check is, else unknown if any is.
    pub(super) state: State,
    /// It says that it is under maintenance.
    pub(super) maintenance: bool,
    /// Whether a check of it came by a reload and has not been up since.
    pub(super) new: bool,
    /// Whether nothing is still unknown.
    pub(super) settled: bool,
    /// The earliest time in which it could be down; `None`: no doubt.
    pub(super) flip: Option<Duration>,
    /// What is left of its share by what it says of itself.
    pub(super) part: Part,
    /// Nothing of it can be asked.
    pub(super) abstains: bool,
}

/// What is left of a share by what was reported: each 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Part {
    degraded: f64,
    weight: f64,
    load: f64,
}

impl Part {
    const ALL: Self = Self { degraded: 1.0, weight: 1.0, load: 1.0 };

    /// What is left in all.
    pub(super) fn factor(self) -> f64 {
        self.degraded * self.weight * self.load
    }

    fn of(check: &Check, health: &Health, shed: Shed) -> Self {
        let report = &health.report;
        Self {
            degraded: if report.degraded.is_some() { check.degraded_factor } else { 1.0 },
            weight: report.weight.filter(|weight| !weight.is_nan()).unwrap_or(1.0).clamp(0.0, 1.0),
            load: report.load.map_or(1.0, |load| shed.left(load)),
        }
    }

    /// Two checks may tell of the same thing, so that of each kind the least counts.
    fn least(self, other: Self) -> Self {
        Self {
            degraded: self.degraded.min(other.degraded),
            weight: self.weight.min(other.weight),
            load: self.load.min(other.load),
        }
    }
}

impl Address {
    /// Nothing is known against it.
    const UP: Self = Self {
        state: State::Up,
        maintenance: false,
        new: false,
        settled: true,
        flip: None,
        part: Part::ALL,
        abstains: false,
    };

    /// Judges an address by its checks. `health` finds what is known of one that is probed.
    pub(super) fn judge<'a>(
        checks: &[Arc<Check>],
        shed: Shed,
        health: &impl Fn(&Arc<Check>) -> Option<&'a Health>,
    ) -> Self {
        let deciding = checks.iter().filter(|check| check.decides());
        let each: Vec<Self> = deciding.map(|check| Self::by(check, shed, health)).collect();
        let silent = !each.is_empty() && each.iter().all(|one| one.abstains);
        let heard = each.iter().filter(|one| silent || !one.abstains);
        let all = heard.fold(Self::UP, |all, one| all.and(one));
        Self { abstains: silent, ..all }
    }

    /// By one check.
    fn by<'a>(
        check: &Arc<Check>,
        shed: Shed,
        health: &impl Fn(&Arc<Check>) -> Option<&'a Health>,
    ) -> Self {
        if let Probe::Calculated(calculated) = &check.probe {
            return Self::calculated(calculated, shed, health);
        }
        let Some(health) = health(check) else {
            return Self { state: State::Unknown, settled: false, ..Self::UP };
        };
        Self {
            state: health.state,
            maintenance: health.report.maintenance,
            new: health.newcomer,
            settled: health.settled(),
            flip: health.flip(&check.timing),
            part: Part::of(check, health, shed),
            abstains: health.abstains(&check.timing),
        }
    }

    /// Up when enough of the others are. One of them that has nothing to say counts as it was.
    fn calculated<'a>(
        calculated: &Calculated,
        shed: Shed,
        health: &impl Fn(&Arc<Check>) -> Option<&'a Health>,
    ) -> Self {
        let wanted = usize::try_from(calculated.at_least).unwrap_or(usize::MAX);
        let Some(last) = wanted.checked_sub(1) else { return Self::UP };
        let each: Vec<Self> =
            calculated.of.iter().map(|check| Self::by(check, shed, health)).collect();
        let in_state =
            |state| each.iter().filter(move |one| one.state == state && !one.maintenance);
        let (up, unknown) = (in_state(State::Up).count(), in_state(State::Unknown).count());
        let state = match () {
            () if up >= wanted => State::Up,
            () if up + unknown >= wanted => State::Unknown,
            () => State::Down,
        };
        let counted = || each.iter().filter(|one| one.state != State::Down && !one.maintenance);
        // So many may be lost before it is down: the next to go after them takes it along.
        let mut flips: Vec<Option<Duration>> = counted().map(|one| one.flip).collect();
        flips.sort_unstable_by_key(|flip| flip.unwrap_or(Duration::MAX));
        let mut parts: Vec<Part> = in_state(State::Up).map(|one| one.part).collect();
        parts.sort_by(|a, b| b.factor().total_cmp(&a.factor()));
        Self {
            state,
            maintenance: state == State::Down && each.iter().any(|one| one.maintenance),
            new: state == State::Unknown && each.iter().any(|one| one.new),
            settled: state != State::Unknown,
            flip: flips.len().checked_sub(wanted).and_then(|spare| *flips.get(spare)?),
            // At least so many are as good as this.
            part: parts.get(last).copied().unwrap_or(Part::ALL),
            abstains: !each.is_empty() && each.iter().all(|one| one.abstains),
        }
    }

    fn and(self, other: &Self) -> Self {
        Self {
            state: match (self.state, other.state) {
                (State::Down, _) | (_, State::Down) => State::Down,
                (State::Unknown, _) | (_, State::Unknown) => State::Unknown,
                (State::Up, State::Up) => State::Up,
            },
            maintenance: self.maintenance || other.maintenance,
            new: self.new || other.new,
            settled: self.settled && other.settled,
            flip: self.flip.into_iter().chain(other.flip).min(),
            part: self.part.least(other.part),
            abstains: self.abstains,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::clock;
    use crate::health::Report;
    use crate::model::{Role, Timing};

    const TIMING: Timing = Timing {
        interval: Duration::from_secs(10),
        fast: None,
        timeout: Duration::from_secs(2),
        fall: 3,
        rise: 2,
    };

    fn leaf(name: &str) -> Arc<Check> {
        Arc::new(Check::new(name.into(), Probe::Tcp, 80, TIMING))
    }

    fn at_least(at_least: u32, of: Vec<Arc<Check>>) -> Arc<Check> {
        let probe = Probe::Calculated(Calculated { of, at_least });
        Arc::new(Check::new("calculated".into(), probe, 0, TIMING))
    }

    /// `u` up, `d` down, `?` unknown, `1` and `2` up with so many failures, `U` and `D` up and down
    /// and not to be asked, `m` up under maintenance, `h` up and degraded, `q` up and wanting a quarter.
    fn health(letter: char) -> Health {
        let up = Health { state: State::Up, ..Health::unknown(clock::now()) };
        let reported = |report| Health { report, ..up.clone() };
        match letter {
            'd' => Health { state: State::Down, failures: 3, ..up },
            '?' => Health { state: State::Unknown, ..up },
            '1' => Health { failures: 1, ..up },
            '2' => Health { failures: 2, ..up },
            'U' => Health { missing: 3, ..up },
            'D' => Health { state: State::Down, missing: 3, ..up },
            'm' => reported(Report { maintenance: true, ..Report::default() }),
            'h' => reported(Report { degraded: Some("warn".into()), ..Report::default() }),
            'q' => reported(Report { weight: Some(0.25), ..Report::default() }),
            _ => up,
        }
    }

    /// The checks a, b, c … in these states.
    fn judged(checks: &[Arc<Check>], letters: &str) -> Address {
        let all: Vec<Health> = letters.chars().map(health).collect();
        let find = |check: &Arc<Check>| {
            let at = usize::from(check.name.as_bytes().first()? - b'a');
            all.get(at)
        };
        Address::judge(checks, Shed::default(), &find)
    }

    fn leaves(count: usize) -> Vec<Arc<Check>> {
        ["a", "b", "c"].into_iter().take(count).map(leaf).collect()
    }

    #[rstest]
    #[case::two_of_three("uud", 2, State::Up)]
    #[case::one_is_missing("udd", 2, State::Down)]
    #[case::none_is_wanted("ddd", 0, State::Up)]
    #[case::more_than_there_are("uuu", 4, State::Down)]
    #[case::not_known_yet("u?d", 2, State::Unknown)]
    #[case::whatever_it_will_be("uu?", 2, State::Up)]
    #[case::nor_this_way("?dd", 2, State::Down)]
    #[case::what_is_silent_counts_as_it_was("uUd", 2, State::Up)]
    #[case::or_not("uDd", 2, State::Down)]
    #[case::maintenance_does_not_count("umd", 2, State::Down)]
    fn a_calculated_check_counts(#[case] letters: &str, #[case] wanted: u32, #[case] state: State) {
        assert_eq!(judged(&[at_least(wanted, leaves(3))], letters).state, state);
    }

    #[rstest]
    #[case::the_first_is_needed("1uu", 3, Some(20))]
    #[case::one_can_be_spared("1uu", 2, None)]
    #[case::two_fail_and_one_can_be_spared("12u", 2, Some(20))]
    #[case::the_earliest_is_spared("121", 2, Some(20))]
    #[case::what_is_down_is_spared_no_more("1d2", 2, Some(10))]
    fn it_is_down_when_too_few_are_left(
        #[case] letters: &str,
        #[case] wanted: u32,
        #[case] secs: Option<u64>,
    ) {
        let flip = judged(&[at_least(wanted, leaves(3))], letters).flip;
        assert_eq!(flip, secs.map(Duration::from_secs));
    }

    #[test]
    fn checks_are_calculated_from_calculated_ones() {
        let either = at_least(1, vec![leaf("a"), leaf("b")]);
        let both = at_least(2, vec![either, leaf("c")]);
        for (letters, state) in [
            ("udu", State::Up),
            ("ddu", State::Down),
            ("uud", State::Down),
            ("?du", State::Unknown),
        ] {
            assert_eq!(judged(&[Arc::clone(&both)], letters).state, state, "{letters}");
        }
    }

    #[rstest]
    #[case::others_decide("uD", State::Up, false)]
    #[case::and_take_it_down("dU", State::Down, false)]
    #[case::all_are_as_they_were("UD", State::Down, true)]
    #[case::and_stay_up("UU", State::Up, true)]
    fn what_cannot_be_asked_abstains(
        #[case] letters: &str,
        #[case] state: State,
        #[case] abstains: bool,
    ) {
        let judged = judged(&leaves(2), letters);
        assert_eq!((judged.state, judged.abstains), (state, abstains));
    }

    #[rstest]
    #[case::full("uu", 1.0)]
    #[case::degraded("hu", 0.5)]
    #[case::both_tell_of_the_same("hh", 0.5)]
    #[case::degraded_and_wanting_less("hq", 0.125)]
    #[case::who_cannot_be_asked_wants_nothing("qU", 0.25)]
    fn what_is_reported_lessens_the_share(#[case] letters: &str, #[case] factor: f64) {
        assert_eq!(judged(&leaves(2), letters).part.factor(), factor);
    }

    #[test]
    fn enough_of_them_are_as_good_as_this() {
        let two = [at_least(2, leaves(3))];
        assert_eq!(judged(&two, "uhq").part.factor(), 0.5);
        assert_eq!(judged(&two, "uuq").part.factor(), 1.0);
    }

    #[test]
    fn a_monitor_decides_nothing() {
        let monitor = Check { role: Role::Monitor, ..(*leaf("a")).clone() };
        let checks = [Arc::new(monitor), leaf("b")];
        assert_eq!(judged(&checks, "du").state, State::Up);
        assert_eq!(judged(&checks[..1], "d"), Address::UP);
    }
}
