//! Plans: shifts that go on, wait and are given up; drills; maintenance windows.

use std::time::Duration;

use trimtab::clock;
use trimtab::control::Request;
use trimtab::control::command::{Action, Actor, Command, Done, PlanOrder, Refusal, Wanted};
use trimtab::control::views::{PlanView, PlansView};
use trimtab::model::{AbortWhen, Target};

use super::night::{Look, Night, Saw, number, share, table, well};

/// r0 and r1 share 60 to 40; r2 stands by, in no policy. A Prometheus can be asked.
fn three(more: &str) -> String {
    let mut text = format!(
        "version = 1\n[zones.test]\nnameservers = {{ \"ns.example.net\" = [] }}\n\
         [checks.web]\ntype = \"http\"\ninterval = \"10s\"\ntimeout = \"2s\"\nfall = 3\nrise = 2\n\
         [policies.main]\ntype = \"weighted\"\nweights = {{ r0 = 60, r1 = 40 }}\n\
         [policies.next]\ntype = \"weighted\"\nweights = {{ r2 = 1 }}\n\
         [[records]]\nname = \"app.test\"\npolicy = \"main\"\nttl = 60\nttl_min = 10\n\
         [[records]]\nname = \"next.test\"\npolicy = \"next\"\n\
         [plans]\nprometheus = \"http://127.0.0.1:9\"\n{more}\n"
    );
    for n in 0..3 {
        text += &format!("[regions.r{n}]\naddresses = [\"192.0.2.{}\"]\ncheck = \"web\"\n", 10 + n);
    }
    text
}

/// The query of a plan, and not a region's check.
fn is_query(target: &Target) -> bool {
    target.check.name.ends_with("(query)")
}

fn shift(stages: &[f64], abort_when: Option<&str>) -> PlanOrder {
    PlanOrder::Shift {
        from: "r0".into(),
        to: "r2".into(),
        record: Some(trimtab::wire::Name::from_text("app.test").unwrap()),
        stages: stages.to_vec(),
        every: Duration::from_secs(60),
        manual: false,
        abort_when: abort_when.and_then(AbortWhen::parse),
    }
}

async fn give(night: &Night, action: Action) -> Result<Done, Refusal> {
    let actor = Actor { name: "alice".into(), from: None };
    let command = Command { action, actor, reason: None, force: false, dry_run: false, key: None };
    night.helm.command(command).await
}

async fn order(night: &Night, order: PlanOrder) -> PlanView {
    give(night, Action::Plan(order)).await.unwrap().plan.unwrap()
}

async fn plans(night: &Night) -> PlansView {
    night.helm.ask(Request::Plans).await.unwrap()
}

/// The shares of r0 and r1 in percent; what r2 has is the rest.
fn percents(look: &Look) -> [u32; 2] {
    ["r0", "r1"].map(|region| (share(look, region) * 100.0).round() as u32)
}

#[tokio::test(start_paused = true)]
async fn a_shift_goes_through_its_stages_and_is_kept() {
    let mut night = Night::begin("shift", &three(""), |_, _| well());
    let mut looks = night.until(0, 9).await;
    let begun = order(&night, shift(&[0.25, 0.5, 1.0], None)).await;
    assert_eq!((begun.stage, begun.part, begun.state.as_str()), (Some(1), 0.25, "running"));
    looks.extend(night.until(10, 200).await);
    assert_eq!(
        [9, 10, 75, 135].map(|secs: usize| percents(&looks[secs])),
        [[60, 40], [45, 40], [30, 40], [0, 40]]
    );
    let view = plans(&night).await.under_way.remove(0);
    assert_eq!((view.state.as_str(), view.stage), ("last_stage", Some(3)));
    // Kept, it changes nothing; the override that keeps it ends as all do.
    let done = give(&night, Action::Plan(PlanOrder::Finish { id: 1, keep: true })).await.unwrap();
    assert_eq!((done.records_changed, done.overrides[0].to.as_deref()), (0, Some("r2")));
    looks.extend(night.until(201, 205).await);
    assert_eq!(percents(looks.last().unwrap()), [0, 40]);
    let end = Action::End { which: trimtab::control::command::Which::Id(1), over: None };
    give(&night, end).await.unwrap();
    looks.extend(night.until(206, 210).await);
    assert_eq!(percents(looks.last().unwrap()), [60, 40]);
    insta::assert_snapshot!("shift", table(&looks));
}

#[tokio::test(start_paused = true)]
async fn a_shift_is_given_up_by_its_metric() {
    let mut night = Night::begin("shift-metric", &three(""), |target, secs| {
        match (is_query(target), secs) {
            (true, 100.0..) => Saw::Ill("0.073 > 0.05 (sum(rate(errors[1m])))"),
            // From 20 to 80 s nobody can say; the second stage waits.
            (true, 20.0..80.0) => Saw::Missing("connect: connection refused"),
            _ => well(),
        }
    });
    let mut looks = night.until(0, 9).await;
    let begun = order(&night, shift(&[0.25, 0.5, 1.0], Some("sum(rate(errors[1m])) > 0.05"))).await;
    assert_eq!(begun.abort_when.as_deref(), Some("sum(rate(errors[1m])) > 0.05"));
    looks.extend(night.until(10, 75).await);
    let waits = plans(&night).await.under_way.remove(0).waits.unwrap();
    assert_eq!(waits, "the query cannot be asked: connect: connection refused");
    looks.extend(night.until(76, 130).await);
    assert_eq!(
        [75, 95, 115].map(|secs: usize| percents(&looks[secs])),
        [[45, 40], [30, 40], [60, 40]]
    );
    let over = plans(&night).await.over.remove(0);
    assert_eq!((over.state.as_str(), over.ended_by), ("aborted", None));
    insta::assert_snapshot!("shift_metric", table(&looks));
}

#[tokio::test(start_paused = true)]
async fn a_shift_is_given_up_when_where_it_goes_goes_down() {
    let mut night = Night::begin("shift-down", &three(""), |target, secs| {
        let bad = number(target) == Some(2) && (60.0..200.0).contains(&secs);
        if bad { Saw::Ill("HTTP 503, wanted 200-299") } else { well() }
    });
    let mut looks = night.until(0, 9).await;
    order(&night, shift(&[0.25, 0.5, 1.0], None)).await;
    looks.extend(night.until(10, 120).await);
    // In doubt when the second stage is due, it waits; then it is down.
    assert_eq!(percents(&looks[75]), [45, 40]);
    assert_eq!(percents(&looks[119]), [60, 40]);
    insta::assert_snapshot!("shift_down", table(&looks));
    // As long as it is down none begins.
    let again = give(&night, Action::Plan(shift(&[1.0], None))).await;
    assert!(matches!(again, Err(Refusal::NotNow(text)) if text.contains("r2 (IPv4) is down")));
}

#[tokio::test(start_paused = true)]
async fn an_override_beats_a_shift() {
    let mut night = Night::begin("shift-override", &three(""), |_, _| well());
    let mut looks = night.until(0, 9).await;
    order(&night, shift(&[0.5, 1.0], None)).await;
    looks.extend(night.until(10, 19).await);
    let drain = Action::Force {
        region: "r2".into(),
        record: None,
        what: Wanted::Drain(None),
        lasts: Some(Duration::from_secs(100)),
    };
    let mut forced = Command {
        action: drain,
        actor: Actor { name: "bob".into(), from: None },
        reason: None,
        force: true,
        dry_run: false,
        key: None,
    };
    forced.force = true;
    night.helm.command(forced).await.unwrap();
    looks.extend(night.until(20, 190).await);
    // r0 is back as long as the drain stands; then its stage begins again.
    assert_eq!(
        [15, 25, 115, 125, 185].map(|secs: usize| percents(&looks[secs])),
        [[30, 40], [60, 40], [60, 40], [30, 40], [0, 40]]
    );
    insta::assert_snapshot!("shift_override", table(&looks));
}

#[tokio::test(start_paused = true)]
async fn an_operator_leads_a_shift() {
    let mut night = Night::begin("shift-led", &three(""), |_, _| well());
    night.until(0, 9).await;
    order(&night, shift(&[0.1, 0.5, 1.0], None)).await;
    order(&night, PlanOrder::Pause(1)).await;
    let look = night.at(100).await;
    assert_eq!(percents(&look), [54, 40], "it is paused");
    let unfinished = give(&night, Action::Plan(PlanOrder::Finish { id: 1, keep: false })).await;
    assert!(matches!(unfinished, Err(Refusal::NotNow(text)) if text.contains("stage 1 of 3")));
    order(&night, PlanOrder::Advance(1)).await;
    assert_eq!(percents(&night.at(101).await), [30, 40]);
    // And it goes on by itself from there.
    assert_eq!(percents(&night.at(165).await), [0, 40]);
    order(&night, PlanOrder::Abort(1)).await;
    assert_eq!(percents(&night.at(166).await), [60, 40]);
    let gone = give(&night, Action::Plan(PlanOrder::Advance(1))).await;
    assert!(matches!(gone, Err(Refusal::UnknownPlan(text)) if text.contains("plan 1 is over")));
}

fn drill(share: f64) -> PlanOrder {
    PlanOrder::Drill {
        region: "r0".into(),
        record: None,
        share,
        lasts: Duration::from_secs(120),
        abort_when: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_drill_ends_by_itself() {
    let mut night = Night::begin("drill", &three(""), |_, _| well());
    let mut looks = night.until(0, 9).await;
    order(&night, drill(0.5)).await;
    let two = give(&night, Action::Plan(drill(0.5))).await;
    assert!(matches!(two, Err(Refusal::NotNow(text)) if text.contains("drill 1 is under way")));
    looks.extend(night.until(10, 210).await);
    assert_eq!(
        [9, 10, 125, 135].map(|secs: usize| percents(&looks[secs])),
        [[60, 40], [30, 70], [30, 70], [60, 40]]
    );
    insta::assert_snapshot!("drill", table(&looks));
    let over = plans(&night).await.over.remove(0);
    let report = over.report.unwrap();
    // Nobody asked, and that is what it says.
    assert_eq!((over.state.as_str(), report.verdict.as_str()), ("done", "not measured"));
    assert_eq!(report.old_answers_secs, 60);
    let of = |region: &str| report.regions.iter().find(|r| r.region == region).unwrap().predicted;
    // Two records of the same weight: half of the answers are of next.test.
    let wanted = [("r0", 0.15), ("r1", 0.35), ("r2", 0.5)];
    for (region, part) in wanted {
        assert!((of(region).unwrap() - part).abs() < 1e-9, "{region}: {:?}", of(region));
    }
}

/// All-down rules that were engaged before a drill are none of its doing; those that it engages are.
#[tokio::test(start_paused = true)]
async fn a_drill_tells_what_it_has_engaged_itself() {
    let mut night = Night::begin("drill-all-down", &three(""), |target, secs| {
        let bad = number(target) == Some(2) && secs < 50.0;
        if bad { Saw::Ill("HTTP 503, wanted 200-299") } else { well() }
    });
    let looks = night.until(0, 99).await;
    let engaged = looks.iter().flat_map(|look| &look.events).any(|e| e.contains("all down for"));
    assert!(engaged, "next.test was all down");
    order(&night, drill(0.5)).await;
    night.at(110).await;
    let report = |plans: PlansView| plans.under_way[0].report.clone().unwrap();
    assert!(!report(plans(&night).await).all_down);
    order(&night, PlanOrder::Abort(1)).await;
    night.at(200).await;
    // r2 is all that next.test has: drained, it is used all the same, by the all-down rules.
    let all = PlanOrder::Drill {
        region: "r2".into(),
        record: None,
        share: 1.0,
        lasts: Duration::from_secs(120),
        abort_when: None,
    };
    let command = Command {
        action: Action::Plan(all),
        actor: Actor { name: "alice".into(), from: None },
        reason: None,
        force: true,
        dry_run: false,
        key: None,
    };
    night.helm.command(command).await.unwrap();
    night.at(205).await;
    assert!(report(plans(&night).await).all_down);
}

#[tokio::test(start_paused = true)]
async fn a_drill_is_given_up_when_what_remains_comes_into_doubt() {
    let mut night =
        Night::begin("drill-doubt", &three(""), |target, secs| match (number(target), secs) {
            (Some(1), 50.0..70.0) => Saw::Ill("HTTP 503, wanted 200-299"),
            _ => well(),
        });
    let mut looks = night.until(0, 9).await;
    order(&night, drill(1.0)).await;
    looks.extend(night.until(10, 140).await);
    assert_eq!([40, 65].map(|secs: usize| percents(&looks[secs])), [[0, 100], [60, 40]]);
    insta::assert_snapshot!("drill_doubt", table(&looks));
    let over = plans(&night).await.over.remove(0);
    assert_eq!(over.state, "aborted");
    assert_eq!(over.report.unwrap().text, "r1 (IPv4) is in doubt");
}

#[tokio::test(start_paused = true)]
async fn a_window_prepares_itself() {
    let at =
        |secs: u64| humantime::format_rfc3339_seconds(clock::wall() + Duration::from_secs(secs));
    let window = format!(
        "[windows.kernel]\nregions = [\"r0\"]\nfrom = {}\nto = {}\ndrain_over = \"95s\"\n\
         return_over = \"38s\"\nreason = \"a new kernel\"",
        at(300),
        at(600)
    );
    let mut night = Night::begin("window", &three(&window), |_, _| well());
    let looks = night.until(0, 700).await;
    insta::assert_snapshot!("window", table(&looks));
    let ttl = |secs: usize| looks[secs].ttl;
    // The drain begins at 195 s: 95 s and a ttl_min before; answers are short-lived a TTL before that.
    assert_eq!([130, 140, 190, 250, 295, 400].map(ttl), [60, 10, 10, 10, 60, 60]);
    assert_eq!(percents(&looks[190]), [60, 40]);
    assert_eq!(percents(&looks[295]), [0, 100]);
    assert_eq!(percents(&looks[598]), [0, 100]);
    assert_eq!((percents(&looks[645]), ttl(645)), ([60, 40], 60));
    assert!(plans(&night).await.under_way.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_window_is_announced_and_called_off() {
    let mut night = Night::begin("window-called-off", &three(""), |_, _| well());
    night.until(0, 9).await;
    let now = clock::wall().duration_since(std::time::UNIX_EPOCH).unwrap();
    let from_ms = u64::try_from(now.as_millis()).unwrap() + 60_000;
    let window = PlanOrder::Window {
        regions: vec!["r0".into()],
        from_ms,
        to_ms: from_ms + 600_000,
        drain_over: Duration::ZERO,
        return_over: Duration::ZERO,
    };
    let view = order(&night, window).await;
    assert_eq!((view.title.as_str(), view.part), ("window 1", 0.0));
    let look = night.at(20).await;
    assert_eq!((percents(&look), look.ttl), ([60, 40], 10), "it is too late for a whole TTL");
    let look = night.at(65).await;
    assert_eq!((percents(&look), look.ttl), ([0, 100], 60));
    order(&night, PlanOrder::Abort(1)).await;
    assert_eq!(percents(&night.at(66).await), [60, 40]);
}
