//! `[simulate]`: what the regions have to bear, and which risks are taken.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::value::Value;
use crate::model::{Foresight, Risk};

const CUT_OVER: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(7 * 24 * 60 * 60);

pub(super) fn read(v: &Value<'_>) -> Option<Foresight> {
    v.table(|t| {
        let mut simulate = Foresight::default();
        t.set("demand", &mut simulate.demand, |v| {
            v.number(f64::MIN_POSITIVE..=1e15, "a number above 0, up to 1e15").map(Some)
        });
        t.set("cut_over_max", &mut simulate.cut_over_max, |v| v.duration(CUT_OVER));
        t.set("accept", &mut simulate.accept, |v| {
            let words = Risk::ALL.map(|risk| (risk.label(), risk));
            let list = v.list("a list of what is accepted", |v| v.word(&words))?;
            Some(list.into_iter().collect())
        });
        simulate
    })
}
