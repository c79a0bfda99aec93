//! Alertmanager: what fires is said again and again until it is resolved.

use std::time::Duration;

use serde_json::Value;

use super::super::Turn;
use super::carrier::{Act, Carried, World};
use super::{about, hook, transition};
use crate::config::WebhookFormat;

const MINUTE: Duration = Duration::from_secs(60);

/// Each alert as `SUBJECT fires` or `SUBJECT ends`, in requests.
fn alerts(carried: &[Carried]) -> Vec<String> {
    let one = |alert: &Value| {
        let subject = alert["labels"]["subject"].as_str().unwrap();
        let word = if alert.get("endsAt").is_some() { "ends" } else { "fires" };
        format!("{subject} {word}")
    };
    let request = |one_request: &Carried| {
        let json = one_request.json();
        json.as_array().unwrap().iter().map(one).collect::<Vec<_>>().join(", ")
    };
    carried.iter().map(request).collect()
}

fn world() -> World {
    let mut world = World::new(|_, _| Act::Status(200));
    world.hooks.plan(&[hook("ops", WebhookFormat::Alertmanager).into()], &[]);
    world
}

#[tokio::test(start_paused = true)]
async fn an_alert_fires_is_repeated_and_is_resolved_by_the_same_labels() {
    let world = world();
    world.hooks.tell(&transition(1, Turn::Worse));
    let carried = world.carried_within(MINUTE * 3 + MINUTE / 2).await;
    assert_eq!(alerts(&carried), ["127.0.1.2: web fires"; 4]);
    let at: Vec<u64> = carried.iter().map(|one| one.at.as_secs()).collect();
    assert_eq!(at, [0, 60, 120, 180]);
    world.hooks.tell(&transition(9, Turn::Better));
    let carried = world.carried_within(MINUTE * 10).await;
    assert_eq!(alerts(&carried)[4..], ["127.0.1.2: web ends"]);
    let (fired, ended) = (carried[0].json(), carried[4].json());
    assert_eq!(fired[0]["labels"], ended[0]["labels"]);
    assert_eq!(fired[0]["startsAt"], ended[0]["startsAt"]);
    assert_eq!((world.count("delivered"), world.count("failed")), (2.0, 0.0));
}

#[tokio::test(start_paused = true)]
async fn what_comes_and_goes_at_once_is_said_as_it_is_in_the_end() {
    let world = world();
    for id in [1, 3] {
        world.hooks.tell(&transition(id, Turn::Worse));
        world.hooks.tell(&transition(id + 1, Turn::Better));
    }
    world.hooks.tell(&about("other", &transition(5, Turn::Worse)));
    world.hooks.tell(&transition(6, Turn::Neither));
    let carried = world.carried_within(Duration::from_secs(1)).await;
    assert_eq!(alerts(&carried), ["127.0.1.2: web ends, other fires"]);
    assert_eq!(world.count("delivered"), 5.0, "neither worse nor better is not told at all");
}

#[tokio::test(start_paused = true)]
async fn what_was_bad_before_is_said_at_once_and_then_with_the_rest() {
    let mut world = World::new(|_, _| Act::Status(200));
    let ops = hook("ops", WebhookFormat::Alertmanager);
    let open = [transition(1, Turn::Worse), about("other", &transition(2, Turn::Worse))];
    world.hooks.plan(&[ops.into()], &open);
    let carried = world.carried_within(MINUTE + MINUTE / 2).await;
    assert_eq!(alerts(&carried), ["127.0.1.2: web fires, other fires"; 2]);
}

#[tokio::test(start_paused = true)]
async fn many_alerts_are_said_in_several_requests() {
    let world = world();
    let worse = transition(1, Turn::Worse);
    (0..250).for_each(|n| world.hooks.tell(&about(&format!("target {n:03}"), &worse)));
    let carried = world.carried_within(MINUTE + MINUTE / 2).await;
    let sizes: Vec<usize> = carried.iter().map(|c| c.json().as_array().unwrap().len()).collect();
    assert_eq!(sizes, [100, 100, 50, 100, 100, 50]);
}

#[tokio::test(start_paused = true)]
async fn while_it_fails_it_is_tried_as_seldom_as_any_other_and_then_says_all_that_holds() {
    let mut world = World::new(|_, n| Act::Status(if n < 12 { 500 } else { 200 }));
    let mut ops = hook("ops", WebhookFormat::Alertmanager);
    ops.repeat = Duration::from_secs(1);
    ops.retry_for = Duration::from_secs(30);
    world.hooks.plan(&[ops.into()], &[]);
    world.hooks.tell(&transition(1, Turn::Worse));
    // Given up after half a minute; but it still fires.
    let carried = world.carried_within(Duration::from_secs(29)).await;
    assert!(carried.len() <= 6, "{}", carried.len());
    let carried = world.carried_within(MINUTE * 2).await;
    assert_eq!(world.count("failed"), 1.0);
    assert!(carried.len() > 12, "{}", carried.len());
    assert_eq!(alerts(&carried).last().unwrap(), "127.0.1.2: web fires");
}
