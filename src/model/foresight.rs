//! What operators expect of the regions: the load to be borne, and which risks they take.

use std::time::Duration;

/// What a simulation goes by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Foresight {
    /// The load of all regions together, in the unit of their capacities; `None`: the most that they can
    /// bear when all is healthy.
    pub demand: Option<f64>,
    /// The longest time that clients may stay with a region that has died.
    pub cut_over_max: Duration,
    /// Which risks are accepted.
    pub accept: Accepted,
}

impl Default for Foresight {
    fn default() -> Self {
        let cut_over_max = Duration::from_secs(5 * 60);
        Self { demand: None, cut_over_max, accept: Accepted::default() }
    }
}

/// What may be wrong with how regions are prepared for the death of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// A record that nothing but what is down answers.
    SingleRegion,
    /// A region in use without any check: its death would not be noticed.
    NoCheck,
    /// A survivor that would bear more than its capacity.
    NoHeadroom,
    /// A target that was not observed for long.
    StaleProbe,
    /// Clients would stay too long.
    LongTtl,
    /// An override without an end.
    EndlessOverride,
    /// The all-down rule of a record was never seen to engage.
    AllDownUnexercised,
    /// A region in use of which nobody said what it can bear.
    UnknownCapacity,
}

impl Risk {
    /// All, the worst first.
    pub const ALL: [Self; 8] = [
        Self::SingleRegion,
        Self::NoCheck,
        Self::NoHeadroom,
        Self::StaleProbe,
        Self::LongTtl,
        Self::EndlessOverride,
        Self::AllDownUnexercised,
        Self::UnknownCapacity,
    ];

    /// Its word, in JSON and in the configuration.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::SingleRegion => "single-region",
            Self::NoCheck => "no-check",
            Self::NoHeadroom => "no-headroom",
            Self::StaleProbe => "stale-probe",
            Self::LongTtl => "long-ttl",
            Self::EndlessOverride => "endless-override",
            Self::AllDownUnexercised => "all-down-unexercised",
            Self::UnknownCapacity => "unknown-capacity",
        }
    }

    /// Whether one is not ready with it; else one is only at risk.
    #[must_use]
    pub const fn is_fatal(self) -> bool {
        matches!(self, Self::SingleRegion | Self::NoCheck | Self::NoHeadroom)
    }
}

/// A set of risks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accepted(u16);

impl Accepted {
    /// Whether a risk is among them.
    #[must_use]
    pub const fn has(self, risk: Risk) -> bool {
        self.0 & 1 << risk as u16 != 0
    }
}

impl FromIterator<Risk> for Accepted {
    fn from_iter<T: IntoIterator<Item = Risk>>(risks: T) -> Self {
        Self(risks.into_iter().fold(0, |all, risk| all | 1 << risk as u16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in() {
        for risk in Risk::ALL {
            let one: Accepted = [risk].into_iter().collect();
            let has: Vec<Risk> = Risk::ALL.into_iter().filter(|of| one.has(*of)).collect();
            assert_eq!(has, [risk]);
        }
        assert!(Risk::ALL.is_sorted_by_key(|risk| !risk.is_fatal()), "the worst first");
    }
}
