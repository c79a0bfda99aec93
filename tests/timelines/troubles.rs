//! Everything else that happens at night: flaps, brown-outs, a cut-off prober, regions that speak for
//! themselves, too many failures at once, a health source that goes away.

use trimtab::control::Request;
use trimtab::control::command::{Action, Actor, Command};
use trimtab::control::views::HealthWord;
use trimtab::health::Report;
use trimtab::model::{Destination, Target};

use super::night::{Look, Night, Saw, number, share, table, well};

/// So many regions r0, r1 … of one address each, with the check `web` and more of each region; and more
/// before them.
fn regions(count: u8, of_each: &str, before: &str) -> String {
    let mut text = format!(
        "version = 1\n[zones.test]\nnameservers = {{ \"ns.example.net\" = [] }}\n{before}\n\
         [[records]]\nname = \"app.test\"\npolicy = \"weighted\"\nttl = 60\nttl_min = 10\n"
    );
    for n in 0..count {
        text += &format!(
            "[regions.r{n}]\naddresses = [\"192.0.2.{}\"]\ncheck = \"web\"\n{of_each}\n",
            10 + n
        );
    }
    text
}

const WEB: &str =
    "[checks.web]\ntype = \"http\"\ninterval = \"10s\"\ntimeout = \"2s\"\nfall = 3\nrise = 2\n";
const QUICK: &str =
    "[checks.web]\ntype = \"http\"\ninterval = \"2s\"\ntimeout = \"1s\"\nfall = 2\nrise = 2\n";

/// r0 fails in every other quarter of a minute.
fn flaps(target: &Target, secs: f64) -> Saw {
    let bad = (secs / 15.0) as u64 % 2 == 1;
    if number(target) == Some(0) && bad { Saw::Ill("HTTP 503, wanted 200-299") } else { well() }
}

fn changes(looks: &[Look], region: &str) -> usize {
    let up = |look: &Look| share(look, region) > 0.0;
    looks.windows(2).filter(|pair| up(&pair[0]) != up(&pair[1])).count()
}

#[tokio::test(start_paused = true)]
async fn a_flap_every_15_s_for_an_hour_moves_nobody_by_default() {
    let mut night = Night::begin("flap", &regions(2, "", WEB), flaps);
    let looks = night.until(0, 3600).await;
    assert_eq!(changes(&looks, "r0"), 0);
    assert!(looks.iter().all(|look| look.events.is_empty()), "there is nothing to tell");
    let least = looks.iter().map(|look| look.ttl).min();
    // A quarter of a minute has room for one probe or two.
    assert_eq!(least, Some(20), "but answers are short-lived while it is in doubt");
}

#[tokio::test(start_paused = true)]
async fn a_flap_every_15_s_for_an_hour_is_damped_where_probes_are_quick() {
    let undamped = regions(2, "", QUICK);
    let looks = Night::begin("flap-quick", &undamped, flaps).until(0, 3600).await;
    assert!(changes(&looks, "r0") > 200, "{}", changes(&looks, "r0"));

    let damped = regions(2, "", &format!("{QUICK}[damping]\nenabled = true\n"));
    let mut night = Night::begin("flap-damped", &damped, |target, secs| {
        if secs < 3600.0 { flaps(target, secs) } else { well() }
    });
    let looks = night.until(0, 6000).await;
    assert_eq!(changes(&looks, "r0"), 8, "seven, and the return");
    // Only the share counts here: what its checks see goes on to flap.
    let served: Vec<Look> = looks
        .iter()
        .filter(|look| !look.events.is_empty() && look.events.iter().any(|e| e.contains("held")))
        .cloned()
        .collect();
    insta::assert_snapshot!("damped", table(&served));
    let back = looks.iter().rev().take_while(|look| share(look, "r0") > 0.0).last().unwrap();
    assert!((4700..4800).contains(&back.secs), "{}", back.secs);
}

#[tokio::test(start_paused = true)]
async fn a_brown_out() {
    let of_each = "shed_from = 0.8\nshed_to = 1.0\nramp = \"30s\"";
    let before = WEB.replace("rise = 2", "rise = 2\ndegraded_factor = 0.5");
    let mut night = Night::begin("brown-out", &regions(2, of_each, &before), |target, secs| {
        let report = match (number(target), secs) {
            (Some(0), 30.0..60.0) => {
                Report { degraded: Some("status degraded".into()), ..Report::default() }
            }
            (Some(1), 90.0..150.0) => {
                Report { load: Some(0.75 + (secs - 90.0) / 200.0), ..Report::default() }
            }
            (Some(1), 150.0..160.0) => Report { load: Some(1.3), ..Report::default() },
            _ => Report::default(),
        };
        Saw::Well(report)
    });
    let looks = night.until(0, 200).await;
    insta::assert_snapshot!("brown_out", table(&looks));
    // Degraded to a half, it has a third: 0.5 / (0.5 + 1).
    assert!((share(&looks[45], "r0") - 1.0 / 3.0).abs() < 1e-9);
}

#[tokio::test(start_paused = true)]
async fn a_cut_off_prober_keeps_what_it_knew() {
    let before = format!(
        "{WEB}[checks.gateway]\ntype = \"tcp\"\nport = 53\ntarget = \"192.0.2.200\"\n\
         [safety]\nreferences = [\"gateway\"]\n"
    );
    // r2 is down anyway; at 100 s nothing answers any more, and at 400 s everything does but r1.
    let mut night = Night::begin("cut-off", &regions(3, "", &before), |target, secs| {
        match (number(target), secs) {
            (Some(2), _) => Saw::Ill("connect: connection refused"),
            (_, 100.0..400.0) => Saw::Nothing,
            (Some(1), 400.0..) => Saw::Nothing,
            _ => well(),
        }
    });
    let looks = night.until(0, 480).await;
    insta::assert_snapshot!("cut_off", table(&looks));
    for look in &looks[20..=400] {
        assert_eq!([share(look, "r0"), share(look, "r1"), share(look, "r2")], [0.5, 0.5, 0.0]);
    }
    assert_eq!(share(looks.last().unwrap(), "r1"), 0.0, "then it judges again");
}

#[tokio::test(start_paused = true)]
async fn even_where_one_failure_is_enough() {
    let before = format!(
        "{}[checks.gateway]\ntype = \"tcp\"\nport = 53\ntarget = \"192.0.2.200\"\n\
         [safety]\nreferences = [\"gateway\"]\n",
        WEB.replace("fall = 3", "fall = 1")
    );
    let of_each = "ramp = \"60s\"\nfailback = \"manual\"";
    let mut night = Night::begin("cut-off-1", &regions(3, of_each, &before), |_, secs| {
        if (100.0..200.0).contains(&secs) { Saw::Nothing } else { well() }
    });
    let looks = night.until(0, 300).await;
    // Until the last of them and the reference have failed it cannot know; then all are taken back.
    let wrong = looks.iter().filter(|look| look.regions.iter().any(|r| r.share == 0.0));
    let wrong: Vec<u64> = wrong.map(|look| look.secs).collect();
    assert!(wrong.iter().all(|secs| (102..=112).contains(secs)), "{wrong:?}");
    let after = &looks[115..];
    let even = |look: &Look| look.regions.iter().all(|r| (r.share - 1.0 / 3.0).abs() < 1e-9);
    assert!(after.iter().all(even), "and neither grow again nor wait for anybody");
}

#[tokio::test(start_paused = true)]
async fn when_the_references_answer_the_failures_are_real() {
    let before = format!(
        "{WEB}[checks.gateway]\ntype = \"tcp\"\nport = 53\ntarget = \"192.0.2.200\"\n\
         [safety]\nreferences = [\"gateway\"]\n"
    );
    let mut night = Night::begin("not-cut-off", &regions(2, "", &before), |target, secs| {
        if number(target).is_some_and(|n| n < 2) && secs > 50.0 { Saw::Nothing } else { well() }
    });
    let look = night.at(100).await;
    assert!(look.regions.iter().all(|region| region.health == HealthWord::Down));
    assert_eq!(look.reason, "open");
}

#[tokio::test(start_paused = true)]
async fn a_region_that_reports_0_percent() {
    let mut night = Night::begin("zero", &regions(2, "", WEB), |target, secs| {
        let weight = match (number(target), secs) {
            (Some(0), 30.0..90.0) => Some(0.0),
            (Some(0), 90.0..120.0) => Some(0.25),
            (Some(1), 60.0..80.0) => Some(0.0),
            _ => None,
        };
        Saw::Well(Report { weight, ..Report::default() })
    });
    let looks = night.until(0, 150).await;
    insta::assert_snapshot!("zero_percent", table(&looks));
    let both = looks.iter().find(|look| look.secs == 75).unwrap();
    assert_eq!(both.reason, "drained", "both ask for nothing, and are still better than none");
    assert_eq!([share(both, "r0"), share(both, "r1")], [0.5, 0.5]);
}

#[tokio::test(start_paused = true)]
async fn a_mass_failure_beyond_max_ejected() {
    let before = format!("{WEB}[safety]\nmax_ejected = \"50%\"\n");
    // r0 fails at 20 s, and at 60 s r1, r2 and r3 do; r0 is back at 120 s, all others at 180 s.
    let mut night = Night::begin("mass", &regions(4, "", &before), |target, secs| {
        let bad = match number(target) {
            Some(0) => (20.0..120.0).contains(&secs),
            _ => (60.0..180.0).contains(&secs),
        };
        if bad { Saw::Nothing } else { well() }
    });
    let looks = night.until(0, 230).await;
    insta::assert_snapshot!("mass_failure", table(&looks));
    for look in &looks[95..=120] {
        let out = look.regions.iter().filter(|region| region.share == 0.0).count();
        assert_eq!(out, 2, "{look:?}");
    }
    let last = looks.last().unwrap();
    assert!(last.regions.iter().all(|region| region.share == 0.25), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn a_source_of_health_that_goes_away_while_it_holds_a_region_down() {
    // r0 and r1 have the same source beside their own check; r2 has the source alone.
    let before = format!("{WEB}[checks.errors]\ntype = \"tcp\"\nport = 9\n");
    let configuration = regions(3, "", &before)
        .replacen("check = \"web\"", "check = [\"web\", \"errors\"]", 2)
        .replace("check = \"web\"", "check = \"errors\"");
    let mut night = Night::begin("source", &configuration, |target, secs| {
        let errors = &*target.check.name == "errors";
        match (number(target), secs) {
            (Some(0 | 2), 20.0..100.0) if errors => Saw::Ill("0.21 > 0.05"),
            (_, 100.0..200.0) if errors => Saw::Missing("Prometheus: connection refused"),
            (Some(0 | 2), 200.0..260.0) if errors => Saw::Ill("0.19 > 0.05"),
            _ => well(),
        }
    });
    let looks = night.until(0, 320).await;
    insta::assert_snapshot!("source_gone", table(&looks));
    let gone = &looks[190];
    assert!(share(gone, "r0") > 0.0, "its other check decides");
    assert_eq!(share(gone, "r2"), 0.0, "nothing else is known, so that the last state holds");
}

#[tokio::test(start_paused = true)]
async fn a_region_waits_for_an_operator() {
    let of_each = "failback = \"manual\"\nramp = \"20s\"";
    let mut night = Night::begin("manual", &regions(2, of_each, WEB), |target, secs| {
        let bad = number(target) == Some(0) && (20.0..60.0).contains(&secs);
        if bad { Saw::Ill("HTTP 500, wanted 200-299") } else { well() }
    });
    let mut looks = night.until(0, 150).await;
    assert_eq!(looks[150].regions[0].health, HealthWord::Held);
    let command = |region: &str| {
        Box::new(Command {
            action: Action::LetBack { region: region.into() },
            actor: Actor { name: "alice".into(), from: None },
            reason: Some("looked at it".into()),
            force: false,
            dry_run: false,
            key: None,
        })
    };
    let refused = night.helm.ask(|reply| Request::Command(command("r1"), reply)).await.unwrap();
    assert!(refused.unwrap_err().to_string().contains("r1 waits for nobody"));
    let done = night.helm.ask(|reply| Request::Command(command("r0"), reply)).await.unwrap();
    let changes = done.unwrap().changes;
    assert_eq!(changes.len(), 1, "{changes:?}");
    looks.extend(night.until(151, 190).await);
    insta::assert_snapshot!("manual_failback", table(&looks));
    assert_eq!(share(looks.last().unwrap(), "r0"), 0.5);
}

#[tokio::test(start_paused = true)]
async fn too_few_members_count_as_none() {
    let configuration = regions(4, "", WEB).replace("policy = \"weighted\"", "policy = \"main\"")
        + "[policies.main]\ntype = \"failover\"\norder = [\"near\", \"r3\"]\n\
           [policies.near]\ntype = \"weighted\"\nweights = { r0 = 1, r1 = 1, r2 = 1 }\nmin_up = 2\n";
    let mut night = Night::begin("min-up", &configuration, |target, secs| {
        let bad = match number(target) {
            Some(0) => secs > 20.0,
            Some(1) => secs > 100.0,
            Some(3) => secs > 200.0,
            _ => false,
        };
        if bad { Saw::Ill("HTTP 500, wanted 200-299") } else { well() }
    });
    let shares = |look: &Look| look.regions.iter().map(|r| r.share).collect::<Vec<_>>();
    assert_eq!(shares(&night.at(90).await), [0.0, 0.5, 0.5, 0.0], "two are enough");
    assert_eq!(shares(&night.at(190).await), [0.0, 0.0, 0.0, 1.0], "one is not");
    let last = night.at(290).await;
    assert_eq!(shares(&last), [0.0, 0.0, 1.0, 0.0], "but it is better than what is dead");
    assert_eq!(last.reason, "open_live");
}

#[tokio::test(start_paused = true)]
async fn a_monitor_only_tells() {
    let before = WEB.replace("fall = 3", "fall = 3\nrole = \"monitor\"");
    let mut night = Night::begin("monitor", &regions(2, "", &before), |target, secs| {
        let bad = number(target) == Some(0) && secs > 20.0;
        if bad { Saw::Ill("HTTP 500, wanted 200-299") } else { well() }
    });
    let looks = night.until(0, 90).await;
    assert!(looks.iter().all(|look| share(look, "r0") == 0.5 && look.ttl == 60));
    let told: Vec<&String> = looks.iter().flat_map(|look| &look.events).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let at = Destination::Address([192, 0, 2, 10].into());
    assert!(told[0].starts_with(&format!("{at} went from up to down")), "{told:?}");
}
