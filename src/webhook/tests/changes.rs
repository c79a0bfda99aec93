//! Reloads: what waits for a hook that stays is not lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use super::super::Turn;
use super::carrier::{Act, World};
use super::{hook, transition};
use crate::config::WebhookFormat;

const CLOUD: WebhookFormat = WebhookFormat::CloudEvents;

#[tokio::test(start_paused = true)]
async fn a_hook_that_stays_keeps_what_waits_and_is_tried_at_once() {
    let mended = Arc::new(AtomicBool::new(false));
    let is_mended = Arc::clone(&mended);
    let mut world =
        World::new(move |_, _| Act::Status(if is_mended.load(Relaxed) { 200 } else { 503 }));
    world.hooks.plan(&[hook("ops", CLOUD).into()], &[]);
    (1..=3).for_each(|id| world.hooks.tell(&transition(id, Turn::Worse)));
    let before = world.carried_within(Duration::from_secs(120)).await.len();
    assert_eq!(world.metric("queue_length", ""), 3.0);
    mended.store(true, Relaxed);
    let mut other = hook("ops", CLOUD);
    other.url = "http://other.test/".parse().unwrap();
    other.instance = "ns2".into();
    world.hooks.plan(&[other.into(), hook("new", CLOUD).into()], &[]);
    let after = world.carried_within(Duration::from_millis(10)).await;
    let urls: Vec<&str> = after[before..].iter().map(|one| one.request.url.as_str()).collect();
    assert_eq!(urls, ["http://other.test/"; 3]);
    assert_eq!(world.count("delivered"), 3.0, "counted on");
}

#[tokio::test(start_paused = true)]
async fn a_smaller_queue_lets_the_oldest_go() {
    let mut world = World::new(|_, _| Act::Status(503));
    world.hooks.plan(&[hook("ops", CLOUD).into()], &[]);
    (1..=10).for_each(|id| world.hooks.tell(&transition(id, Turn::Worse)));
    world.carried_within(Duration::from_millis(10)).await;
    let mut small = hook("ops", CLOUD);
    small.queue = 4;
    world.hooks.plan(&[small.into()], &[]);
    assert_eq!((world.count("dropped"), world.metric("queue_length", "")), (6.0, 4.0));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_is_gone_is_told_nothing_and_shown_nowhere() {
    let mut world = World::new(|_, _| Act::Status(503));
    world.hooks.plan(&[hook("ops", CLOUD).into()], &[]);
    world.hooks.tell(&transition(1, Turn::Worse));
    let before = world.carried_within(Duration::from_secs(60)).await.len();
    world.hooks.plan(&[], &[]);
    world.hooks.tell(&transition(2, Turn::Worse));
    assert_eq!(world.carried_within(Duration::from_secs(600)).await.len(), before);
    assert!(!world.metrics.text().contains("webhook=\"ops\""));
    assert!(world.hooks.is_empty());
    world.hooks.stopped().await;
}
