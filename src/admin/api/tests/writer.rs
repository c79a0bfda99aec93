//! A writer that notes what it is asked, and gives canned views.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::sync::{Notify, mpsc, watch};

use crate::control::command::{Command, Done, Refusal};
use crate::control::views::{
    EventView, OverrideView, Page, PlansView, RecordView, RegionView, Status,
};
use crate::control::{Helm, RecordFilter, Request};

/// The test's side.
#[derive(Clone)]
pub(crate) struct Writer(Arc<Notes>);

struct Notes {
    commands: Mutex<Vec<Command>>,
    records: Mutex<RecordFilter>,
    refusal: Mutex<Option<Refusal>>,
    asked: watch::Sender<usize>,
    newest: watch::Sender<u64>,
    end: Notify,
}

impl Writer {
    /// The commands so far.
    pub(crate) fn commands(&self) -> Vec<Command> {
        self.0.commands.lock().unwrap().clone()
    }

    /// The latest question for records.
    pub(crate) fn records_asked(&self) -> RecordFilter {
        self.0.records.lock().unwrap().clone()
    }

    /// Refuses all commands from now on.
    pub(crate) fn refuses(&self, refusal: Refusal) {
        *self.0.refusal.lock().unwrap() = Some(refusal);
    }

    /// Waits until events were asked for so often.
    pub(crate) async fn until_events_asked(&self, times: usize) {
        self.0.asked.subscribe().wait_for(|asked| *asked >= times).await.unwrap();
    }

    /// There is an event more.
    pub(crate) fn happens(&self) {
        self.0.newest.send_modify(|newest| *newest += 1);
    }

    /// Ends it, as a fault would.
    pub(crate) fn ends(&self) {
        self.0.end.notify_one();
    }
}

/// Starts one.
pub(crate) fn start() -> (Helm, Writer) {
    let (requests, mut asked) = mpsc::channel(16);
    let (newest, events) = watch::channel(0);
    let notes = Arc::new(Notes {
        commands: Mutex::default(),
        records: Mutex::default(),
        refusal: Mutex::default(),
        asked: watch::Sender::new(0),
        newest,
        end: Notify::new(),
    });
    let writer = Writer(Arc::clone(&notes));
    tokio::spawn(async move {
        loop {
            let request = tokio::select! {
                () = notes.end.notified() => return,
                Some(request) = asked.recv() => request,
                else => return,
            };
            answer(&notes, request);
        }
    });
    (Helm::new(requests, events), writer)
}

fn answer(notes: &Notes, request: Request) {
    match request {
        Request::Command(command, reply) => {
            let refusal = notes.refusal.lock().unwrap().clone();
            let done = refusal.map_or_else(|| Ok(done(command.dry_run)), Err);
            notes.commands.lock().unwrap().push(*command);
            let _ = reply.send(done);
        }
        Request::Note(_) => {}
        Request::Plans(reply) => drop(reply.send(plans())),
        Request::Status(reply) => drop(reply.send(status())),
        Request::Regions(reply) => drop(reply.send(vec![region("a-east"), region("b-west")])),
        Request::Records(filter, reply) => {
            let known = filter.name.as_deref().is_none_or(|name| name == "app.site.test");
            let items: Vec<_> = known.then(record).into_iter().collect();
            *notes.records.lock().unwrap() = filter;
            let _ = reply.send(Page { total: items.len(), items });
        }
        Request::Checks(_, reply) => drop(reply.send(Page { items: Vec::new(), total: 0 })),
        Request::Overrides(reply) => drop(reply.send(vec![forced()])),
        // What is asked of the tables is told by the real one, in tests/integration.
        Request::Simulate(reply) => drop(reply),
        Request::Events(filter, reply) => {
            let newest = *notes.newest.borrow();
            let ids = filter.after.map_or(0, |after| after + 1)..=newest;
            let _ = reply.send(ids.filter(|id| *id > 0).map(event).collect());
            notes.asked.send_modify(|asked| *asked += 1);
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> T {
    serde_json::from_value(json).unwrap()
}

fn done(dry_run: bool) -> Done {
    Done {
        generation: 4,
        dry_run,
        repeated: false,
        overrides: vec![forced()],
        plan: None,
        changes: Vec::new(),
        records_changed: 0,
        warnings: Vec::new(),
    }
}

fn status() -> Status {
    read(json!({
        "version": "0", "time": "2026-01-01T00:00:00Z", "uptime_secs": 1.0, "generation": 3,
        "regions": [], "overrides": [], "records": 0, "records_at_risk": 0, "at_risk": [],
        "all_records": [],
        "checks": { "targets": 0, "up": 0, "down": 0, "unknown": 0, "oldest_secs": null },
    }))
}

fn region(name: &str) -> RegionView {
    read(json!({
        "name": name, "health": "up", "reason": null, "since_secs": 1.0, "families": [],
        "weight": 1, "weight_override": null, "forced": null, "drained": 0.0, "share": null,
        "records": 0, "rtt_ms": null,
    }))
}

fn record() -> RecordView {
    read(json!({
        "name": "app.site.test", "policy": "weighted", "ttl": 60, "ttl_min": 10, "risk": null,
        "families": [],
    }))
}

fn forced() -> OverrideView {
    let mut json = serde_json::Map::new();
    for (key, value) in [
        ("id", json!(7)),
        ("region", json!("a-east")),
        ("kind", json!("drain")),
        ("drained", json!(1.0)),
        ("drained_to", json!(1.0)),
        ("actor", json!("alice")),
        ("since", json!("2026-01-01T00:00:00Z")),
        ("dangling", json!(false)),
    ] {
        json.insert(key.into(), value);
    }
    read(json.into())
}

fn plans() -> PlansView {
    read(json!({
        "under_way": [{
            "id": 3, "title": "shift 3", "kind": "shift", "regions": ["a-east"], "to": "b-west",
            "state": "running", "part": 0.25, "stages": [0.25, 1.0], "stage": 1,
        }],
        "over": [],
    }))
}

fn event(id: u64) -> EventView {
    read(json!({
        "id": id, "time": "2026-01-01T00:00:00Z", "kind": "reload", "text": "reloaded",
        "region": null, "record": null, "actor": null, "from": null, "reason": null,
        "override_id": null, "lasted_secs": null, "changes": [], "records_changed": 0,
        "generation": 2,
    }))
}
