//! What is sent, to the letter.

use std::time::{Duration, SystemTime};

use domain::utils::base64;
use ring::hmac;

use super::super::hook::Item;
use super::super::{Message, Request, Secret, Turn, alarms};
use super::{hook, transition};
use crate::config::{Topic, WebhookFormat};

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// A request as it is on the wire, its JSON made readable.
fn shown(request: &Request) -> String {
    let headers = request.headers.iter();
    let headers = headers.map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()));
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    let body = serde_json::to_string_pretty(&body).unwrap();
    format!("POST {}\n{}\n{body}\n", request.url, headers.collect::<String>())
}

fn told(format: WebhookFormat, messages: &[std::sync::Arc<Message>]) -> Request {
    let hook = hook("ops", format);
    let mut alarms = alarms::Alarms::default();
    let items: Vec<Item> = messages
        .iter()
        .map(|message| {
            let alert = alarms.note(&hook.instance, message);
            Item { message: std::sync::Arc::clone(message), alert }
        })
        .collect();
    hook.tell(&items, now()).unwrap()
}

#[test]
fn cloudevents() {
    let request = told(WebhookFormat::CloudEvents, &[transition(7, Turn::Worse)]);
    insta::assert_snapshot!(shown(&request));
}

#[test]
fn slack() {
    let messages = [transition(7, Turn::Worse), transition(8, Turn::Better)];
    insta::assert_snapshot!(shown(&told(WebhookFormat::Slack, &messages)));
}

#[test]
fn alertmanager_fires() {
    let request = told(WebhookFormat::Alertmanager, &[transition(7, Turn::Worse)]);
    insta::assert_snapshot!(shown(&request));
}

#[test]
fn alertmanager_resolves_what_it_fired_whatever_region_it_is_in_by_now() {
    let mut better = Message::clone(&transition(9, Turn::Better));
    better.region = Some("eu-central".into());
    let messages = [transition(7, Turn::Worse), better.into()];
    let request = told(WebhookFormat::Alertmanager, &messages);
    insta::assert_snapshot!(shown(&request));
}

#[test]
fn alertmanager_hears_of_the_end_of_what_began_in_another_life() {
    let request = told(WebhookFormat::Alertmanager, &[transition(9, Turn::Better)]);
    let alerts: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(alerts[0]["endsAt"], "2026-11-30T12:00:09Z");
    assert_eq!(alerts[0].get("startsAt"), None, "{alerts}");
}

#[test]
fn every_topic_has_an_alert_of_its_own() {
    let alert = |topic| {
        let message = Message { topic, ..Message::clone(&transition(7, Turn::Worse)) };
        let request = told(WebhookFormat::Alertmanager, &[message.into()]);
        let alerts: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let label = |name: &str| alerts[0]["labels"][name].as_str().unwrap().to_owned();
        format!("{} ({})", label("alertname"), label("severity"))
    };
    let alerts: Vec<String> =
        Topic::ALL.iter().map(|(word, topic)| format!("{word}: {}", alert(Some(*topic)))).collect();
    insta::assert_snapshot!(alerts.join("\n"));
}

#[test]
fn a_message_is_signed_so_that_others_can_tell() {
    let octets = [7; 32];
    let mut hook = hook("ops", WebhookFormat::CloudEvents);
    hook.secrets = vec![Secret::parse(&base64::encode_string(&octets)).unwrap()];
    hook.authorization = Some("Bearer abc".parse().unwrap());
    let message = Message::clone(&transition(7, Turn::Worse));
    let request = hook.trial(message, now()).unwrap();
    let header = |name: &str| request.headers[name].to_str().unwrap();
    assert_eq!(header("authorization"), "Bearer abc");
    // As a receiver would do it, with nothing of the code that signs.
    let mut signed = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp"));
    signed.push_str(std::str::from_utf8(&request.body).unwrap());
    let (version, signature) = header("webhook-signature").split_once(',').unwrap();
    let signature = base64::decode::<Vec<u8>>(signature).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &octets);
    assert_eq!(version, "v1");
    hmac::verify(&key, signed.as_bytes(), &signature).expect("the signature is good");
    assert_eq!(header("webhook-timestamp"), "1800000000");
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["id"], header("webhook-id"), "one id for whoever wants each only once");
}

#[test]
fn a_trial_fires_an_alert_that_ends_by_itself() {
    let hook = hook("ops", WebhookFormat::Alertmanager);
    let message = Message { topic: None, ..Message::clone(&transition(7, Turn::Neither)) };
    let request = hook.trial(message, now()).unwrap();
    let alerts: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(alerts[0]["labels"]["alertname"], "TrimtabTest");
    assert_eq!(alerts[0]["endsAt"], "2027-01-15T08:01:00Z");
}

#[test]
fn a_text_of_a_chat_is_cut_off_where_it_is_too_long() {
    let text = "x".repeat(5000);
    let message = Message { text, ..Message::clone(&transition(7, Turn::Worse)) };
    let message = std::sync::Arc::new(message);
    let messages = vec![message; 20];
    let request = told(WebhookFormat::Slack, &messages);
    assert!(request.body.len() < 40_000, "{}", request.body.len());
}
