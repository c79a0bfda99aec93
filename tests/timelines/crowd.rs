//! An hour of a thousand regions with random faults.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;
use trimtab::control::views::HealthWord;

use super::night::{Night, Saw, well};

const REGIONS: usize = 1000;
const HOUR: f64 = 3600.0;

#[tokio::test(start_paused = true)]
async fn an_hour_of_a_thousand_regions() {
    let mut random = Rng::with_seed(7);
    // Each fails once in two hours on average, for 5 to 300 s; a fifth of all have only a flutter.
    let faults: Vec<Vec<(f64, f64)>> = (0..REGIONS)
        .map(|_| {
            let count = usize::from(random.f64() < 0.5) + usize::from(random.f64() < 0.1);
            let fault = |random: &mut Rng| {
                let from = 30.0 + random.f64() * (HOUR - 360.0);
                (from, from + 5.0 + random.f64() * 295.0)
            };
            (0..count).map(|_| fault(&mut random)).collect()
        })
        .collect();
    let mut text = String::from(
        "version = 1\n[zones.test]\nnameservers = { \"ns.example.net\" = [] }\n\
         [checks.web]\ntype = \"http\"\ninterval = \"20s\"\ntimeout = \"2s\"\n\
         [[records]]\nname = \"app.test\"\npolicy = \"weighted\"\n",
    );
    for n in 0..REGIONS {
        text += &format!(
            "[regions.r{n}]\naddresses = [\"10.0.{}.{}\"]\ncheck = \"web\"\n",
            n / 250,
            1 + n % 250
        );
    }
    // What a region's results were in a row before: more of the same after it change nothing.
    let failures = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&failures);
    let mut night = Night::begin("crowd", &text, move |target, secs| {
        let name = target.destination.to_string();
        let octets: Vec<usize> = name.split('.').map(|octet| octet.parse().unwrap()).collect();
        let region = octets[2] * 250 + octets[3] - 1;
        let bad = faults[region].iter().any(|(from, to)| (*from..*to).contains(&secs));
        if bad {
            counted.fetch_add(1, Ordering::Relaxed);
            return Saw::Ill("HTTP 503, wanted 200-299");
        }
        well()
    });
    let mut downs = 0;
    let first = night.at(60).await;
    assert_eq!(first.reason, "available");
    let before = night.handle.current().generation;
    // What a compile makes of any health is the matter of the properties of routing; this looks now and then.
    for secs in (60..=3600).step_by(97) {
        let look = night.at(secs).await;
        assert_eq!(look.reason, "available");
        let sum: f64 = look.regions.iter().map(|region| region.share).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        let up = look.regions.iter().filter(|region| region.health != HealthWord::Down).count();
        for region in &look.regions {
            let down = region.health == HealthWord::Down;
            let share = if down { 0.0 } else { 1.0 / up as f64 };
            assert!((region.share - share).abs() < 1e-9, "at {secs} s: {region:?}");
            downs += usize::from(down);
        }
    }
    assert!(downs > 200, "there was something to be seen: {downs}");
    let published = night.handle.current().generation - before;
    // Each failure may change a state or a TTL, and each return two more; nothing else publishes.
    let failures = failures.load(Ordering::Relaxed);
    assert!(published <= failures * 2, "{published} publications for {failures} failures");
    assert!(published > 100, "{published}");
}
