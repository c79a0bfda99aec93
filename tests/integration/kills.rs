//! A server that is killed at any moment while operators give it commands. Whatever it acknowledged is
//! there when it is back, and the first answer is by it. So are plans: each is at the stage that was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use hickory_proto::rr::RecordType::A;
use serde_json::{Value, json};
use trimtab::clock::now;

use crate::harness::{Http, Kind, Question, Reply, Server, Site, targets};

const SECOND: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
/// Operators who give commands at the same time, beside the one who takes a region out and back.
const OPERATORS: u64 = 3;
/// How long after a start it is killed, at most.
const LIFE_MS: u64 = 150;
/// So many overrides of one operator stand at once.
const STANDING: usize = 12;

fn body(port: u16, first: IpAddr) -> String {
    format!(
        "[checks.web]\ntype = \"tcp\"\nport = {port}\ninterval = \"1s\"\ntimeout = \"500ms\"\n\
         [regions.a]\naddresses = [\"{first}\"]\ncheck = \"web\"\n\
         [regions.b]\naddresses = [\"192.0.2.2\"]\n\
         [regions.c]\naddresses = [\"192.0.2.3\"]\n\
         [policies.ordered]\ntype = \"failover\"\norder = [\"a\", \"b\"]\n\
         [[records]]\nname = \"app.site.test\"\npolicy = \"ordered\"\n\
         [[records]]\nname = \"all.site.test\"\npolicy = \"weighted\"\n"
    )
}

/// What has to be there.
#[derive(Debug, Default)]
struct Known {
    /// The acknowledged overrides by number, with their reasons.
    standing: BTreeMap<u64, String>,
    /// Whose end was asked for and not acknowledged: they may be there or not.
    ending: BTreeSet<u64>,
    /// Commands that were sent and not acknowledged, by idempotency key.
    unheard: Vec<(String, Value)>,
    /// How many commands were acknowledged.
    acknowledged: usize,
}

/// One operator, who makes overrides and ends them until nobody answers any more.
fn operate(admin: SocketAddr, name: &str, mut known: Known, mut rng: Rng) -> Known {
    for number in 0_u64.. {
        let key = format!("{name}-{number}-{}", rng.u32(..));
        let http = Http::new(admin).with("X-Trimtab-Actor", name).with("Idempotency-Key", &key);
        let id = known.standing.keys().nth(rng.usize(..=known.standing.len())).copied();
        match id.filter(|_| known.standing.len() > STANDING || rng.bool()) {
            Some(id) => {
                let line = format!("DELETE /api/v1/overrides/{id}?force=true");
                known.ending.insert(id);
                let Ok(answer) = http.request(&line, &Value::Null) else { return known };
                if answer.status == 0 {
                    return known;
                }
                assert_eq!(answer.status, 200, "{answer:?}");
                known.ending.remove(&id);
                known.standing.remove(&id);
            }
            None => {
                let (kind, extra) = match rng.u8(..3) {
                    0 => ("weight", ("weight", json!(rng.u16(..)))),
                    1 => ("drain", ("over", json!("1h"))),
                    _ => ("force-up", ("for", json!("1h"))),
                };
                let body = json!({
                    "region": "c", "kind": kind, "reason": key, "force": true, extra.0: extra.1,
                });
                let answer = http.request("POST /api/v1/overrides", &body);
                let Some(answer) = answer.ok().filter(|answer| answer.status != 0) else {
                    known.unheard.push((key, body));
                    return known;
                };
                assert_eq!(answer.status, 201, "{answer:?}");
                let id = answer.json()["overrides"][0]["id"].as_u64().unwrap();
                known.standing.insert(id, key);
            }
        }
        known.acknowledged += 1;
    }
    known
}

/// Where the first region of the ordered record is, and who has it taken out.
#[derive(Debug, Clone, Copy)]
struct Rudder {
    /// The address of that region.
    first: IpAddr,
    /// The override that takes it out.
    out: Option<u64>,
    /// What was asked for last was not acknowledged.
    unsure: bool,
    acknowledged: usize,
}

/// Takes the first region out and brings it back, and looks at the answer each time.
fn steer(server: (SocketAddr, SocketAddr), mut rudder: Rudder) -> Rudder {
    let (dns, admin) = server;
    let http = Http::new(admin).with("X-Trimtab-Actor", "pilot");
    loop {
        rudder.unsure = true;
        match rudder.out {
            None => {
                let body = json!({"region": "a", "record": "app.site.test", "kind": "drain"});
                let answer = http.request("POST /api/v1/overrides", &body);
                let Some(answer) = answer.ok().filter(|a| a.status != 0) else { return rudder };
                assert_eq!(answer.status, 201, "{answer:?}");
                rudder.out = Some(answer.json()["overrides"][0]["id"].as_u64().unwrap());
            }
            Some(id) => {
                let line = format!("DELETE /api/v1/overrides/{id}");
                let answer = http.request(&line, &Value::Null);
                let Some(answer) = answer.ok().filter(|a| a.status != 0) else { return rudder };
                assert_eq!(answer.status, 200, "{answer:?}");
                rudder.out = None;
            }
        }
        rudder.unsure = false;
        rudder.acknowledged += 1;
        let Some(answer) = ask_once(dns) else { return rudder };
        assert_eq!(answer, rudder.serves(), "{rudder:?}");
    }
}

/// A shift that somebody leads from stage to stage.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Shift {
    /// Its number and its stage; `None`: none is under way.
    at: Option<(u64, u64)>,
    paused: bool,
}

/// Who leads it, and what he knows.
#[derive(Debug, Clone, Copy, Default)]
struct Planner {
    shift: Shift,
    /// What it is if what was asked for last was done, although that was not acknowledged. (A new one has a
    /// number that is not known.)
    unsure: Option<Shift>,
    acknowledged: usize,
}

/// So many stages.
const STAGES: u64 = 20;

/// Begins a shift, leads it on, holds it and gives it up.
fn plan(admin: SocketAddr, mut planner: Planner, mut rng: Rng) -> Planner {
    let http = Http::new(admin).with("X-Trimtab-Actor", "planner");
    loop {
        let (line, body, then) = match planner.shift.at {
            None => {
                let stages: Vec<u64> = (1..=STAGES).map(|n| n * 5).collect();
                let body = json!({
                    "from": "c", "to": "b", "record": "all.site.test", "stages": stages,
                    "every": "1h", "manual": true, "force": true,
                });
                ("POST /api/v1/shifts".to_owned(), body, Shift { at: Some((0, 1)), paused: false })
            }
            Some((id, stage)) => {
                let (action, then) = match rng.u8(..8) {
                    0 => ("abort", Shift::default()),
                    1 if !planner.shift.paused => {
                        ("pause", Shift { paused: true, ..planner.shift })
                    }
                    _ if stage == STAGES => ("abort", Shift::default()),
                    _ => ("advance", Shift { at: Some((id, stage + 1)), paused: false }),
                };
                let body = json!({ "action": action, "force": true });
                (format!("POST /api/v1/plans/{id}"), body, then)
            }
        };
        planner.unsure = Some(then);
        let answer = http.request(&line, &body).ok().filter(|answer| answer.status != 0);
        let Some(answer) = answer else { return planner };
        assert!(matches!(answer.status, 200 | 201), "{line} {body}: {answer:?}");
        planner.unsure = None;
        planner.acknowledged += 1;
        let id = answer.json()["plan"]["id"].as_u64().unwrap();
        planner.shift = Shift { at: then.at.map(|(_, stage)| (id, stage)), ..then };
    }
}

impl Planner {
    /// Takes what is there after a restart for what it is, if it is what was acknowledged, or asked for last.
    fn meets(&mut self, plans: &Value, kill: u32) {
        let there = plans["under_way"].as_array().unwrap().first();
        let is = there.map_or(Shift::default(), |plan| Shift {
            at: plan["id"].as_u64().zip(plan["stage"].as_u64()),
            paused: plan["state"] == json!("paused"),
        });
        let new = |then: Shift| matches!((then.at, is.at), (Some((0, 1)), Some((_, 1))));
        let asked = self.unsure.is_some_and(|then| then == is || (new(then) && !is.paused));
        assert!(is == self.shift || asked, "kill {kill}: {self:?}, but there is {is:?}");
        (self.shift, self.unsure) = (is, None);
    }
}

impl Rudder {
    fn serves(self) -> IpAddr {
        if self.out.is_some() { SECOND } else { self.first }
    }
}

/// The address of one answer; `None` when nobody answers at once.
fn ask_once(dns: SocketAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(dns).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let question = Question::new("app.site.test", A);
    socket.send(&question.wire(7)).ok()?;
    let mut reply = [0; 512];
    let length = socket.recv(&mut reply).ok()?;
    Reply::read(reply[..length].to_vec()).addresses().first().copied()
}

/// What a run came to.
#[derive(Debug, Default)]
struct Report {
    acknowledged: usize,
    /// Of these about plans.
    planned: usize,
    unheard: usize,
    unheard_but_done: usize,
    first_answers: Vec<Duration>,
}

fn run(kills: u32, seed: u64) -> Report {
    let mut rng = Rng::with_seed(seed);
    let (port, [target]) = targets(Kind::Tcp);
    let site = Site::new(&body(port, target.ip()));
    let first = site.serve();
    let (dns, admin) = (first.v4, first.admin);
    first.stop();
    // From now on where the first one was.
    let text = std::fs::read_to_string(site.config()).unwrap();
    let text = text.replace("\"127.0.0.1:0\", \"[::1]:0\"", &format!("\"{dns}\""));
    site.write("trimtab.toml", &text.replace("\"127.0.0.1:0\"", &format!("\"{admin}\"")));

    let mut known: Vec<Known> = (0..OPERATORS).map(|_| Known::default()).collect();
    let mut rudder = Rudder { first: target.ip(), out: None, unsure: false, acknowledged: 0 };
    let mut planner = Planner::default();
    let mut report = Report::default();
    for kill in 0..=kills {
        let start = now();
        let server = Server::spawn(&site);
        let answer = loop {
            if let Some(answer) = ask_once(dns) {
                break answer;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "{}", server.log.text());
        };
        report.first_answers.push(start.elapsed());
        let http = Http::new(admin);
        let list = http.get("/overrides").json();
        let list: BTreeMap<u64, Value> = (list.as_array().unwrap().iter())
            .map(|one| (one["id"].as_u64().unwrap(), one.clone()))
            .collect();
        // Whoever steered may not have heard of what was done last.
        let out = list.values().find(|one| one["region"] == "a").map(|one| one["id"].as_u64());
        let out = out.flatten();
        assert!(rudder.unsure || rudder.out == out, "kill {kill}: {rudder:?}, but {out:?}");
        rudder = Rudder { out, unsure: false, ..rudder };
        planner.meets(&http.get("/plans").json(), kill);
        assert_eq!(answer, rudder.serves(), "kill {kill}: the first answer");
        for own in &mut known {
            for (id, reason) in &own.standing {
                let there = list.get(id).map(|one| &one["reason"]);
                let ending = own.ending.contains(id);
                assert!(
                    there == Some(&json!(reason)) || (ending && there.is_none()),
                    "kill {kill}: override {id} ({reason}) is lost: {there:?}\n{}",
                    server.log.text()
                );
            }
            own.standing.retain(|id, _| list.contains_key(id));
            own.ending.clear();
            // The same command once more, under its key: it is done once, whether it was done or not.
            for (key, body) in std::mem::take(&mut own.unheard) {
                report.unheard += 1;
                let name = key.split('-').next().unwrap();
                let http = http.clone().with("X-Trimtab-Actor", name);
                let again = http.with("Idempotency-Key", &key).post("/overrides", &body).json();
                let id = again["overrides"][0]["id"].as_u64().unwrap();
                let done = list.get(&id).is_some_and(|one| one["reason"] == json!(key));
                assert_eq!(again["repeated"], json!(done), "kill {kill}: {again}");
                report.unheard_but_done += usize::from(done);
                own.standing.insert(id, key);
            }
        }
        let all: usize = known.iter().map(|own| own.standing.len()).sum();
        let there = http.get("/overrides").json().as_array().unwrap().len();
        assert_eq!(there, all + usize::from(rudder.out.is_some()), "kill {kill}: none twice");
        if kill == kills {
            break;
        }

        let operators: Vec<_> = (0..OPERATORS)
            .zip(known.drain(..))
            .map(|(number, own)| {
                let rng = rng.fork();
                thread::spawn(move || operate(admin, &format!("op{number}"), own, rng))
            })
            .collect();
        let steering = thread::spawn(move || steer((dns, admin), rudder));
        let fork = rng.fork();
        let planning = thread::spawn(move || plan(admin, planner, fork));
        thread::sleep(Duration::from_millis(rng.u64(1..LIFE_MS)));
        // It is killed with SIGKILL when it is dropped.
        drop(server);
        known = operators.into_iter().map(|operator| operator.join().unwrap()).collect();
        rudder = steering.join().unwrap();
        planner = planning.join().unwrap();
    }
    report.planned = planner.acknowledged;
    report.acknowledged = planner.acknowledged
        + rudder.acknowledged
        + known.iter().map(|own| own.acknowledged).sum::<usize>();
    report
}

#[test]
fn what_was_acknowledged_survives_a_few_kills() {
    let report = run(6, 1);
    assert!(report.acknowledged > report.planned && report.planned > 0, "{report:?}");
}

/// Two hundred times, or as often as TRIMTAB_KILLS says; run by `just kills`.
#[test]
#[ignore = "takes minutes"]
#[expect(clippy::disallowed_methods, reason = "how often is for who runs it to say")]
fn what_was_acknowledged_survives_hundreds_of_kills() {
    let kills = std::env::var("TRIMTAB_KILLS").ok().and_then(|text| text.parse().ok());
    let kills = kills.unwrap_or(200);
    let mut report = run(kills, 2);
    report.first_answers.sort_unstable();
    let at =
        |part: f64| report.first_answers[((report.first_answers.len() - 1) as f64 * part) as usize];
    println!(
        "{kills} kills: {} commands acknowledged ({} about plans), none lost; {} not heard of, {} of which were done; \
         first answer after {:?} (median), {:?} (99 %), {:?} (all)",
        report.acknowledged,
        report.planned,
        report.unheard,
        report.unheard_but_done,
        at(0.5),
        at(0.99),
        at(1.0)
    );
}
