//! The API over HTTP, with a writer that notes what it is asked and gives what it is told to.

mod described;
mod refused;
mod writer;

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use self::writer::Writer;
use super::{Api, Errand};
use crate::admin::{self, Access};
use crate::control::command::{Action, Actor, Command, OverrideKind, Wanted, Which};
use crate::metrics::Metrics;

/// A server on loopback.
pub(super) struct Server {
    at: SocketAddr,
    pub(super) writer: Writer,
    errands: mpsc::Receiver<Errand>,
    stop: CancellationToken,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The code of a problem document, which must be whole.
    #[track_caller]
    pub(super) fn code(&self) -> String {
        assert!(self.head.contains("content-type: application/problem+json\r\n"), "{self:?}");
        let json = self.json();
        assert_eq!(json["status"], self.status, "{json}");
        let code = json["code"].as_str().unwrap_or_else(|| panic!("{json}"));
        assert_eq!(json["type"], format!("/api/v1/problems/{code}"));
        assert!(
            ["title", "detail"].iter().all(|m| json[m].as_str().is_some_and(|t| !t.is_empty()))
        );
        code.into()
    }
}

impl Server {
    pub(super) async fn start(access: Access) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (helm, writer) = writer::start();
        let (sender, errands) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let api = Api { helm, errands: sender, reports: Arc::default(), stop: stop.clone() };
        let (ready, access) = (watch::channel(true).1, watch::channel(Arc::new(access)).1);
        let router = admin::routes(Metrics::new(), ready, access, api);
        tokio::spawn(admin::serve(listener, router, None, stop.clone()));
        Self { at, writer, errands, stop }
    }

    /// One request on a connection of its own; `headers` end with a line's end each.
    pub(super) async fn ask(&self, line: &str, headers: &str, body: &str) -> Reply {
        let mut stream = TcpStream::connect(self.at).await.unwrap();
        let length = body.len();
        let host = if headers.contains("Host:") { "" } else { "Host: localhost\r\n" };
        let head = format!(
            "{line} HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        // Who has heard enough may close before all is sent.
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(body.as_bytes()).await;
        let mut octets = Vec::new();
        let _ = stream.read_to_end(&mut octets).await;
        let text = String::from_utf8(octets).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head: format!("{}\r\n", head.to_lowercase()), body: body.into() }
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.ask(&format!("GET /api/v1{path}"), "", "").await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Reply {
        let headers = "Content-Type: application/json\r\n";
        self.ask(&format!("POST /api/v1{path}"), headers, &body.to_string()).await
    }
}

#[tokio::test]
async fn a_command_reaches_the_writer_as_it_was_meant() {
    let server = Server::start(Access::default()).await;
    let headers = "Content-Type: application/json; charset=utf-8\r\nX-Trimtab-Actor: alice\r\n\
                   Idempotency-Key: k1\r\n";
    let body = r#"{"region": "a", "record": "App.site.test", "kind": "drain", "over": "10m",
                   "for": "2h", "reason": " new switches ", "force": true}"#;
    let reply = server.ask("POST /api/v1/overrides", headers, body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    assert!(reply.head.contains("location: /api/v1/overrides/7\r\n"), "{reply:?}");
    assert_eq!(reply.json()["overrides"][0]["id"], 7);
    let minutes = |minutes: u64| std::time::Duration::from_secs(60 * minutes);
    let wanted = Command {
        action: Action::Force {
            region: "a".into(),
            record: Some(crate::wire::Name::from_text("app.site.test").unwrap()),
            what: Wanted::Drain(Some(minutes(10))),
            lasts: Some(minutes(120)),
        },
        actor: Actor { name: "alice".into(), from: Some([127, 0, 0, 1].into()) },
        reason: Some("new switches".into()),
        force: true,
        dry_run: false,
        key: Some("k1".into()),
    };
    assert_eq!(server.writer.commands(), [wanted]);
}

#[tokio::test]
async fn every_kind_and_every_end_has_its_form() {
    let server = Server::start(Access::default()).await;
    let mut wanted = Vec::new();
    for (body, what) in [
        (json!({"region": "a", "kind": "drain"}), Wanted::Drain(None)),
        (json!({"region": "a", "kind": "force-down"}), Wanted::Down),
        (json!({"region": "a", "kind": "force-up"}), Wanted::Up),
        (json!({"region": "a", "kind": "weight", "weight": 0}), Wanted::Weight(0)),
    ] {
        assert_eq!(server.post("/overrides", &body).await.status, 201, "{body}");
        let (region, record, lasts) = ("a".into(), None, None);
        wanted.push(Action::Force { region, record, what, lasts });
    }
    let body = json!({"region": "a", "kind": "drain", "dry_run": true});
    let dry = server.post("/overrides", &body).await;
    assert_eq!((dry.status, &dry.json()["dry_run"]), (200, &json!(true)));
    let kinds = vec![OverrideKind::Drain, OverrideKind::ForceDown];
    for (body, which) in [
        (json!({"id": 7}), Which::Id(7)),
        (
            json!({"region": "a", "kinds": ["drain", "force-down"]}),
            Which::Of { region: "a".into(), record: None, kinds },
        ),
    ] {
        assert_eq!(server.post("/overrides/end", &body).await.status, 200, "{body}");
        wanted.push(Action::End { which, over: None });
    }
    let reply = server.ask("DELETE /api/v1/overrides/7?over=10m&force=true", "", "").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let over = Some(std::time::Duration::from_secs(600));
    wanted.push(Action::End { which: Which::Id(7), over });
    let commands = server.writer.commands();
    assert!(commands.last().unwrap().force && commands.iter().all(|c| c.actor.name == "anonymous"));
    let dry = commands.iter().position(|command| command.dry_run).unwrap();
    let mut actions: Vec<_> = commands.into_iter().map(|command| command.action).collect();
    actions.remove(dry);
    assert_eq!(actions, wanted);
}

#[tokio::test]
async fn what_is_seen_is_what_the_writer_says() {
    let server = Server::start(Access::default()).await;
    assert_eq!(server.get("/status").await.json()["generation"], 3);
    assert_eq!(server.get("/regions").await.json()[1]["name"], "b-west");
    assert_eq!(server.get("/regions/b-west").await.json()["name"], "b-west");
    let lost = server.get("/regions/b-wset").await;
    assert_eq!((lost.status, &*lost.code()), (404, "unknown_region"));
    assert!(lost.json()["detail"].as_str().unwrap().contains("did you mean \"b-west\"?"));
    assert_eq!(server.get("/records/APP.site.test").await.json()["name"], "app.site.test");
    assert_eq!(server.get("/records/x.site.test").await.code(), "unknown_record");
    assert_eq!(server.get("/records/a..b").await.code(), "unknown_record");
    let page = server.get("/records?contains=app&at_risk=true&offset=5&limit=9").await.json();
    assert_eq!(page["total"], 1);
    let filter = server.writer.records_asked();
    assert_eq!((filter.contains.as_deref(), filter.at_risk), (Some("app"), true));
    assert_eq!((filter.offset, filter.limit, filter.region), (5, 9, None));
    assert_eq!(server.get("/checks?not_up=1&region=a").await.json()["items"], json!([]));
    assert_eq!(server.get("/overrides").await.json()[0]["id"], 7);
    assert_eq!(server.get("/overrides/7").await.json()["actor"], "alice");
    assert_eq!(server.get("/overrides/8").await.code(), "unknown_override");
}

#[tokio::test]
async fn an_event_ends_the_wait_for_it() {
    let server = Server::start(Access::default()).await;
    assert_eq!(server.get("/events").await.json(), json!([]));
    assert_eq!(server.get("/events?after=0&wait=10ms").await.json(), json!([]), "none came");
    let waiting = server.get("/events?after=0&wait=60s");
    let happens = async {
        server.writer.until_events_asked(3).await;
        server.writer.happens();
    };
    let (reply, ()) = tokio::join!(waiting, happens);
    assert_eq!(reply.json()[0]["id"], 1);
    // And so does the end of the server.
    let waiting = server.get("/events?after=1&wait=60s");
    let stops = async {
        server.writer.until_events_asked(5).await;
        server.stop.cancel();
    };
    let (reply, ()) = tokio::join!(waiting, stops);
    assert_eq!((reply.status, reply.json()), (200, json!([])));
}

#[tokio::test]
async fn a_reload_is_made_and_its_problems_told() {
    let mut server = Server::start(Access::default()).await;
    let mut errands = std::mem::replace(&mut server.errands, mpsc::channel(1).1);
    let app = tokio::spawn(async move {
        let mut reasons = Vec::new();
        while let Some(Errand::Reload { reason, reply, actor }) = errands.recv().await {
            assert_eq!(actor.name, "anonymous");
            let done = super::bodies::Reloaded { generation: 4, warnings: vec!["w".into()] };
            let problems = vec!["trimtab.toml:1: x".into()];
            let _ = reply.send(if reason.is_none() { Ok(done) } else { Err(problems) });
            reasons.push(reason);
            if reasons.len() == 2 {
                return reasons;
            }
        }
        reasons
    });
    let reply = server.ask("POST /api/v1/reload", "", "").await;
    assert_eq!(reply.json(), json!({"generation": 4, "warnings": ["w"]}));
    let reply = server.post("/reload", &json!({"reason": "why"})).await;
    assert_eq!((reply.status, &*reply.code()), (422, "configuration_refused"));
    assert_eq!(reply.json()["problems"], json!(["trimtab.toml:1: x"]));
    assert_eq!(app.await.unwrap(), [None, Some("why".into())]);
    // Nobody is left to do it.
    assert_eq!(server.ask("POST /api/v1/reload", "", "").await.code(), "unavailable");
}
