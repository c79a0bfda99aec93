//! Calming as timelines.

use super::*;
use crate::clock;

fn seen(up: bool) -> FamilyHealth {
    let h = f64::from(u8::from(up));
    FamilyHealth {
        h,
        spare: h,
        live: vec![up],
        any_live: up,
        settled: true,
        fails: !up,
        flip: None,
        held: None,
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const DAMPING: Damping = Damping {
    above: 6.0,
    below: 2.0,
    half_life: Duration::from_secs(300),
    at_most: Duration::from_secs(1800),
};

fn ramping() -> Calm {
    Calm { ramp: Some(Ramp { over: MINUTE, from: 0.1 }), ..Calm::default() }
}

/// The factor and the time to the next step after so many seconds of a ramp.
fn at(calming: &Calming, start: Instant, secs: u64) -> (f64, Option<u64>) {
    let served = calming.served(seen(true), &ramping(), start + Duration::from_secs(secs));
    ((served.h * 1000.0).round() / 1000.0, served.flip.map(|flip| flip.as_secs()))
}

fn recovered(start: Instant) -> Calming {
    let mut calming = Calming::default();
    calming.step(&seen(false), &ramping(), None, true, start);
    calming.step(&seen(true), &ramping(), None, false, start);
    calming
}

#[test]
fn a_share_grows_in_twenty_steps() {
    let start = clock::now();
    let calming = recovered(start);
    assert_eq!(at(&calming, start, 0), (0.1, Some(3)));
    assert_eq!(at(&calming, start, 2), (0.1, Some(1)));
    assert_eq!(at(&calming, start, 3), (0.145, Some(3)));
    assert_eq!(at(&calming, start, 30), (0.55, Some(3)));
    assert_eq!(at(&calming, start, 59), (0.955, Some(1)));
    assert_eq!(at(&calming, start, 60), (1.0, None));
    let each = (0..=90).map(|secs| (at(&calming, start, secs).0 * 1000.0) as u32);
    let steps: BTreeSet<u32> = each.collect();
    assert_eq!(steps.len(), 21, "twenty of a ramp, and the full share");
}

use std::collections::BTreeSet;

#[test]
fn a_short_ramp_has_steps_of_a_second() {
    let start = clock::now();
    let ramp = Some(Ramp { over: Duration::from_millis(2500), from: 0.25 });
    let parts: Vec<f64> = [0, 999, 1000, 2400]
        .map(|ms| grown(ramp, start, start + Duration::from_millis(ms)).unwrap().0)
        .into();
    assert_eq!(parts, [0.25, 0.25, 0.5, 0.75]);
    assert_eq!(grown(ramp, start, start + Duration::from_millis(2500)), None);
}

#[test]
fn the_first_time_up_is_no_recovery() {
    let start = clock::now();
    let mut calming = Calming::default();
    let unknown = FamilyHealth { settled: false, any_live: false, ..seen(true) };
    for (seen, h) in [(unknown, 1.0), (seen(true), 1.0)] {
        calming.step(&seen, &ramping(), Some(&DAMPING), false, start);
        assert_eq!(calming.served(seen, &ramping(), start).h, h);
        assert!(!calming.is_busy());
    }
}

#[test]
fn a_failure_starts_the_ramp_over() {
    let start = clock::now();
    let mut calming = recovered(start);
    let later = start + MINUTE / 2;
    calming.step(&seen(true), &ramping(), None, true, later);
    assert_eq!(at(&calming, later, 0), (0.1, Some(3)));
    assert_eq!(at(&calming, later, 59), (0.955, Some(1)));
}

#[test]
fn it_waits_for_an_operator_and_then_grows() {
    let manual = Calm { failback: Failback::Manual, ..ramping() };
    let start = clock::now();
    let mut calming = Calming::default();
    calming.step(&seen(false), &manual, None, true, start);
    assert_eq!(calming.step(&seen(true), &manual, None, false, start), Some(Calmed::Awaits));
    let hour = start + 60 * MINUTE;
    let served = calming.served(seen(true), &manual, hour);
    assert_eq!((served.h, served.spare, served.held), (0.0, 1.0, Some(Held::Awaiting)));
    assert_eq!(calming.let_back(hour), Some(Calmed::LetBack));
    assert_eq!(calming.let_back(hour), None);
    assert_eq!(calming.served(seen(true), &manual, hour).h, 0.1);
}

#[test]
fn what_goes_down_while_it_waits_begins_again() {
    let manual = Calm { failback: Failback::Manual, ..Calm::default() };
    let start = clock::now();
    let mut calming = Calming::default();
    for up in [false, true, false] {
        calming.step(&seen(up), &manual, None, !up, start);
    }
    assert_eq!(calming.let_back(start), None);
    assert_eq!(calming.served(seen(false), &manual, start), seen(false));
}

/// A transition every 15 seconds: after how many it is held down, and how long after the last it is let go.
#[test]
fn what_flaps_is_held_down_until_the_penalty_has_decayed() {
    let (calm, start) = (Calm::default(), clock::now());
    let mut calming = Calming::default();
    calming.step(&seen(true), &calm, Some(&DAMPING), false, start);
    let (mut now, mut held_at) = (start, None);
    for n in 1..=240 {
        now += Duration::from_secs(15);
        let told = calming.step(&seen(n % 2 == 0), &calm, Some(&DAMPING), n % 2 == 1, now);
        if let Some(Calmed::Damped(penalty)) = told {
            assert!((6.0..7.0).contains(&penalty), "{penalty}");
            assert_eq!(held_at.replace(n), None, "it is told once");
        }
    }
    // 1 + q + q² + … with q = 2^(-15/300) exceeds 6 with the seventh.
    assert_eq!(held_at, Some(7));
    assert_eq!(calming.served(seen(true), &calm, now).h, 0.0);
    let mut waited = 0;
    while calming.tick(&calm, Some(&DAMPING), now) != Some(Calmed::Undamped) {
        now += Duration::from_secs(1);
        waited += 1;
        assert_eq!(
            calming.served(seen(true), &calm, now).held,
            (waited < 5000).then_some(Held::Damped)
        );
    }
    // The penalty has come near 1 / (1 - q) = 29.4, of which 2 is left after 300 s × log2(29.4 / 2) = 1163 s.
    assert!((1155..=1170).contains(&waited), "{waited}");
    assert_eq!(calming.served(seen(true), &calm, now).h, 1.0);
}

#[test]
fn it_is_not_held_for_longer_than_is_said() {
    let damping = Damping { at_most: Duration::from_secs(600), ..DAMPING };
    let (calm, start) = (Calm::default(), clock::now());
    let mut calming = Calming::default();
    for n in 0..1000 {
        calming.step(&seen(n % 2 == 0), &calm, Some(&damping), false, start);
    }
    let after = |secs| start + Duration::from_secs(secs);
    assert_eq!(calming.tick(&calm, Some(&damping), after(599)), None);
    assert_eq!(calming.tick(&calm, Some(&damping), after(601)), Some(Calmed::Undamped));
}

#[test]
fn a_restart_forgets_nothing_of_it() {
    let start = clock::now() + 100 * MINUTE;
    let calming = recovered(start);
    let half = start + MINUTE / 3;
    let kept = calming.kept(None, half).unwrap();
    let later = half + Duration::from_secs(10);
    let restored = Calming::restored(&kept, None, Duration::from_secs(10), later);
    assert_eq!(
        restored.served(seen(true), &ramping(), later),
        calming.served(seen(true), &ramping(), later)
    );
    let json = serde_json::to_string(&kept).unwrap();
    assert_eq!(serde_json::from_str::<KeptCalming>(&json).unwrap(), kept);

    let mut damped = Calming::default();
    for n in 0..20 {
        damped.step(&seen(n % 2 == 0), &Calm::default(), Some(&DAMPING), false, start);
    }
    let kept = damped.kept(Some(&DAMPING), half).unwrap();
    let restored = Calming::restored(&kept, Some(&DAMPING), MINUTE, half + MINUTE);
    let (was, is) =
        (damped.penalty(&DAMPING, half + MINUTE), restored.penalty(&DAMPING, half + MINUTE));
    assert!((was - is).abs() < 1e-9, "{was} {is}");
    assert_eq!(
        restored.served(seen(true), &Calm::default(), half + MINUTE).held,
        Some(Held::Damped)
    );
    assert_eq!(Calming::default().kept(Some(&DAMPING), half), None);
}
