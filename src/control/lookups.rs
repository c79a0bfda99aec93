//! Aliases on paused time: what looks come to, and what becomes of health, answers and memory by it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::command::{Action, Actor, Command, Wanted};
use super::helm::EventFilter;
use super::store::Store;
use super::tests::{Running, assembly_of, check, nothing, start_with};
use super::views::{EventKind, EventView, Turn};
use super::{Past, Request};
use crate::clock;
use crate::metrics::Metrics;
use crate::model::{Endpoint, Family, Looked, OnAllDown, RecordId, Slot};
use crate::routing::{Assembly, Options, Reason};
use crate::wire::Name;
use crate::zone::Names;

const WEST: [u8; 4] = [192, 0, 1, 1];

fn lb() -> Name {
    Name::from_text("lb.example.net").unwrap()
}

/// The region r0 behind the alias lb.example.net, and r1 with the address WEST.
fn assembly(on_all_down: OnAllDown) -> Arc<Assembly> {
    aliased(&assembly_of(&[(0, 0), (1, 1)], &check("web"), on_all_down, None))
}

/// The same without r1.
fn alone() -> Arc<Assembly> {
    aliased(&assembly_of(&[(0, 0)], &check("web"), OnAllDown::Open, None))
}

fn aliased(given: &Assembly) -> Arc<Assembly> {
    let mut parts = (**given).clone();
    parts.pools[0].endpoint = Endpoint::Alias(lb());
    let names = Names::build(Vec::new(), &[], &mut crate::problem::Problems::default());
    let options = Options::default();
    Arc::new(Assembly::new(parts, Arc::new(names), Arc::default(), options, |_, _| 0))
}

fn found(v4: &[u8], ttl_secs: u32) -> Looked {
    let v4 = v4.iter().map(|last| [192, 0, 2, *last].into()).collect();
    Looked { name: lb(), v4: Some(v4), v6: Some(Vec::new()), ttl_secs, trouble: None }
}

fn failed(why: &str) -> Looked {
    Looked { name: lb(), v4: None, v6: None, ttl_secs: 0, trouble: Some(why.into()) }
}

/// A look, and time for what follows.
async fn look(server: &Running, looked: Looked) {
    server.looks.send(looked).await.unwrap();
    sleep(Duration::from_millis(101)).await;
}

/// The addresses that r0 serves.
fn behind(server: &Running) -> Vec<IpAddr> {
    let snapshot = server.handle.current();
    let (_, side) = snapshot.side(RecordId(0), Family::V4).unwrap();
    let [(_, octets), _] = side.tails[Slot(0).index()].ring(0, u16::MAX);
    let one = |data: &[u8]| IpAddr::from([data[2], data[3], data[4], data[5]]);
    octets.chunks(6).map(one).collect()
}

fn addresses(last: &[u8]) -> Vec<IpAddr> {
    last.iter().map(|last| [192, 0, 2, *last].into()).collect()
}

fn reason(server: &Running, family: Family) -> Reason {
    let snapshot = server.handle.current();
    let (_, side) = snapshot.side(RecordId(0), family).unwrap();
    side.class(0).unwrap().distribution.reason
}

async fn events(server: &Running) -> Vec<EventView> {
    let filter = EventFilter { after: Some(0), limit: 100, ..EventFilter::default() };
    let all = server.helm.ask(|reply| Request::Events(filter, reply)).await.unwrap();
    all.into_iter().filter(|event| event.kind == EventKind::Lookup).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_not_looked_up_yet_counts_as_down() {
    let server = start_with(assembly(OnAllDown::Open), &nothing, None);
    assert_eq!(&**server.aliases.borrow(), [lb()]);
    assert_eq!((server.served().0, server.has_settled()), (vec![0, 100], false));
    server.seen(WEST, true).await;
    assert!(!server.has_settled(), "the alias was not looked up");
    for _ in 0..3 {
        server.seen(WEST, false).await;
    }
    // All down, and the alias has nothing that could be served.
    assert_eq!(server.served(), (vec![0, 100], 10, true));
    look(&server, found(&[1, 2], 60)).await;
    assert_eq!((server.served().0, behind(&server)), (vec![100, 0], addresses(&[1, 2])));
    server.seen([192, 0, 2, 1], true).await;
    server.seen([192, 0, 2, 2], true).await;
    assert!(server.has_settled());
}

#[tokio::test(start_paused = true)]
async fn nothing_known_and_nothing_else_is_no_answer() {
    let server = start_with(alone(), &nothing, None);
    for family in Family::BOTH {
        assert_eq!(reason(&server, family), Reason::Unresolved);
    }
    look(&server, failed("SERVFAIL")).await;
    assert!(server.has_settled(), "it was tried");
    assert_eq!(reason(&server, Family::V4), Reason::Unresolved);
    look(&server, found(&[1], 60)).await;
    assert_eq!(reason(&server, Family::V4), Reason::Available);
    assert_eq!(reason(&server, Family::V6), Reason::NoFamily, "now it is known to have none");
}

/// Beside a region that has addresses of one family alone, the other one is not there.
#[tokio::test(start_paused = true)]
async fn a_family_of_which_nothing_is_known_is_empty_beside_what_lacks_it() {
    for on_all_down in [OnAllDown::Open, OnAllDown::LastGood] {
        let server = start_with(assembly(on_all_down), &nothing, None);
        assert_eq!(reason(&server, Family::V4), Reason::Available);
        assert_eq!(reason(&server, Family::V6), Reason::NoFamily);
    }
}

#[tokio::test(start_paused = true)]
async fn other_addresses_keep_the_health_of_those_that_stay() {
    let server = start_with(assembly(OnAllDown::Open), &nothing, None);
    look(&server, found(&[1, 2], 60)).await;
    server.seen([192, 0, 2, 1], true).await;
    for _ in 0..3 {
        server.seen([192, 0, 2, 2], false).await;
    }
    assert_eq!(behind(&server), addresses(&[1]));
    // One stays up, one stays down, and a new one waits for its first success.
    look(&server, found(&[1, 2, 3], 60)).await;
    assert_eq!(behind(&server), addresses(&[1]));
    server.seen([192, 0, 2, 3], true).await;
    assert_eq!(behind(&server), addresses(&[1, 3]));
    // None of those that were there is left: what is new serves at once.
    look(&server, found(&[7, 8], 60)).await;
    assert_eq!(behind(&server), addresses(&[7, 8]));
}

#[tokio::test(start_paused = true)]
async fn names_that_move_together_are_taken_over_at_once() {
    let server = start_with(assembly(OnAllDown::Open), &nothing, None);
    look(&server, found(&[1], 60)).await;
    sleep(Duration::from_secs(1)).await;
    let before = server.generation();
    server.looks.send(found(&[2], 60)).await.unwrap();
    sleep(Duration::from_millis(1)).await;
    for last in 3..9 {
        server.looks.send(found(&[last], 60)).await.unwrap();
    }
    sleep(Duration::from_millis(101)).await;
    assert_eq!(server.generation(), before + 2, "the first at once, the others together");
    assert_eq!(behind(&server), addresses(&[8]));
    let before = server.generation();
    look(&server, found(&[8], 60)).await;
    assert_eq!(server.generation(), before, "nothing has changed");
}

#[tokio::test(start_paused = true)]
async fn answers_are_kept_no_longer_than_what_was_found() {
    let server = start_with(assembly(OnAllDown::Open), &nothing, None);
    server.seen(WEST, true).await;
    look(&server, found(&[1], 300)).await;
    server.seen([192, 0, 2, 1], true).await;
    assert_eq!(server.served().1, 60, "the record's own");
    look(&server, found(&[1], 25)).await;
    assert_eq!(server.served().1, 25);
    look(&server, found(&[1], 5)).await;
    assert_eq!(server.served().1, 10, "not below ttl_min");
    look(&server, failed("SERVFAIL")).await;
    assert_eq!(server.served().1, 10);
}

#[tokio::test(start_paused = true)]
async fn a_failure_keeps_what_was_known_and_is_told_once() {
    let server = start_with(assembly(OnAllDown::Open), &nothing, None);
    look(&server, found(&[1, 2], 60)).await;
    let gone = Looked { trouble: Some("NXDOMAIN: there is no such name".into()), ..found(&[], 0) };
    for looked in [failed("SERVFAIL"), gone, failed("no answer within 5s")] {
        look(&server, looked).await;
        assert_eq!(behind(&server), addresses(&[1, 2]));
    }
    look(&server, found(&[1, 2], 60)).await;
    let events = events(&server).await;
    let told: Vec<_> = events.iter().map(|event| (event.turn, &*event.text)).collect();
    let worse = "the alias lb.example.net cannot be looked up: SERVFAIL; what it had before is \
                 served: 192.0.2.1, 192.0.2.2";
    let better = "the alias lb.example.net is looked up again: 192.0.2.1, 192.0.2.2";
    assert_eq!(told, [(Turn::Worse, worse), (Turn::Better, better)]);
    assert!(events.iter().all(|event| event.subject.as_deref() == Some("lb.example.net")));
    assert_eq!(events[0].region.as_deref(), Some("r0"));
    let text = server.metrics.text();
    for line in [
        r#"trimtab_alias_addresses{name="lb.example.net",family="ipv4"} 2"#,
        r#"trimtab_alias_addresses{name="lb.example.net",family="ipv6"} 0"#,
        r#"trimtab_alias_lookups_total{name="lb.example.net",result="found"} 2"#,
        r#"trimtab_alias_lookups_total{name="lb.example.net",result="failed"} 3"#,
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn operators_see_what_is_behind_a_name() {
    let server = start_with(assembly(OnAllDown::Open), &nothing, None);
    look(&server, found(&[1], 60)).await;
    sleep(Duration::from_secs(30)).await;
    look(&server, failed("SERVFAIL")).await;
    let status = server.helm.ask(Request::Status).await.unwrap();
    let [alias] = &*status.aliases else { panic!("one: {:?}", status.aliases) };
    assert_eq!((&*alias.name, &*alias.ipv4), ("lb.example.net", &["192.0.2.1".to_owned()][..]));
    assert_eq!((alias.trouble.as_deref(), alias.ttl), (Some("SERVFAIL"), Some(60)));
    assert!(alias.found_secs.is_some_and(|secs| (30.0..31.0).contains(&secs)), "{alias:?}");
    let [endpoint] = &*status.all_records[0].endpoints else { panic!("one endpoint") };
    assert_eq!((&*endpoint.region, endpoint.alias.as_ref()), ("r0", Some(alias)));
}

#[tokio::test(start_paused = true)]
async fn a_restart_answers_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Store::open(dir.path(), Metrics::new()).unwrap();
    let server = start_with(assembly(OnAllDown::Open), &nothing, Some(open().0));
    look(&server, found(&[1, 2], 45)).await;
    for last in [1, 2] {
        server.seen([192, 0, 2, last], true).await;
    }
    server.seen(WEST, true).await;
    server.stop().await;

    let (store, restored) = open();
    let past: &dyn Past = &restored.at(clock::now());
    assert!(past.alias(&lb()).is_some());
    let server = start_with(assembly(OnAllDown::Open), past, Some(store));
    assert!(server.has_settled(), "what was found before stands in for the first look");
    assert_eq!((server.served().0, behind(&server)), (vec![50, 50], addresses(&[1, 2])));
    assert_eq!(server.served().1, 45);
    look(&server, failed("no answer within 5s")).await;
    assert_eq!(behind(&server), addresses(&[1, 2]));
}

/// What an operator forces on a record stands in an assembly of its own, and so do aliases: each is
/// there with the other.
#[tokio::test(start_paused = true)]
async fn an_override_on_a_record_and_other_addresses_do_not_undo_each_other() {
    let server = start_with(assembly(OnAllDown::Open), &nothing, None);
    server.seen(WEST, true).await;
    look(&server, found(&[1], 60)).await;
    let record = Some(Name::from_text("app.test").unwrap());
    let what = Wanted::Drain(None);
    let action = Action::Force { region: "r1".into(), record, what, lasts: None };
    let actor = Actor { name: "alice".into(), from: None };
    let drain = Command { action, actor, reason: None, force: false, dry_run: false, key: None };
    server.helm.command(drain).await.unwrap();
    assert_eq!(server.served().0, [100, 0]);
    look(&server, found(&[2], 60)).await;
    assert_eq!((server.served().0, behind(&server)), (vec![100, 0], addresses(&[2])));
    server.reload(assembly(OnAllDown::Open)).await;
    assert_eq!((server.served().0, behind(&server)), (vec![100, 0], addresses(&[2])));
}
