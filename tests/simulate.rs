//! Simulations of generated configurations: loads sum to the demand, shares follow the weights, and a
//! verdict has its reasons.

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;
use trimtab::app::{self, explain::assume, foresee};
use trimtab::model::Risk;
use trimtab::routing::Assembly;
use trimtab::simulate::{Board, Mix, Verdict, loads, read, shares};

/// A configuration of regions with these weights and capacities.
fn assembly(regions: &[(u16, Option<u32>)], more: &str) -> Arc<Assembly> {
    let mut text = String::from(
        "version = 1\n[zones.\"x.test\"]\nnameservers = { \"ns.x.test\" = [\"192.0.2.1\"] }\n[checks.web]\ntype = \"tcp\"\nport = 80\n",
    );
    for (at, (weight, capacity)) in regions.iter().enumerate() {
        let _ = writeln!(
            text,
            "[regions.r{at}]\naddresses = [\"198.51.100.{at}\", \"2001:db8::{at}\"]"
        );
        let _ = writeln!(text, "weight = {weight}\ncheck = \"web\"");
        if let Some(capacity) = capacity {
            let _ = writeln!(text, "capacity = {capacity}");
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trimtab.toml");
    std::fs::write(&path, text + more).unwrap();
    let loaded = app::load(&path, &Default::default(), &mut |_, _| 0);
    loaded.unwrap_or_else(|problems| panic!("{problems}")).assembly
}

fn board(assembly: &Arc<Assembly>, mix: &Mix, down: &[&str]) -> Board {
    let down: Vec<String> = down.iter().map(ToString::to_string).collect();
    foresee::offline(assembly, mix, &down).unwrap()
}

const RECORDS: &str = "[[records]]\nname = \"w.x.test\"\npolicy = \"weighted\"\n\
    [[records]]\nname = \"m.x.test\"\npolicy = \"multivalue\"\n\
    [[records]]\nname = \"f.x.test\"\npolicy = \"first\"\n\
    [[records]]\nname = \"g.x.test\"\npolicy = \"there\"\n\
    [policies.first]\ntype = \"failover\"\norder = [\"r0\", \"r1\"]\n\
    [policies.there]\ntype = \"geolocation\"\ndefault = \"first\"\n\
    rules = [{ prefix = \"203.0.113.0/24\", to = \"r1\" }]\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn loads_sum_to_the_demand_and_a_verdict_has_its_reasons(
        regions in prop::collection::vec((1_u16..200, prop::option::weighted(0.8, 1_u32..10_000)), 2..6),
        demand in prop::option::of(1_u32..50_000),
        accept in any::<bool>(),
    ) {
        let mut more = String::from("[simulate]\n");
        if let Some(demand) = demand {
            let _ = writeln!(more, "demand = {demand}");
        }
        if accept {
            more += "accept = [\"no-headroom\", \"unknown-capacity\"]\n";
        }
        let assembly = assembly(&regions, &(more + RECORDS));
        let board = board(&assembly, &Mix::alike(), &[]);
        prop_assert_eq!(board.scenarios.len(), regions.len());
        let all = std::iter::once((&board.regions, board.unanswered));
        let of_deaths = board.scenarios.iter().map(|one| (&one.regions, one.unanswered));
        for (loads, unanswered) in all.chain(of_deaths) {
            let sum: f64 = loads.iter().map(|region| region.share).sum();
            prop_assert!((sum + unanswered - 1.0).abs() < 1e-9, "{}", sum);
            if let Some(demand) = board.demand {
                let borne: f64 = loads.iter().filter_map(|region| region.load).sum();
                prop_assert!((borne + unanswered * demand.load - demand.load).abs() < 1e-6 * demand.load);
            }
            let dead = loads.iter().filter(|region| region.down);
            prop_assert!(dead.into_iter().all(|region| region.share == 0.0));
        }
        let none_known = regions.iter().all(|(_, capacity)| capacity.is_none());
        prop_assert_eq!(board.demand.is_none(), none_known && demand.is_none());
        // What is not configured is what they bear when all is healthy, and no more.
        if demand.is_none() && let Some(found) = board.demand {
            let full = board.regions.iter().filter_map(|region| Some(region.load? / region.capacity?));
            let most = full.fold(0.0, f64::max);
            prop_assert!((most - 1.0).abs() < 1e-9, "{} of {}", most, found.load);
        }
        let deaths = board.scenarios.iter().flat_map(|one| &one.reasons);
        let reasons: Vec<_> = board.reasons.iter().chain(deaths).collect();
        let worst = reasons.iter().filter(|one| !one.accepted).map(|one| one.verdict).max();
        prop_assert_eq!(board.verdict, worst.unwrap_or(Verdict::Ready));
        for one in &board.scenarios {
            let over = one.regions.iter().filter(|region| {
                !region.down && region.load.zip(region.capacity).is_some_and(|(load, capacity)| load > capacity * 1.000_001)
            });
            let told = one.reasons.iter().filter(|reason| reason.code == Risk::NoHeadroom.label());
            prop_assert_eq!(over.count(), told.count());
        }
    }

    #[test]
    fn a_given_mix_weighs_records_and_classes(weights in prop::collection::vec(1_u16..100, 2..5), part in 0.0..1.0_f64) {
        let regions: Vec<_> = weights.iter().map(|weight| (*weight, None)).collect();
        let assembly = assembly(&regions, RECORDS);
        let text = format!("record,client,share\nw.x.test,*,{part}\ng.x.test,203.0.113.7,{}\n", 1.0 - part);
        let mix = Mix::given(&assembly, &read(&text).unwrap(), "mix.csv").unwrap();
        let found = shares(&assume(&assembly, &[]).unwrap(), &mix);
        let total: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
        for (at, (share, weight)) in found.regions.iter().zip(&weights).enumerate() {
            let of_there = if at == 1 { 1.0 - part } else { 0.0 };
            let wanted = part * f64::from(*weight) / total + of_there;
            prop_assert!((share - wanted).abs() < 1e-9, "r{}: {} for {}", at, share, wanted);
        }
        prop_assert!((loads(500.0, &found).iter().sum::<f64>() - 500.0).abs() < 1e-6);
    }
}

#[test]
fn a_region_alone_and_one_without_a_check_are_not_ready() {
    let regions = [(1, Some(100)), (1, Some(100))];
    let alone = "[regions.bare]\naddresses = [\"203.0.113.9\"]\ncapacity = 9\n\
        [[records]]\nname = \"one.x.test\"\npolicy = \"r0\"\n\
        [[records]]\nname = \"two.x.test\"\npolicy = \"pair\"\n\
        [policies.pair]\ntype = \"failover\"\norder = [\"r1\", \"bare\"]\n[simulate]\ndemand = 9\ncut_over_max = \"1m\"\n";
    let assembly = assembly(&regions, alone);
    let board = board(&assembly, &Mix::alike(), &[]);
    let told = |at: usize| -> Vec<String> {
        let reasons = board.scenarios[at].reasons.iter();
        reasons.map(|reason| format!("{}: {}", reason.code, reason.text)).collect()
    };
    assert_eq!(
        told(0),
        [
            "single-region: nothing but r0 answers one.x.test",
            "long-ttl: clients of one.x.test may stay for 1m 12s, longer than 1m",
        ]
    );
    assert_eq!(told(1), ["long-ttl: clients of two.x.test may stay for 1m 12s, longer than 1m"]);
    assert_eq!(
        told(2),
        ["no-check: bare has no check in two.x.test: its death would not be noticed"]
    );
    assert_eq!(board.verdict, Verdict::NotReady);
    assert_eq!(board.scenarios[0].nothing_left, ["one.x.test"]);
    // Both of a pair: what is left is what has no check, and it dies with them.
    let both = self::board(&assembly, &Mix::alike(), &["r1", "bare"]);
    let first = &both.scenarios[0].reasons[0];
    assert_eq!(first.text, "nothing but r1 and bare answers two.x.test");
    assert_eq!((both.scenarios.len(), both.scenarios[0].verdict), (1, Verdict::NotReady));
    assert!(foresee::offline(&assembly, &Mix::alike(), &["r9".into()]).is_err());
}
