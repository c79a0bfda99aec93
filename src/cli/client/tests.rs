//! Questions over real sockets, to servers that answer, refuse, break off, or are not there.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::fake::{Act, Fake, fleet, servers};
use super::{Call, Fleet, Servers, Told, Trouble, block_on};
use crate::cli::show;

/// What all servers say to a call.
fn all(fleet: &Fleet, call: &Call) -> Vec<Told<Value>> {
    let ask = |server: super::Server| {
        let call = call.clone();
        async move { server.ask::<Value>(&call).await }
    };
    block_on(fleet.all(ask)).unwrap()
}

/// What one server says.
fn ask(url: &str, call: &Call) -> Result<Value, Trouble> {
    all(&fleet(&[url]), call).remove(0).said
}

fn change() -> Call {
    Call::post(&["overrides"], json!({ "kind": "drain" })).once("k1")
}

#[test]
fn a_question_says_what_is_asked_and_who_asks() {
    let fake = Fake::start(|_, _| Act::Json(200, json!({ "yes": true })));
    let call = Call::get(&["events"]).with("after", Some(7)).with("region", None::<&str>);
    assert_eq!(ask(&fake.url(), &call), Ok(json!({ "yes": true })));
    let asked = &fake.asked()[0];
    assert_eq!(asked.line, "GET /api/v1/events?after=7");
    assert_eq!(asked.header("x-trimtab-actor"), Some("alice@ops"));
    assert_eq!((asked.header("authorization"), asked.header("idempotency-key")), (None, None));

    assert!(ask(&fake.url(), &change()).is_ok());
    let asked = &fake.asked()[1];
    assert_eq!(asked.line, "POST /api/v1/overrides");
    assert_eq!(asked.header("idempotency-key"), Some("k1"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert_eq!(asked.body, json!({ "kind": "drain" }));
}

#[test]
fn the_token_of_a_file_is_shown() {
    let fake = Fake::start(|_, _| Act::Json(200, json!(null)));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "ops:secret\n").unwrap();
    let named = Servers { token_file: Some(file), ..servers(&[&fake.url()]) };
    let told = all(&Fleet::of(&named).unwrap(), &Call::get(&["status"]));
    assert_eq!(told[0].said, Ok(Value::Null));
    assert_eq!(fake.asked()[0].header("authorization"), Some("bearer secret"));
}

#[test]
fn what_a_connection_broke_off_is_sent_again_under_the_same_key() {
    for act in [Act::Break, Act::Half] {
        let broken = act.clone();
        let fake = Fake::start(move |number, _| match number {
            0 | 1 => broken.clone(),
            _ => Act::Json(201, json!("done")),
        });
        assert_eq!(ask(&fake.url(), &change()), Ok(json!("done")), "{act:?}");
        let keys: Vec<String> = fake
            .asked()
            .iter()
            .filter_map(|asked| Some(asked.header("idempotency-key")?.into()))
            .collect();
        assert_eq!(keys, ["k1", "k1", "k1"]);
    }
}

#[test]
fn what_breaks_off_each_time_may_have_been_done() {
    let fake = Fake::start(|_, _| Act::Break);
    assert!(matches!(ask(&fake.url(), &change()), Err(Trouble::Broken(_))));
    assert_eq!(fake.asked().len(), 3);
    // Without a key it would be done twice.
    let fake = Fake::start(|_, _| Act::Break);
    let call = Call::post(&["reload"], json!({}));
    assert!(matches!(ask(&fake.url(), &call), Err(Trouble::Broken(_))));
    assert_eq!(fake.asked().len(), 1);
}

#[test]
fn nobody_there_is_told_from_nobody_answering() {
    let said = ask(&Fake::nobody(), &change());
    assert_eq!(said, Err(Trouble::Unreachable("connection refused".into())));

    let fake = Fake::start(|_, _| Act::Hang);
    let named = Servers { timeout: Some(Duration::from_millis(80)), ..servers(&[&fake.url()]) };
    let told = all(&Fleet::of(&named).unwrap(), &change());
    assert_eq!(told[0].said, Err(Trouble::Silent("no answer within 80ms".into())));
    assert_eq!(fake.asked().len(), 1, "it is not waited for again");
}

#[test]
fn a_refusal_is_told_from_what_is_no_trimtab() {
    let problem = json!({
        "type": "/api/v1/problems/nothing_left", "code": "nothing_left", "title": "Nothing left",
        "status": 409, "detail": "one record", "count": 30,
        "records": [{ "record": "a.test", "family": "ipv4", "now": 1, "then": 0, "pools": 2 }],
    });
    let sent = problem.clone();
    let fake = Fake::start(move |_, _| Act::Json(409, sent.clone()));
    let Err(Trouble::Refused(refusal)) = ask(&fake.url(), &change()) else { panic!("refused") };
    assert_eq!(refusal.sentence(), "one record");
    let (records, count) = refusal.left_with_nothing().unwrap();
    assert_eq!((records[0].record.as_str(), records[0].then, count), ("a.test", 0, 30));
    // As it was sent, whatever else it says.
    assert_eq!(Trouble::Refused(refusal).json(), problem);

    for status in [200, 404, 502] {
        let fake = Fake::start(move |_, _| Act::Page(status));
        assert!(matches!(ask(&fake.url(), &change()), Err(Trouble::Strange(_))), "{status}");
    }
    let fake = Fake::start(|_, _| Act::Json(200, json!("text")));
    let told = block_on(
        fleet(&[&fake.url()])
            .all(|server| async move { server.ask::<Vec<u64>>(&Call::get(&["overrides"])).await }),
    );
    assert!(matches!(told.unwrap()[0].said, Err(Trouble::Strange(_))));
}

#[test]
fn several_are_asked_at_once_and_told_of_in_order() {
    // Each answers only when both have been asked.
    let both = Arc::new(std::sync::Barrier::new(2));
    let start = |name: &'static str| {
        let both = Arc::clone(&both);
        Fake::start(move |_, _| {
            both.wait();
            Act::Json(200, json!(name))
        })
    };
    let (one, two, nobody) = (start("one"), start("two"), Fake::nobody());
    let urls = [one.url(), nobody.clone(), two.url()];
    let fleet = fleet(&urls.each_ref().map(String::as_str));
    let told = all(&fleet, &Call::get(&["status"]));
    assert_eq!(told.iter().map(|told| told.admin.clone()).collect::<Vec<_>>(), urls);
    assert_eq!((&told[0].said, &told[2].said), (&Ok(json!("one")), &Ok(json!("two"))));
    assert_eq!(told[1].said, Err(Trouble::Unreachable("connection refused".into())));
}

#[test]
fn exit_codes_tell_none_from_some() {
    let good = || Ok(1);
    let gone = || Err(Trouble::Unreachable("gone".into()));
    let bad = || Err(Trouble::Strange("bad".into()));
    let code = |said: Vec<Result<i32, Trouble>>| {
        let told = said.into_iter().map(|said| Told { admin: "http://a".into(), said });
        match show::outcome(&told.collect::<Vec<_>>()) {
            Ok(()) => 0,
            Err(crate::cli::Failure::Told(code)) => code,
            Err(other) => panic!("{other:?}"),
        }
    };
    assert_eq!(code(vec![good(), good()]), 0);
    assert_eq!(code(vec![good(), gone()]), 1);
    assert_eq!(code(vec![bad(), gone()]), 1);
    assert_eq!(code(vec![gone(), gone()]), 3);
    assert_eq!(code(vec![gone()]), 3);
    assert_eq!(code(vec![bad()]), 1);
}

#[test]
fn a_private_authority_is_trusted_when_it_is_named() {
    let key = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
    let private = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let tls = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private)
        .unwrap();
    let fake = Fake::start_tls(tls, |_, _| Act::Json(200, json!(1)));
    let dir = tempfile::tempdir().unwrap();
    let told = |host: &str, pem: &str| {
        let file = dir.path().join("ca.pem");
        std::fs::write(&file, pem).unwrap();
        let url = format!("https://{host}:{}", fake.port());
        let named = Servers { ca: Some(file), ..servers(&[&url]) };
        all(&Fleet::of(&named).unwrap(), &Call::get(&["status"])).remove(0).said
    };
    assert_eq!(told("localhost", &key.cert.pem()), Ok(json!(1)));
    let other = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
    for (host, pem) in [("localhost", other.cert.pem()), ("127.0.0.1", key.cert.pem())] {
        let Err(Trouble::Unreachable(why)) = told(host, &pem) else { panic!("{host}") };
        assert!(why.contains("certificate"), "{why}");
    }
}
