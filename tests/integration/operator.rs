//! The operators' verbs: the real program against real servers, whose targets really fail. What is
//! printed, what is then served over DNS, and the exit codes.

use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use trimtab::clock::now;

use crate::harness::{
    Kind, Mode, Server, Signal, Site, Target, operate, operator, quick, set_down, targets, until,
};

const APP: &str = "app.site.test";

/// A server with the regions a, b and c, each with a target that can fail, and two records.
struct Desk {
    server: Server,
    site: Site,
    targets: [Target; 3],
    url: String,
    body: String,
}

impl Desk {
    fn open() -> Self {
        let (port, targets) = targets::<3>(Kind::Http);
        let records = "[[records]]\nname = \"app.site.test\"\npolicy = \"weighted\"\n\
                       [[records]]\nname = \"c.site.test\"\npolicy = \"c\"\n";
        let body = quick(Kind::Http, port, &targets) + records;
        let site = Site::new(&body);
        let server = site.serve();
        let url = format!("http://{}", server.admin);
        Self { server, site, targets, url, body }
    }

    fn ip(&self, region: char) -> IpAddr {
        self.targets[(u32::from(region) - u32::from('a')) as usize].ip()
    }

    /// Runs a command that must succeed, and gives what it prints.
    #[track_caller]
    fn does(&self, words: &str) -> String {
        let ended = operate(words, &[&self.url]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{words}: {}", ended.stdout);
        ended.stdout
    }

    /// Runs a command that must fail with 1, and gives what it complains of.
    #[track_caller]
    fn refuses(&self, words: &str) -> String {
        let ended = operate(words, &[&self.url]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{words}");
        assert!(ended.stderr.starts_with(&format!("error: {}: ", self.url)), "{}", ended.stderr);
        ended.stderr
    }

    /// Runs a command with `--json`, and gives what the only server says.
    #[track_caller]
    fn json(&self, words: &str) -> Value {
        let told: Value = serde_json::from_str(&self.does(&format!("{words} --json"))).unwrap();
        assert_eq!((&told[0]["ok"], &told[0]["admin"]), (&true.into(), &self.url.as_str().into()));
        told[0]["result"].clone()
    }

    /// These regions are served, and no others.
    #[track_caller]
    fn serves(&self, regions: &str) {
        let wanted: Vec<IpAddr> = regions.chars().map(|region| self.ip(region)).collect();
        self.server.settles_on(APP, &wanted);
    }
}

/// A line of a text that has all of these.
#[track_caller]
fn line<'a>(text: &'a str, parts: &[&str]) -> &'a str {
    let found = text.lines().find(|line| parts.iter().all(|part| line.contains(part)));
    found.unwrap_or_else(|| panic!("no line with {parts:?}:\n{text}"))
}

#[test]
fn a_night_at_the_desk() {
    let desk = Desk::open();
    set_down(&desk.server, &desk.targets, "");
    let status = desk.does("status");
    line(&status, &[&desk.url, "trimtab ", "up "]);
    line(&status, &["targets: 3 up"]);
    line(&status, &["  a ", " up ", "100", "33 %"]);
    line(&status, &[APP, "ipv4", "3/3"]);
    assert!(status.lines().count() <= 24, "{status}");

    // What would come of it changes nothing.
    let dry = desk.does("drain a --dry-run");
    line(&dry, &["dry run: nothing is done"]);
    line(&dry, &["would begin: drain a, until it is ended"]);
    line(&dry, &[APP, "ipv4", "a", "33 %", "0 %"]);
    line(&dry, &["  b ", "33 %", "50 %"]);
    assert!(desk.json("status")["overrides"].as_array().unwrap().is_empty());

    let drained = desk.does("drain a --for 2h --reason 'kernel upgrade'");
    line(&drained, &["begun override ", ": drain a, until ", "(in 2h)"]);
    line(&drained, &["in force with tables "]);
    desk.serves("bc");
    let status = desk.does("status");
    line(&status, &["  a ", " up ", "0 %", "drained"]);
    line(&status, &["drain a, until ", "(in "]);
    line(&status, &["alice@ops at ", ": kernel upgrade"]);

    // A target that fails for real.
    desk.targets[1].set(Mode::Status(503));
    desk.serves("c");
    let status = desk.does("status");
    line(&status, &["  b ", "down", "0 %"]);
    line(&status, &["    ", "HTTP 503"]);
    line(&status, &["2 records, ", " at risk"]);
    line(&status, &[APP, "1/3", "last pool"]);

    // Nothing but drained and down pools would be left.
    let refusal = desk.refuses("drain c");
    line(&refusal, &["record", "family", "pools", "up now", "up then"]);
    line(&refusal, &[APP, "ipv4", "3", "1", "0"]);
    line(&refusal, &["help: ", "--force"]);
    desk.serves("c");
    desk.does("drain c --record app.site.test --force");
    // Of what is drained, what is up is still used before what is down.
    desk.serves("ac");

    desk.targets[1].set(Mode::Ok);
    desk.serves("b");
    let ended = desk.does("undrain c --record app.site.test");
    line(&ended, &["ended override ", "drain c in app.site.test, by alice@ops since "]);
    desk.does("undrain a");
    desk.serves("abc");
    let nothing = desk.refuses("undrain a");
    assert_eq!(nothing.lines().count(), 1, "{nothing}");

    let events = desk.does("events");
    line(&events, &["drain", "a", "alice@ops", "kernel upgrade"]);
    line(&events, &["from up to down", "HTTP 503"]);
    assert_eq!(desk.json("events -n 2").as_array().unwrap().len(), 2);
    let all = desk.json("events -n 1000");
    let first = all[0]["id"].as_u64().unwrap();
    let rest = desk.json(&format!("events --since {first}"));
    assert_eq!(rest[0]["id"], first + 1);
}

#[test]
fn regions_are_forced_and_weighed_and_let_go() {
    let desk = Desk::open();
    set_down(&desk.server, &desk.targets, "");
    desk.does("force a down");
    desk.serves("bc");
    line(&desk.does("status"), &["  a ", " up ", "forced down"]);
    line(&desk.does("force a clear"), &["ended override ", "force a down"]);
    desk.serves("abc");

    set_down(&desk.server, &desk.targets, "b");
    desk.serves("ac");
    desk.does("force b up --reason 'the check is wrong'");
    desk.serves("abc");
    line(&desk.does("status"), &["  b ", " down ", "forced up"]);
    desk.does("force b clear");
    desk.serves("ac");

    let weight = desk.json("weight a 0 --record app.site.test");
    desk.serves("c");
    let id = weight["overrides"][0]["id"].as_u64().unwrap();
    desk.does(&format!("end {id}"));
    desk.serves("ac");
    assert!(desk.refuses(&format!("end {id}")).contains(&id.to_string()));
    desk.does("weight a 300");
    line(&desk.does("status"), &["  a ", "100 → 300", "75 %"]);
    desk.does("weight a --reset");
    line(&desk.does("status"), &["  a ", "50 %"]);

    let typo = desk.refuses("drain aa");
    assert!(typo.contains("aa"), "{typo}");
    assert!(desk.refuses("drain a --record c.site.test").contains("c.site.test"));
}

#[test]
fn gradual_moves_can_be_waited_for() {
    let desk = Desk::open();
    set_down(&desk.server, &desk.targets, "");
    let began = now();
    let moved = desk.does("drain a --over 2s --wait");
    assert!(now() - began >= Duration::from_millis(1900), "it did not wait");
    line(&moved, &["begun override ", "all in "]);
    desk.serves("bc");
    let view = &desk.json("status")["overrides"][0];
    assert_eq!((&view["drained"], &view["done_in_secs"]), (&1.0.into(), &Value::Null));

    line(&desk.does("undrain a --over 2s"), &["returning override ", "back in "]);
    line(&desk.does("status"), &["drain a, ", " now, back in "]);
    until("the drain has returned", || {
        let status = desk.json("status");
        status["overrides"].as_array().unwrap().is_empty().then_some(())
    });
    desk.serves("abc");
    desk.does("drain a");
    desk.does("undrain a --over 1s --wait");
    assert_eq!(desk.json("status")["overrides"], Value::Array(Vec::new()));
}

#[test]
fn several_servers_are_told_of_one_by_one() {
    let (one, two) = (Desk::open(), Desk::open());
    let nobody = "http://127.0.0.1:1";
    let both = operate("drain a --reason x", &[&one.url, &two.url]);
    assert_eq!((both.code, both.stderr.as_str()), (Some(0), ""));
    for desk in [&one, &two] {
        line(&both.stdout, &[&desk.url]);
        desk.serves("bc");
    }

    let some = operate("undrain a", &[&one.url, nobody, &two.url]);
    assert_eq!(some.code, Some(1));
    assert_eq!(some.stdout.matches("ended override").count(), 2, "{}", some.stdout);
    let wanted = format!(
        "error: {nobody}: cannot be reached: connection refused\n\
         error: 1 of 3 servers did not do it\n"
    );
    assert_eq!(some.stderr, wanted);
    one.serves("abc");

    let some = operate("status --json", &[&one.url, nobody]);
    assert_eq!((some.code, some.stderr.as_str()), (Some(1), ""));
    let told: Value = serde_json::from_str(&some.stdout).unwrap();
    assert_eq!(told[0]["result"]["regions"][0]["name"], "a");
    assert_eq!(
        (&told[1]["ok"], &told[1]["problem"]["code"]),
        (&false.into(), &"unreachable".into())
    );

    assert_eq!(operate("status", &[nobody]).code, Some(3));
    // One that is there, but says nothing.
    two.server.signal(Signal::Pause);
    let silent = operate("status --timeout 300ms", &[&two.url]);
    assert_eq!(silent.code, Some(3), "{silent:?}");
    assert!(silent.stderr.contains("no answer within 300ms"), "{}", silent.stderr);
    two.server.signal(Signal::Resume);
    two.does("status");
}

#[test]
fn a_reload_tells_what_came_of_it() {
    let desk = Desk::open();
    set_down(&desk.server, &desk.targets, "");
    desk.site.configure(&desk.body.replace("[regions.a]\n", "[regions.a]\nweight = 0\n"));
    line(&desk.does("reload --reason 'a rests'"), &["reloaded: in force with tables "]);
    desk.serves("bc");

    desk.site.configure(&desk.body.replace("[regions.a]\n", "[regions.a]\nwieght = 5\n"));
    let refusal = desk.refuses("reload");
    assert!(refusal.contains("wieght"), "{refusal}");
    line(&refusal, &["help: "]);
    desk.serves("bc");
    let told = operate("reload --json", &[&desk.url]);
    assert_eq!(told.code, Some(1));
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told[0]["problem"]["code"], "configuration_refused");
}

#[test]
fn a_running_server_explains_its_answers() {
    let desk = Desk::open();
    set_down(&desk.server, &desk.targets, "b");
    desk.does("drain a");
    desk.serves("c");
    let told = desk.does("resolve app.site.test --live --from 192.0.2.0/24");
    line(&told, &["from 192.0.2.0/24"]);
    line(&told, &["  a ", "drained"]);
    line(&told, &["  b ", "down"]);
    line(&told, &["100 %", &desk.ip('c').to_string(), "(c)"]);
    // All but what is said to be down is as it is.
    let supposed = desk.does("resolve app.site.test --live --down c");
    line(&supposed, &["with c down, and all else as it is"]);
    line(&supposed, &["100 %", &desk.ip('a').to_string(), "(a)"]);
    assert_eq!(desk.json("resolve app.site.test --live")["explanation"]["family"], "ipv4");
    assert!(desk.refuses("resolve app.elsewhere.test --live").contains("app.elsewhere.test"));
    assert!(desk.refuses("resolve app.site.test --live --down cc").contains("cc"));
}

/// A command that goes on, and its lines as they come.
struct Follower {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Follower {
    fn start(words: &str, desk: &Desk) -> Self {
        let mut child = operator(words, &[&desk.url]).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let from = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            from.lines().map_while(Result::ok).try_for_each(|line| sender.send(line).ok())
        });
        Self { child, lines }
    }

    /// Waits for a line that has all of these.
    #[track_caller]
    fn tells(&self, parts: &[&str]) -> String {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(Duration::from_secs(10)) {
                Ok(line) if parts.iter().all(|part| line.contains(part)) => return line,
                Ok(line) => seen.push(line),
                Err(_) => panic!("no line with {parts:?}: {seen:#?}"),
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_happens_is_followed() {
    let desk = Desk::open();
    set_down(&desk.server, &desk.targets, "");
    let events = Follower::start("events --follow", &desk);
    let json = Follower::start("events --follow --json", &desk);
    let watch = Follower::start("watch", &desk);
    watch.tells(&["a: up, share 33 %"]);
    desk.targets[0].set(Mode::Status(500));
    events.tells(&["from up to down", "HTTP 500"]);
    watch.tells(&["a: ", "down (", "HTTP 500"]);
    desk.does("drain b --reason tired");
    events.tells(&["drain", "alice@ops", "tired"]);
    watch.tells(&["override ", " by alice@ops: drain b: tired"]);
    let told: Value = serde_json::from_str(&json.tells(&["tired"])).unwrap();
    assert_eq!((&told["ok"], &told["result"]["actor"]), (&true.into(), &"alice@ops".into()));

    // A server that is gone for a while is told of, and followed again.
    desk.server.signal(Signal::Pause);
    desk.server.signal(Signal::Resume);
    desk.does("undrain b");
    events.tells(&["drain", "b"]);
    watch.tells(&["override ", " has ended"]);
}
