//! Operators at the helm of a running writer, on paused time.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::command::{Action, Actor, Command, Done, OverrideKind, Refusal, Wanted, Which};
use super::store::Store;
use super::tests::{Running, assembly_of, check, nothing, start_with};
use super::views::{EventKind, HealthWord, Risk};
use super::{EventFilter, RecordFilter, Request};
use crate::clock;
use crate::metrics::Metrics;
use crate::model::OnAllDown;
use crate::routing::{Assembly, Reason};
use crate::wire::Name;

fn regions(numbers: &[u8]) -> Arc<Assembly> {
    let regions: Vec<(u8, u8)> = numbers.iter().map(|n| (*n, 1)).collect();
    assembly_of(&regions, &check("web"), OnAllDown::Open, None)
}

fn start(numbers: &[u8]) -> Running {
    start_with(regions(numbers), &nothing, None)
}

fn command(action: Action) -> Command {
    let actor = Actor { name: "alice".into(), from: None };
    Command { action, actor, reason: None, force: false, dry_run: false, key: None }
}

fn force(region: &str, what: Wanted) -> Command {
    command(Action::Force { region: region.into(), record: None, what, lasts: None })
}

fn drain(region: &str) -> Command {
    force(region, Wanted::Drain(None))
}

fn undrain(region: &str, over: Option<Duration>) -> Command {
    let kinds = vec![OverrideKind::Drain];
    let which = Which::Of { region: region.into(), record: None, kinds };
    command(Action::End { which, over })
}

impl Running {
    async fn give(&self, command: Command) -> Result<Done, Refusal> {
        self.helm.command(command).await
    }

    async fn events(&self) -> Vec<super::views::EventView> {
        let filter = EventFilter { after: Some(0), limit: 100, ..EventFilter::default() };
        self.helm.ask(|reply| Request::Events(filter, reply)).await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_and_its_end() {
    let server = start(&[0, 1]);
    let before = server.generation();
    let done = server.give(drain("r1")).await.unwrap();
    // Told only when it is published.
    assert_eq!((done.generation, server.generation()), (before + 1, before + 1));
    assert_eq!(server.served().0, [100, 0]);
    let change = &done.changes[0];
    assert_eq!((change.record.as_str(), done.records_changed), ("app.test", 1));
    assert_eq!((change.regions[1].before.most, change.regions[1].after.most), (0.5, 0.0));
    assert!(server.metrics.text().contains("trimtab_overrides{kind=\"drain\"} 1"));

    let done = server.give(undrain("r1", None)).await.unwrap();
    assert_eq!((server.served().0, done.overrides[0].id), (vec![50, 50], 1));
    let refused = server.give(undrain("r1", None)).await;
    assert!(
        matches!(refused, Err(Refusal::NothingToEnd(text)) if text == "there is no drain on r1")
    );
    let kinds: Vec<EventKind> = server.events().await.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Started, EventKind::Command, EventKind::Command]);
}

#[tokio::test(start_paused = true)]
async fn a_gradual_drain_goes_step_by_step_and_returns_so() {
    let server = start(&[0, 1]);
    let over = Duration::from_secs(190);
    server.give(force("r1", Wanted::Drain(Some(over)))).await.unwrap();
    // A twentieth at once.
    let mut seen = vec![server.served().0[1]];
    let mut publications = server.generation();
    for _ in 0..19 {
        sleep(Duration::from_millis(10_200)).await;
        seen.push(server.served().0[1]);
    }
    assert_eq!(seen[..3], [48, 45, 43]);
    assert!(seen.windows(2).all(|two| two[0] >= two[1]), "{seen:?}");
    assert_eq!(*seen.last().unwrap(), 0);
    assert_eq!(server.generation() - publications, 19, "a publication a step");
    publications = server.generation();
    sleep(Duration::from_secs(600)).await;
    assert_eq!(server.generation(), publications);

    server.give(undrain("r1", Some(over))).await.unwrap();
    assert_eq!(server.served().0[1], 3, "half of a twentieth");
    sleep(over / 2).await;
    assert_eq!(server.served().0[1], 25);
    sleep(over / 2 + Duration::from_secs(2)).await;
    assert_eq!(server.served().0[1], 50);
    let overrides = server.helm.ask(Request::Overrides).await.unwrap();
    assert!(overrides.is_empty(), "it is gone when it has returned: {overrides:?}");
    let last = server.events().await.pop().unwrap();
    assert_eq!((last.kind, last.override_id), (EventKind::OverrideEnded, Some(1)));
    assert_eq!(last.text, "drain (number 1) on r1 has returned");
}

#[tokio::test(start_paused = true)]
async fn an_override_ends_by_itself() {
    let server = start(&[0, 1]);
    let lasts = Some(Duration::from_secs(60));
    let action = Action::Force { region: "r0".into(), record: None, what: Wanted::Down, lasts };
    server.give(command(action)).await.unwrap();
    sleep(Duration::from_secs(58)).await;
    assert_eq!(server.served().0, [0, 100]);
    sleep(Duration::from_millis(3500)).await;
    assert_eq!(server.served().0, [50, 50]);
    // A gradual one comes back as gradually.
    let (what, lasts) =
        (Wanted::Drain(Some(Duration::from_secs(19))), Some(Duration::from_secs(60)));
    let action = Action::Force { region: "r0".into(), record: None, what, lasts };
    server.give(command(action)).await.unwrap();
    sleep(Duration::from_secs(70)).await;
    let returning = server.served().0[0];
    assert!((20..35).contains(&returning), "{returning}");
    sleep(Duration::from_secs(12)).await;
    assert_eq!(server.served().0, [50, 50]);
}

#[tokio::test(start_paused = true)]
async fn what_would_leave_nothing_is_refused_with_the_numbers() {
    let server = start(&[0, 1]);
    server.turn(0, true, 1).await;
    server.turn(1, false, 3).await;
    let refused = server.give(drain("r0")).await;
    let Err(Refusal::NothingLeft { text, records, count }) = refused else {
        panic!("it is not refused: {refused:?}");
    };
    assert_eq!((count, records[0].now, records[0].then, records[0].pools), (1, 1, 0, 2));
    assert!(text.contains("app.test (ipv4: 1 of 2 pools left now, 0 then)"), "{text}");
    assert_eq!(server.served().0, [100, 0]);
    // Forced: what is drained but up is better than what is down.
    server.give(Command { force: true, ..drain("r0") }).await.unwrap();
    assert_eq!((server.served().0, server.reason()), (vec![100, 0], Reason::Drained));
    assert_eq!(server.served().1, 10, "the least TTL");
    // The other comes back: now the drain is obeyed.
    server.turn(1, true, 2).await;
    assert_eq!((server.served().0, server.reason()), (vec![0, 100], Reason::Available));
    // What makes nothing worse is not refused, however bad things are.
    server.turn(1, false, 3).await;
    assert_eq!(server.reason(), Reason::Drained);
    server.give(undrain("r0", None)).await.unwrap();
    assert_eq!(server.reason(), Reason::Available);
}

#[tokio::test(start_paused = true)]
async fn force_down_is_never_served_and_force_up_is() {
    let server = start(&[0, 1]);
    server.turn(0, true, 1).await;
    server.turn(1, false, 3).await;
    server.give(force("r1", Wanted::Up)).await.unwrap();
    assert_eq!(server.served().0, [50, 50]);
    server.give(Command { force: true, ..force("r1", Wanted::Down) }).await.unwrap();
    assert_eq!(server.served().0, [100, 0], "the most restrictive counts");
    let refused = server.give(force("r0", Wanted::Down)).await;
    assert!(matches!(refused, Err(Refusal::NothingLeft { .. })));
    server.give(Command { force: true, ..force("r0", Wanted::Down) }).await.unwrap();
    assert_eq!((server.served().0, server.reason()), (vec![0, 0], Reason::Nothing));
}

#[tokio::test(start_paused = true)]
async fn weights_of_the_newest_and_of_a_record_count() {
    let server = start(&[0, 1]);
    server.give(force("r0", Wanted::Weight(300))).await.unwrap();
    assert_eq!(server.served().0, [75, 25]);
    server.give(force("r0", Wanted::Weight(0))).await.unwrap();
    assert_eq!(server.served().0, [0, 100], "a standby now");
    let record = Some(Name::from_text("app.test").unwrap());
    let what = Wanted::Weight(100);
    let action = Action::Force { region: "r0".into(), record, what, lasts: None };
    server.give(command(action)).await.unwrap();
    assert_eq!(server.served().0, [50, 50]);
    let status = server.helm.ask(Request::Status).await.unwrap();
    assert_eq!(status.regions[0].weight_override, Some(0));
    assert_eq!(status.all_records[0].families[0].shares[0].weight_override, Some(100));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_changes_nothing_and_tells_all() {
    let server = start(&[0, 1]);
    let before = server.generation();
    let done = server.give(Command { dry_run: true, ..drain("r0") }).await.unwrap();
    assert!(done.dry_run && done.records_changed == 1);
    assert_eq!((server.generation(), server.served().0), (before, vec![50, 50]));
    assert_eq!(server.events().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn unknown_names_are_told_with_the_nearest() {
    let server = start(&[0, 1]);
    let refused = server.give(drain("r2")).await.unwrap_err().to_string();
    assert!(refused.starts_with("there is no region \"r2\"; did you mean r"), "{refused}");
    let record = Some(Name::from_text("ap.test").unwrap());
    let action =
        Action::Force { region: "r0".into(), record, what: Wanted::Drain(None), lasts: None };
    let refused = server.give(command(action)).await.unwrap_err().to_string();
    assert_eq!(refused, "there is no record ap.test; did you mean app.test?");
}

#[tokio::test(start_paused = true)]
async fn the_same_key_is_the_same_command() {
    let server = start(&[0, 1, 2]);
    let keyed = |command: Command| Command { key: Some("k".into()), ..command };
    let first = server.give(keyed(drain("r0"))).await.unwrap();
    let again = server.give(keyed(drain("r0"))).await.unwrap();
    assert_eq!(again, Done { repeated: true, ..first });
    assert_eq!(server.give(keyed(drain("r1"))).await, Err(Refusal::KeyReused));
    assert_eq!(server.helm.ask(Request::Overrides).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Store::open(dir.path(), Metrics::new()).unwrap();
    let server = start_with(regions(&[0, 1]), &nothing, Some(open().0));
    let keyed = Command { key: Some("k".into()), reason: Some("fire".into()), ..drain("r0") };
    let first = server.give(keyed.clone()).await.unwrap();
    assert_eq!(server.served().0, [0, 100]);
    server.turn(1, true, 1).await;
    server.stop().await;

    let (store, restored) = open();
    let past = restored.at(clock::now());
    let server = start_with(regions(&[0, 1]), &past, Some(store));
    assert_eq!(server.served().0, [0, 100], "in the first snapshot");
    let overrides = server.helm.ask(Request::Overrides).await.unwrap();
    assert_eq!(
        (overrides[0].actor.as_str(), overrides[0].reason.as_deref()),
        ("alice", Some("fire"))
    );
    assert!(server.give(keyed).await.unwrap().repeated, "its client never heard of it");
    let events = server.events().await;
    let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Started, EventKind::Command, EventKind::Started]);
    assert!(events.windows(2).all(|two| two[0].id < two[1].id));
    assert_eq!(events[1].generation, first.generation);
    // Numbers are not given twice.
    let done = server.give(drain("r1")).await.unwrap_err();
    assert!(matches!(done, Refusal::NothingLeft { .. }));
    server.give(undrain("r0", None)).await.unwrap();
    let done = server.give(drain("r1")).await.unwrap();
    assert_eq!(done.overrides[0].id, 2);
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_ends_while_nobody_runs_has_ended() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Store::open(dir.path(), Metrics::new()).unwrap();
    let server = start_with(regions(&[0, 1]), &nothing, Some(open().0));
    // While the disk is waited for, paused time goes on by itself: so it has to be long.
    const YEAR: Duration = Duration::from_secs(366 * 86_400);
    let lasts = Some(YEAR);
    let action = Action::Force { region: "r0".into(), record: None, what: Wanted::Down, lasts };
    server.give(command(action)).await.unwrap();
    server.stop().await;
    let (store, restored) = open();
    let later = restored.moment(clock::now()).after(2 * YEAR);
    let past = restored.at_moment(clock::now(), later);
    let server = start_with(regions(&[0, 1]), &past, Some(store));
    assert_eq!(server.served().0, [50, 50], "in the first snapshot");
    let last = server.events().await.pop().unwrap();
    assert_eq!((last.kind, last.override_id), (EventKind::OverrideEnded, Some(1)));
    server.stop().await;
    assert!(open().1.overrides.list.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_transition_is_kept_with_what_was_served_before_and_after() {
    let server = start(&[0, 1]);
    server.turn(0, true, 1).await;
    server.turn(1, true, 6).await;
    server.turn(1, false, 3).await;
    let events = server.events().await;
    let [started, fall] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(started.kind, EventKind::Started);
    assert_eq!((fall.kind, fall.region.as_deref()), (EventKind::Transition, Some("r1")));
    assert_eq!(fall.reason.as_deref(), Some("web: HTTP 503 (3 failures in a row)"));
    // Five more successes, and three failures.
    let lasted = fall.lasted_secs.unwrap();
    assert!((80.0..82.0).contains(&lasted), "{lasted}");
    let regions = &fall.changes[0].regions;
    assert_eq!((regions[0].before.least, regions[0].after.least), (0.5, 1.0));
    let status = server.helm.ask(Request::Status).await.unwrap();
    assert_eq!(status.regions[1].health, HealthWord::Down);
    let why = status.regions[1].reason.as_deref();
    assert_eq!(why, Some("192.0.1.1: web: HTTP 503 (3 failures in a row)"));
    assert_eq!((status.records_at_risk, status.at_risk[0].risk), (1, Some(Risk::LastPool)));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_changes_no_state() {
    const DAY: i64 = 86_400;
    for days in [1, -1] {
        let server = start(&[0, 1]);
        server.turn(0, true, 1).await;
        let lasts = Some(Duration::from_secs(600));
        let what = Wanted::Drain(None);
        let action = Action::Force { region: "r0".into(), record: None, what, lasts };
        server.give(command(action)).await.unwrap();
        sleep(Duration::from_secs(100)).await;
        let before = (server.generation(), server.served(), server.has_settled());
        server.set_clock(days * DAY);
        sleep(Duration::from_secs(100)).await;
        assert_eq!((server.generation(), server.served(), server.has_settled()), before);
        let told = server.helm.ask(Request::Overrides).await.unwrap();
        let left = told[0].ends_in_secs.unwrap();
        assert!((399.0..401.0).contains(&left), "{left}");
        let last = server.events().await.pop().unwrap();
        assert_eq!(last.kind, EventKind::ClockSet);
        let way = if days > 0 { "ahead" } else { "back" };
        assert!(last.text.contains(&format!("set {way} by 1day")), "{}", last.text);
        // And it ends when it would have.
        sleep(Duration::from_secs(402)).await;
        assert_eq!(server.served().0, [50, 50]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reload_keeps_overrides_by_name() {
    let server = start(&[0, 1, 2]);
    server.give(drain("r1")).await.unwrap();
    server.reload(regions(&[2, 1, 3])).await;
    assert_eq!(server.served().0, [50, 0, 50]);
    // What it stands on has gone: it stays, without effect, and is told as that.
    server.reload(regions(&[2, 3])).await;
    assert_eq!(server.served().0, [50, 50]);
    let overrides = server.helm.ask(Request::Overrides).await.unwrap();
    assert!(overrides[0].dangling);
    server.reload(regions(&[1, 2])).await;
    assert_eq!(server.served().0, [0, 100]);
    let filter = RecordFilter { region: Some("r1".into()), limit: 9, ..RecordFilter::default() };
    let page = server.helm.ask(|reply| Request::Records(filter, reply)).await.unwrap();
    assert_eq!((page.total, page.items[0].policy.as_str()), (1, "weighted"));
    let last = server.events().await.pop().unwrap();
    assert_eq!((last.kind, last.records_changed), (EventKind::Reload, 1));
}
