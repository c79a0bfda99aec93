//! When what is tried, and what becomes of it, on paused time.

use std::time::Duration;

use super::super::Turn;
use super::carrier::{Act, Carried, World};
use super::{about, hook, transition};
use crate::config::{Topic, WebhookFormat};

const CLOUD: WebhookFormat = WebhookFormat::CloudEvents;
const SECOND: Duration = Duration::from_secs(1);

fn ids(carried: &[Carried]) -> Vec<String> {
    carried.iter().map(|one| one.json()["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_again_less_and_less_often_and_keeps_its_id_and_order() {
    let mut world = World::new(|_, n| Act::Status(if n < 8 { 503 } else { 200 }));
    world.hooks.plan(&[hook("ops", CLOUD).into()], &[]);
    world.hooks.tell(&transition(1, Turn::Worse));
    world.hooks.tell(&transition(2, Turn::Better));
    let carried = world.carried_within(SECOND * 600).await;
    let mut wanted = vec!["ns1.example.net-1"; 9];
    wanted.push("ns1.example.net-2");
    assert_eq!(ids(&carried), wanted);
    let at: Vec<f64> = carried.iter().map(|one| one.at.as_secs_f64()).collect();
    assert!(at[0] < 0.01, "at once");
    for (n, most) in [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0].into_iter().enumerate() {
        let gap = at[n + 1] - at[n];
        assert!((most / 2.0..=most + 0.01).contains(&gap), "{n}: {gap} of {most}");
    }
    assert!(at[9] - at[8] < 0.01, "all is well again");
    assert_eq!((world.count("delivered"), world.count("failed")), (2.0, 0.0));
    assert_eq!(world.metric("queue_length", ""), 0.0);
    assert!(world.metric("last_success_timestamp_seconds", "") > 1e9);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_not_tried_again() {
    let mut world = World::new(|_, n| Act::Status(if n == 0 { 400 } else { 200 }));
    world.hooks.plan(&[hook("ops", CLOUD).into()], &[]);
    world.hooks.tell(&transition(1, Turn::Worse));
    world.hooks.tell(&transition(2, Turn::Better));
    let carried = world.carried_within(SECOND).await;
    assert_eq!(ids(&carried), ["ns1.example.net-1", "ns1.example.net-2"]);
    assert_eq!((world.count("delivered"), world.count("failed")), (1.0, 1.0));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_asks_for_a_pause_gets_it() {
    let mut world = World::new(|_, n| if n == 0 { Act::Wait(90) } else { Act::Status(204) });
    world.hooks.plan(&[hook("ops", CLOUD).into()], &[]);
    world.hooks.tell(&transition(1, Turn::Worse));
    let carried = world.carried_within(SECOND * 89).await;
    assert_eq!(carried.len(), 1);
    let carried = world.carried_within(SECOND * 2).await;
    assert_eq!((carried.len(), carried[1].at.as_secs()), (2, 90));
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_given_up() {
    let mut world = World::new(|_, _| Act::Status(500));
    let mut ops = hook("ops", CLOUD);
    ops.retry_for = SECOND * 100;
    world.hooks.plan(&[ops.into()], &[]);
    world.hooks.tell(&transition(1, Turn::Worse));
    let carried = world.carried_within(SECOND * 600).await;
    let last = carried.last().unwrap().at;
    assert!((SECOND * 100..SECOND * 161).contains(&last), "{last:?}");
    assert_eq!((world.count("failed"), world.metric("queue_length", "")), (1.0, 0.0));
}

#[tokio::test(start_paused = true)]
async fn where_there_is_no_room_the_oldest_goes() {
    let mut world = World::new(|_, _| Act::Hang);
    let mut ops = hook("ops", CLOUD);
    ops.queue = 3;
    world.hooks.plan(&[ops.into()], &[]);
    world.hooks.tell(&transition(0, Turn::Worse));
    world.carried_within(SECOND).await;
    (1..=10).for_each(|id| world.hooks.tell(&transition(id, Turn::Worse)));
    assert_eq!(world.count("dropped"), 7.0);
    assert_eq!(world.metric("queue_length", ""), 4.0, "with the one that is being sent");
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_hangs_delays_nobody_else() {
    let hangs = |name: &str, _| if name == "hangs" { Act::Hang } else { Act::Status(200) };
    let mut world = World::new(hangs);
    world.hooks.plan(&[hook("hangs", CLOUD).into(), hook("ops", CLOUD).into()], &[]);
    (1..=50).for_each(|id| world.hooks.tell(&transition(id, Turn::Worse)));
    let carried = world.carried_within(Duration::from_millis(10)).await;
    let of = |name: &str| carried.iter().filter(|one| one.hook == name).count();
    assert_eq!((of("hangs"), of("ops")), (1, 50));
}

#[tokio::test(start_paused = true)]
async fn a_hook_hears_of_what_it_asked_for() {
    let mut world = World::new(|_, _| Act::Status(200));
    let mut ops = hook("ops", CLOUD);
    ops.topics = vec![Topic::AllDown];
    world.hooks.plan(&[ops.into()], &[]);
    world.hooks.tell(&transition(1, Turn::Worse));
    assert_eq!(world.carried_within(SECOND).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_mass_failure_is_a_few_posts_for_a_chat() {
    let mut world = World::new(|_, _| Act::Status(200));
    world.hooks.plan(&[hook("ops", WebhookFormat::Slack).into()], &[]);
    let worse = transition(1, Turn::Worse);
    for n in 0..45 {
        world.hooks.tell(&about(&format!("127.0.0.{n}: web"), &worse));
    }
    let carried = world.carried_within(SECOND).await;
    let lines = |one: &Carried| one.json()["text"].as_str().unwrap().lines().count();
    assert_eq!(carried.iter().map(lines).collect::<Vec<_>>(), [20, 20, 5]);
    assert_eq!(world.count("delivered"), 45.0);
}
