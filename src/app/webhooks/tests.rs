//! Events of a real writer, on paused time, told to hooks whose carrier notes what it is to carry.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::super::load::load;
use super::feed::{Feed, Sources};
use super::settings;
use crate::clock;
use crate::config;
use crate::control::command::Actor;
use crate::control::views::{EventKind, EventView};
use crate::control::{Control, Helm, Origin, Past, Reloaded, Wiring};
use crate::health::{Health, Observation, Outcome, Phases, Report, Vantage};
use crate::metrics::Metrics;
use crate::model::{Check, Destination, Target};
use crate::problem::Problems;
use crate::routing::Assembly;
use crate::webhook::{Answer, Carrier, Hook, Hooks, Reply, Request};

const CHAT: &str = "[webhooks.chat]\nurl = \"http://chat.test/\"\n";
const PAGER: &str = "[webhooks.pager]\nurl = \"http://pager.test/\"\nformat = \"alertmanager\"\n";
const SITE: &str = r#"
version = 1
zones."example.com".nameservers = { "ns.example.net" = [] }
checks.web = { type = "http", fall = 1, rise = 1 }
regions.a = { addresses = ["192.0.2.1"], check = "web" }
regions.b = { addresses = ["192.0.2.2"], check = "web" }
records = [{ name = "app.example.com", policy = "weighted" }]
"#;

#[derive(Clone, Default)]
struct Noting(Arc<Mutex<Vec<String>>>);

impl Carrier for Noting {
    async fn carry(&self, hook: &Hook, request: Request) -> Answer {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let line = match body.as_array() {
            None => {
                let word = |key: &str| body["data"][key].as_str().unwrap().to_owned();
                format!("{}: {} {}", hook.name, word("kind"), word("turn"))
            }
            Some(alerts) => {
                let one = |alert: &Value| {
                    let word = if alert.get("endsAt").is_some() { "ends" } else { "fires" };
                    format!("{} {word}", alert["labels"]["subject"].as_str().unwrap())
                };
                let alerts: Vec<String> = alerts.iter().map(one).collect();
                format!("{}: {}", hook.name, alerts.join(", "))
            }
        };
        self.0.lock().unwrap().push(line);
        Ok(Reply { status: 200, retry_after: None, body: String::new() })
    }
}

/// What an earlier process left: its events.
#[derive(Default)]
struct Before(Vec<EventView>);

impl Past for Before {
    fn health(&self, _: &Check, _: &Destination) -> Option<Health> {
        None
    }

    fn events(&self) -> Vec<EventView> {
        self.0.clone()
    }
}

struct Server {
    dir: TempDir,
    observations: mpsc::Sender<Observation>,
    reloads: mpsc::Sender<Reloaded>,
    targets: watch::Receiver<Arc<[Arc<Target>]>>,
    helm: Helm,
    plan: watch::Sender<Vec<Arc<Hook>>>,
    carried: Noting,
    stop: CancellationToken,
}

fn load_text(dir: &TempDir, text: &str) -> Arc<Assembly> {
    let path = dir.path().join("trimtab.toml");
    std::fs::write(&path, text).unwrap();
    load(&path, &Default::default(), &mut |_, _| 0).unwrap().assembly
}

fn planned(dir: &TempDir, hooks: &str) -> Vec<Arc<Hook>> {
    let path = dir.path().join("hooks.toml");
    std::fs::write(&path, format!("version = 1\nserver.nsid = \"ns1\"\n{hooks}")).unwrap();
    let (config, mut problems) = config::read(&path);
    let hooks = settings::hooks(&config.unwrap(), &mut problems);
    assert_eq!(problems, Problems::default(), "{problems}");
    hooks
}

impl Server {
    fn start(hooks: &str, before: Before) -> Self {
        let dir = TempDir::new().unwrap();
        let assembly = load_text(&dir, SITE);
        let (targets, targets_seen) = watch::channel(Arc::default());
        let (observations, observed) = mpsc::channel(64);
        let (reloads, reloaded) = mpsc::channel(1);
        let (asks, requests) = mpsc::channel(16);
        let (events, events_seen) = watch::channel(0);
        let metrics = Metrics::new();
        let wiring = Wiring {
            metrics: Arc::clone(&metrics),
            store: None,
            targets,
            settled: watch::channel(false).0,
            requests,
            events,
            wall: Box::new(clock::wall),
            alive: watch::channel(clock::now()).0,
            aliases: watch::Sender::default(),
            looked: mpsc::channel(1).1,
        };
        let control = Control::new(assembly, &before, wiring);
        let (handle, stop) = (control.handle(), CancellationToken::new());
        tokio::spawn(control.run(observed, reloaded, stop.clone()));
        let helm = Helm::new(asks, events_seen);
        let (plan, planned_seen) = watch::channel(planned(&dir, hooks));
        let carried = Noting::default();
        let all = Hooks::new(carried.clone(), metrics, stop.child_token());
        let sources = Sources { helm: helm.clone(), handle };
        let feed = Feed::new(sources, all, planned_seen);
        tokio::spawn(feed.run(true, stop.clone()));
        let targets = targets_seen;
        Self { dir, observations, reloads, targets, helm, plan, carried, stop }
    }

    /// What a probe of an address saw; returns when it has been told.
    async fn seen(&self, last: u8, pass: bool) {
        let destination = Destination::Address([192, 0, 2, last].into());
        let targets = self.targets.borrow().clone();
        let target = targets.iter().find(|target| target.destination == destination).unwrap();
        let outcome = if pass { Outcome::Pass } else { Outcome::Fail("HTTP 503".into()) };
        let (at, phases, vantage) = (clock::now(), Phases::default(), Vantage::Here);
        let (report, gap) = (Report::default(), Duration::from_secs(10));
        let target = target.id;
        let observation = Observation { target, at, outcome, report, phases, gap, vantage };
        self.observations.send(observation).await.unwrap();
        sleep(Duration::from_secs(2)).await;
    }

    /// A configuration is loaded.
    async fn reload(&self, text: &str, actor: Option<Actor>) {
        let assembly = load_text(&self.dir, text);
        let (done, published) = oneshot::channel();
        let origin = Origin { text: "loaded again".into(), actor, reason: None };
        self.reloads.send(Reloaded { assembly, origin, done }).await.unwrap();
        published.await.unwrap();
        sleep(Duration::from_secs(2)).await;
    }

    /// A configuration is refused.
    async fn refuse(&self) {
        let text = "not loaded again".into();
        self.helm.note(Origin { text, actor: Some(Actor::default()), reason: None }).await;
        sleep(Duration::from_secs(2)).await;
    }

    /// What was told since it was last asked.
    fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.carried.0.lock().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_down_and_comes_back_is_told_and_the_start_is_not() {
    let server = Server::start(CHAT, Before::default());
    server.seen(1, true).await;
    server.seen(2, true).await;
    assert_eq!(server.told(), [""; 0]);
    server.seen(1, false).await;
    assert_eq!(server.told(), ["chat: transition worse"]);
    server.seen(2, false).await;
    assert_eq!(server.told(), ["chat: transition worse", "chat: all_down worse"]);
    server.seen(1, true).await;
    assert_eq!(server.told(), ["chat: transition better", "chat: all_down better"]);
}

#[tokio::test(start_paused = true)]
async fn a_good_reload_is_told_after_one_that_failed_and_a_database_is_none() {
    let server = Server::start(CHAT, Before::default());
    let actor = || Some(Actor::default());
    server.reload(SITE, actor()).await;
    assert_eq!(server.told(), [""; 0]);
    server.refuse().await;
    server.reload(SITE, None).await;
    assert_eq!(server.told(), ["chat: reload worse"]);
    server.reload(SITE, actor()).await;
    server.reload(SITE, actor()).await;
    assert_eq!(server.told(), ["chat: reload better"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_reload_takes_away_is_ended() {
    let server = Server::start(&format!("{CHAT}{PAGER}"), Before::default());
    server.seen(1, false).await;
    server.seen(1, false).await;
    let told = server.told();
    assert_eq!(told[0], "chat: transition worse", "{told:?}");
    assert_eq!(told[1], "pager: 192.0.2.1: web fires");
    let without =
        SITE.replace("regions.a = { addresses = [\"192.0.2.1\"], check = \"web\" }\n", "");
    server.reload(&without, Some(Actor::default())).await;
    sleep(Duration::from_secs(40)).await;
    let told = server.told();
    assert_eq!(told, ["chat: transition better", "pager: 192.0.2.1: web ends"]);
    sleep(Duration::from_secs(300)).await;
    assert_eq!(server.told(), [""; 0], "and then all is quiet");
}

#[tokio::test(start_paused = true)]
async fn what_stays_down_is_not_ended() {
    let server = Server::start(CHAT, Before::default());
    server.seen(1, false).await;
    server.seen(2, false).await;
    let told = server.told();
    sleep(Duration::from_secs(600)).await;
    assert_eq!((told.len(), server.told().len()), (3, 0), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_comes_later_is_told_what_comes_later_and_alertmanager_what_still_is() {
    let server = Server::start(CHAT, Before::default());
    server.seen(1, false).await;
    server.told();
    let more = format!("{CHAT}{PAGER}[webhooks.new]\nurl = \"http://new.test/\"\n");
    server.plan.send_replace(planned(&server.dir, &more));
    sleep(Duration::from_secs(2)).await;
    assert_eq!(server.told(), ["pager: 192.0.2.1: web fires"]);
    server.seen(1, true).await;
    let mut told = server.told();
    told.sort();
    let ends = "pager: 192.0.2.1: web ends";
    assert_eq!(told, ["chat: transition better", "new: transition better", ends]);
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_nothing_is_told_of_what_was_before_and_what_still_is_fires() {
    let first = Server::start(CHAT, Before::default());
    first.seen(1, false).await;
    first.seen(2, false).await;
    first.refuse().await;
    let filter = crate::control::EventFilter { limit: 99, ..Default::default() };
    let ask = |reply| crate::control::Request::Events(filter, reply);
    let kept = first.helm.ask(ask).await.unwrap();
    assert!(kept.iter().any(|event| event.kind == EventKind::AllDown), "{kept:?}");
    drop(first);
    // Nothing is down as far as the next process knows: its own probes will tell.
    let second = Server::start(&format!("{CHAT}{PAGER}"), Before(kept));
    sleep(Duration::from_secs(120)).await;
    assert_eq!(second.told(), [""; 0]);
    second.seen(1, false).await;
    assert_eq!(second.told(), ["chat: transition worse", "pager: 192.0.2.1: web fires"]);
}
