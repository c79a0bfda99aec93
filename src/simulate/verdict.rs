//! From what is wrong to a verdict.

use super::views::{Reason, Verdict};
use crate::model::{Foresight, Risk};

/// Something that is wrong, in a sentence.
pub(super) fn reason(foresight: &Foresight, risk: Risk, text: String) -> Reason {
    let verdict = if risk.is_fatal() { Verdict::NotReady } else { Verdict::AtRisk };
    Reason { code: risk.label().into(), verdict, accepted: foresight.accept.has(risk), text }
}

/// The worst that is not accepted.
pub(super) fn verdict<'a>(reasons: impl IntoIterator<Item = &'a Reason>) -> Verdict {
    let counts = reasons.into_iter().filter(|reason| !reason.accepted);
    counts.map(|reason| reason.verdict).max().unwrap_or(Verdict::Ready)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_counts_that_is_not_accepted() {
        let accept = [Risk::SingleRegion].into_iter().collect();
        let foresight = Foresight { accept, ..Foresight::default() };
        let of = |risks: &[Risk]| {
            let reasons = risks.iter().map(|risk| reason(&foresight, *risk, String::new()));
            verdict(&reasons.collect::<Vec<_>>())
        };
        assert_eq!(of(&[]), Verdict::Ready);
        assert_eq!(of(&[Risk::SingleRegion]), Verdict::Ready);
        assert_eq!(of(&[Risk::SingleRegion, Risk::LongTtl]), Verdict::AtRisk);
        assert_eq!(of(&[Risk::LongTtl, Risk::NoHeadroom, Risk::LongTtl]), Verdict::NotReady);
    }
}
