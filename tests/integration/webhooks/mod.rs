//! Webhooks of the real server: a target breaks and mends, a reload fails, a receiver is away.

mod receiver;

use domain::utils::base64;
use ring::hmac;

use crate::harness::{Kind, Mode, Site, quick, serve_command, targets};
use receiver::{Asked, Taker};

const SECRET: [u8; 32] = [9; 32];
const RECORD: &str = "[[records]]\nname = \"app.site.test\"\npolicy = \"weighted\"\n";

/// A site with one webhook for each of these, and what else its configuration has.
fn site(hooks: &[(&str, &Taker, &str)], body: &str) -> Site {
    let hook = |(name, taker, keys): &(&str, &Taker, &str)| {
        format!("[webhooks.{name}]\nurl = \"{}\"\n{keys}\n", taker.url())
    };
    let hooks: String = hooks.iter().map(hook).collect();
    let site = Site::of_server("nsid = \"ns1\"", &format!("{hooks}{body}"));
    site.write_private("secret", &format!("whsec_{}\n", base64::encode_string(&SECRET)));
    site.write_private("token", "t0ken\n");
    site
}

/// Checks a signature as a receiver does (<https://www.standardwebhooks.com>).
#[track_caller]
fn verify(asked: &Asked) {
    let (id, time) = (asked.header("webhook-id"), asked.header("webhook-timestamp"));
    let signature = asked.header("webhook-signature").strip_prefix("v1,").expect("version 1");
    let signature = base64::decode::<Vec<u8>>(signature).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &SECRET);
    let signed = format!("{id}.{time}.{}", asked.body);
    hmac::verify(&key, signed.as_bytes(), &signature).expect("a good signature");
}

/// The kind and turn of a signed event, and its subject.
#[track_caller]
fn told(asked: &Asked) -> String {
    verify(asked);
    let event = asked.json();
    let word = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let data = &event["data"];
    format!("{} {} {}", word(&event["type"]), word(&data["turn"]), word(&event["subject"]))
}

#[test]
fn a_target_that_breaks_and_mends_is_told_signed_and_in_order() {
    let (port, [a]) = &targets(Kind::Http);
    let (taker, pager) = (Taker::new(), Taker::new());
    let hooks = [
        ("ops", &taker, "secret_file = \"secret\"\ntoken_file = \"token\""),
        ("pager", &pager, "format = \"alertmanager\""),
    ];
    let body = quick(Kind::Http, *port, std::slice::from_ref(a)) + RECORD;
    let site = site(&hooks, &body);
    let server = site.serve();
    server.settles_on("app.site.test", &[a.ip()]);

    a.set(Mode::Status(503));
    let subject = format!("{}: web", a.ip());
    let down = taker.hear();
    assert_eq!(told(&down), format!("io.trimtab.transition worse {subject}"));
    assert_eq!(down.header("authorization"), "Bearer t0ken");
    assert_eq!(down.json()["source"], "/trimtab/ns1");
    let all_down = "app.site.test IPv4";
    assert_eq!(told(&taker.hear()), format!("io.trimtab.all_down worse {all_down}"));

    a.set(Mode::Ok);
    assert_eq!(told(&taker.hear()), format!("io.trimtab.transition better {subject}"));
    assert_eq!(told(&taker.hear()), format!("io.trimtab.all_down better {all_down}"));
    server.metric_becomes(
        "trimtab_webhook_deliveries_total{webhook=\"ops\",result=\"delivered\"}",
        4.0,
    );

    // It may all have come in one request; but what fired ends, and by the same labels.
    let (mut fired, mut ended) = (Vec::new(), Vec::new());
    while ended.len() < 2 {
        let asked = pager.hear();
        assert!(asked.head.starts_with("POST /hook/api/v2/alerts "), "{}", asked.head);
        for alert in asked.json().as_array().unwrap() {
            let labels = alert["labels"].clone();
            assert_eq!(labels["instance"], "ns1");
            let list = if alert.get("endsAt").is_some() { &mut ended } else { &mut fired };
            list.push(labels);
        }
    }
    assert!(fired.iter().all(|labels| ended.contains(labels)), "{fired:?} {ended:?}");
    assert!(server.stop().success());
}

#[test]
fn a_refused_reload_is_told_and_then_the_good_one() {
    let taker = Taker::new();
    let regions = "[regions.a]\naddresses = [\"127.0.0.9\"]\n";
    let body = format!("{regions}{RECORD}");
    let keys = "secret_file = \"secret\"\nevents = [\"reload_failed\"]";
    let site = site(&[("ops", &taker, keys)], &body);
    let server = site.serve();
    let good = std::fs::read_to_string(site.config()).unwrap();
    assert!(server.reload());
    site.write("trimtab.toml", &good.replace("weighted", "weihgted"));
    assert!(!server.reload());
    assert_eq!(told(&taker.hear()), "io.trimtab.reload worse configuration");
    site.write("trimtab.toml", &good);
    assert!(server.reload());
    assert_eq!(told(&taker.hear()), "io.trimtab.reload better configuration");
    assert!(server.stop().success());
}

#[test]
fn what_a_receiver_misses_it_gets_later_also_across_a_reload() {
    let (port, [a]) = &targets(Kind::Http);
    let taker = Taker::new();
    let keys = "secret_file = \"secret\"\nevents = [\"transition\"]";
    let body = quick(Kind::Http, *port, std::slice::from_ref(a)) + RECORD;
    let site = site(&[("ops", &taker, keys)], &body);
    let server = site.serve();
    server.settles_on("app.site.test", &[a.ip()]);
    taker.says(503);
    a.set(Mode::Refuse);
    let first = taker.hear();
    server.log.wait_for("the webhook ops does not work: HTTP 503: yes");
    assert!(server.reload());
    taker.says(204);
    server.log.wait_for("the webhook ops works again");
    let series = "trimtab_webhook_deliveries_total{webhook=\"ops\",result=\"delivered\"}";
    server.metric_becomes(series, 1.0);
    let again = taker.heard();
    assert!(!again.is_empty());
    for again in again {
        verify(&again);
        assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
        assert_eq!(again.body, first.body);
    }
    assert!(!server.log.text().contains("/hook"), "no URL in the log");
    assert!(server.stop().success(), "which nothing of that holds up");
}

#[test]
fn a_webhook_can_be_tried_from_the_command_line() {
    let taker = Taker::new();
    let site = site(&[("ops", &taker, "secret_file = \"secret\"")], "");
    let test = |name: &str| {
        let mut command = std::process::Command::new(serve_command(&site).get_program());
        command.args(["webhook", "test", name, "--config"]).arg(site.config());
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), text, String::from_utf8(output.stderr).unwrap())
    };
    let (code, out, err) = test("ops");
    assert_eq!((code, &*err), (Some(0), ""));
    assert!(out.starts_with("sent ") && out.ends_with("HTTP 200: it was taken\n\nyes\n"), "{out}");
    assert_eq!(told(&taker.hear()), "io.trimtab.test neither a test");
    taker.says(404);
    let (code, out, _) = test("ops");
    assert_eq!(code, Some(1));
    assert!(out.contains("HTTP 404: an event would not be tried again"), "{out}");
    let (code, _, err) = test("oops");
    assert_eq!(code, Some(2));
    assert!(err.contains("there is no webhook \"oops\": did you mean \"ops\"?"), "{err}");
}
