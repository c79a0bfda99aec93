//! What is refused, with which problem, before and by the writer.

use serde_json::json;

use super::Server;
use crate::admin::{Access, Tokens};
use crate::control::command::{LeftWithNothing, Refusal};
use crate::problem::Problems;

const JSON: &str = "Content-Type: application/json\r\n";
const ALICE: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const PROMETHEUS: &str = "pppppppppppppppppppppppppppppppp";

fn with_tokens() -> Access {
    let text = format!("alice:{ALICE}\nprometheus:read:{PROMETHEUS}\n");
    let mut problems = Problems::default();
    let tokens = Tokens::parse("k", "admin.token".as_ref(), &text, &mut problems);
    assert_eq!(problems, Problems::default());
    Access { tokens: Some(tokens), ..Access::default() }
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

#[tokio::test]
async fn only_who_shows_a_token_is_let_in() {
    let server = Server::start(with_tokens()).await;
    for path in ["/api/v1/status", "/api/v1/nosuch", "/metrics", "/nosuch"] {
        let line = format!("GET {path}");
        let reply = server.ask(&line, "", "").await;
        assert_eq!((reply.status, &*reply.code()), (401, "token_missing"), "{path}");
        assert!(reply.head.contains("www-authenticate: bearer realm=\"trimtab\"\r\n"), "{reply:?}");
        for wrong in ["x", &ALICE[1..], &format!("{ALICE}a"), "alice"] {
            let reply = server.ask(&line, &bearer(wrong), "").await;
            assert_eq!((reply.status, &*reply.code()), (401, "token_wrong"), "{path}: {wrong:?}");
            assert!(reply.head.contains("error=\"invalid_token\""), "{reply:?}");
        }
        for token in [ALICE, PROMETHEUS] {
            let reply = server.ask(&line, &bearer(token), "").await;
            let there = !path.contains("nosuch");
            assert_eq!(reply.status, if there { 200 } else { 404 }, "{path}: {reply:?}");
            assert!(reply.head.contains("cache-control: no-store\r\n"), "{reply:?}");
        }
    }
    for open in ["/healthz", "/readyz"] {
        assert_eq!(server.ask(&format!("GET {open}"), "", "").await.status, 200);
    }
}

#[tokio::test]
async fn who_may_only_read_changes_nothing() {
    let mut server = Server::start(with_tokens()).await;
    let drain = json!({"region": "a", "kind": "drain"}).to_string();
    for line in ["POST /api/v1/overrides", "DELETE /api/v1/overrides/7", "POST /api/v1/reload"] {
        let reply = server.ask(line, &format!("{JSON}{}", bearer(PROMETHEUS)), &drain).await;
        assert_eq!((reply.status, &*reply.code()), (403, "read_only"), "{line}");
        assert!(reply.head.contains("error=\"insufficient_scope\""), "{reply:?}");
    }
    assert_eq!(server.writer.commands(), []);
    // What is posted because a question has a body changes nothing either.
    server.errands.close();
    let question = r#"{"name": "app.site.test"}"#;
    let headers = format!("{JSON}{}", bearer(PROMETHEUS));
    let reply = server.ask("POST /api/v1/explain", &headers, question).await;
    assert_eq!(reply.code(), "unavailable", "it was let in, and nobody is there to explain");
    // Whose token it is says who it was, whatever he says himself.
    let headers = format!("{JSON}{}X-Trimtab-Actor: mallory\r\n", bearer(ALICE));
    assert_eq!(server.ask("POST /api/v1/overrides", &headers, &drain).await.status, 201);
    assert_eq!(server.writer.commands()[0].actor.name, "alice");
}

#[tokio::test]
async fn pages_of_other_sites_are_kept_out() {
    let server = Server::start(Access::default()).await;
    for (headers, code) in [
        ("Host: evil.test\r\n", "wrong_host"),
        ("Host: 192.0.2.1:9953\r\n", "wrong_host"),
        ("Origin: http://evil.test\r\n", "wrong_origin"),
        ("Origin: null\r\n", "wrong_origin"),
    ] {
        for line in ["GET /api/v1/status", "POST /api/v1/overrides", "GET /metrics"] {
            let reply = server.ask(line, headers, "").await;
            assert_eq!((reply.status, &*reply.code()), (403, code), "{line} {headers}");
            assert!(!reply.head.contains("access-control"), "{reply:?}");
        }
    }
    let own = "Host: localhost:9953\r\nOrigin: http://localhost:9953\r\n";
    assert_eq!(server.ask("GET /api/v1/status", own, "").await.status, 200);
    // With a token the host may have any name: a page has no token.
    let server = Server::start(with_tokens()).await;
    let named = format!("Host: ns1.example.net\r\n{}", bearer(ALICE));
    assert_eq!(server.ask("GET /api/v1/status", &named, "").await.status, 200);
    let foreign = format!("Origin: http://evil.test\r\n{}", bearer(ALICE));
    assert_eq!(server.ask("GET /api/v1/status", &foreign, "").await.code(), "wrong_origin");
}

#[tokio::test]
async fn malformed_bodies_are_told_of_with_the_place() {
    let server = Server::start(Access::default()).await;
    for (body, code, member, value) in [
        ("", "bad_json", "line", json!(1)),
        ("{\n \"region\": \"a\",\n \"kind\" \"drain\"}", "bad_json", "line", json!(3)),
        ("{} {}", "invalid_value", "code", json!("invalid_value")),
        ("[]", "invalid_value", "code", json!("invalid_value")),
        (r#"{"region": "a"}"#, "invalid_value", "code", json!("invalid_value")),
        (
            r#"{"region": "a", "kind": "drain", "nosuch": 1}"#,
            "invalid_value",
            "field",
            json!("nosuch"),
        ),
        (r#"{"region": 5, "kind": "drain"}"#, "invalid_value", "field", json!("region")),
        (r#"{"region": "a", "kind": "sink"}"#, "invalid_value", "field", json!("kind")),
        (
            r#"{"region": "a", "kind": "weight", "weight": 65536}"#,
            "invalid_value",
            "field",
            json!("weight"),
        ),
        (r#"{"region": "a", "kind": "weight"}"#, "invalid_value", "field", json!("weight")),
        (
            r#"{"region": "a", "kind": "drain", "weight": 1}"#,
            "invalid_value",
            "field",
            json!("weight"),
        ),
        (
            r#"{"region": "a", "kind": "force-up", "over": "1m"}"#,
            "invalid_value",
            "field",
            json!("over"),
        ),
        (
            r#"{"region": "a", "kind": "drain", "over": "8days"}"#,
            "invalid_value",
            "field",
            json!("over"),
        ),
        (
            r#"{"region": "a", "kind": "drain", "for": "0s"}"#,
            "invalid_value",
            "field",
            json!("for"),
        ),
        (r#"{"region": "a", "kind": "drain", "for": 30}"#, "invalid_value", "field", json!("for")),
        (
            r#"{"region": "a", "kind": "drain", "record": "a..b"}"#,
            "invalid_value",
            "field",
            json!("record"),
        ),
        (
            r#"{"region": "a", "kind": "drain", "reason": "a\u001b[31m"}"#,
            "invalid_value",
            "field",
            json!("reason"),
        ),
    ] {
        let reply = server.ask("POST /api/v1/overrides", JSON, body).await;
        assert_eq!(reply.code(), code, "{body}: {reply:?}");
        assert_eq!(reply.status, if code == "bad_json" { 400 } else { 422 }, "{body}");
        assert_eq!(reply.json()[member], value, "{body}: {}", reply.body);
    }
    let long = json!({"region": "a", "kind": "drain", "reason": "x".repeat(501)});
    assert_eq!(server.post("/overrides", &long).await.code(), "invalid_value");
    for body in [json!({}), json!({"id": 1, "region": "a"}), json!({"id": 1, "kinds": ["drain"]})] {
        assert_eq!(server.post("/overrides/end", &body).await.code(), "invalid_value", "{body}");
    }
    assert_eq!(server.writer.commands(), [], "none of it got there");
}

#[tokio::test]
async fn other_requests_that_cannot_be_taken() {
    let server = Server::start(Access::default()).await;
    let drain = r#"{"region": "a", "kind": "drain"}"#;
    let post = "POST /api/v1/overrides";
    for (line, headers, body, status, code) in [
        (post, "", drain, 415, "wrong_media_type"),
        (post, "Content-Type: text/plain\r\n", drain, 415, "wrong_media_type"),
        (
            post,
            "Content-Type: application/json\r\nIdempotency-Key: a b\r\n",
            drain,
            400,
            "bad_header",
        ),
        (post, "Content-Type: application/json\r\nX-Trimtab-Actor: \r\n", drain, 400, "bad_header"),
        ("GET /api/v1/records?limit=0", "", "", 400, "bad_parameter"),
        ("GET /api/v1/records?limit=1001", "", "", 400, "bad_parameter"),
        ("GET /api/v1/records?offset=-1", "", "", 400, "bad_parameter"),
        ("GET /api/v1/records?at_risk=maybe", "", "", 400, "bad_parameter"),
        ("GET /api/v1/records?nosuch=1", "", "", 400, "bad_parameter"),
        ("GET /api/v1/events?wait=2m", "", "", 400, "bad_parameter"),
        ("GET /api/v1/events?after=x", "", "", 400, "bad_parameter"),
        ("GET /api/v1/records/%ff", "", "", 400, "bad_parameter"),
        ("GET /api/v1/overrides/x", "", "", 400, "bad_parameter"),
        ("DELETE /api/v1/overrides/-1", "", "", 400, "bad_parameter"),
        ("DELETE /api/v1/overrides/7?over=soon", "", "", 400, "bad_parameter"),
        ("GET /api/v1/nosuch", "", "", 404, "not_found"),
        ("GET /api/v1", "", "", 404, "not_found"),
        ("GET /api/v2/status", "", "", 404, "not_found"),
        ("GET /api/v1/problems/nosuch", "", "", 404, "not_found"),
        ("PUT /api/v1/overrides/7", "", "", 405, "method_not_allowed"),
    ] {
        let reply = server.ask(line, headers, body).await;
        assert_eq!((reply.status, &*reply.code()), (status, code), "{line} {headers}");
    }
    assert_eq!(server.writer.commands(), [], "none of it got there");
    let kind = server.get("/problems/nothing_left").await.json();
    assert_eq!((&kind["status"], &kind["code"]), (&json!(409), &json!("nothing_left")));
}

#[tokio::test]
async fn a_body_has_a_mebibyte_at_most() {
    let server = Server::start(Access::default()).await;
    let of = |octets: usize| {
        let head = r#"{"region": "a", "kind": "drain", "reason": "r"}"#;
        format!("{head}{}", " ".repeat(octets - head.len()))
    };
    let reply = server.ask("POST /api/v1/overrides", JSON, &of(1 << 20)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let reply = server.ask("POST /api/v1/overrides", JSON, &of((1 << 20) + 1)).await;
    assert_eq!((reply.status, &*reply.code()), (413, "body_too_large"));
    assert_eq!(server.writer.commands().len(), 1);
}

#[tokio::test]
async fn each_refusal_of_the_writer_is_a_problem_of_its_own() {
    let left = LeftWithNothing {
        record: "app.site.test".into(),
        family: "ipv4".into(),
        now: 1,
        then: 0,
        pools: 2,
    };
    let (region, record, hint) = (|| "a".to_owned(), || "r.test".to_owned(), String::new);
    let server = Server::start(Access::default()).await;
    let mut codes = std::collections::BTreeSet::new();
    for (refusal, status, code) in [
        (Refusal::UnknownRegion { region: region(), hint: hint() }, 404, "unknown_region"),
        (Refusal::UnknownRecord { record: record(), hint: hint() }, 404, "unknown_record"),
        (
            Refusal::NoPart { region: region(), record: record(), regions: "b".into() },
            422,
            "no_part",
        ),
        (Refusal::NothingToEnd("there is none".into()), 404, "nothing_to_end"),
        (
            Refusal::NothingLeft { text: "nothing".into(), records: vec![left], count: 1 },
            409,
            "nothing_left",
        ),
        (Refusal::TooMany(1000), 409, "too_many_overrides"),
        (Refusal::KeyReused, 422, "idempotency_key_reused"),
        (Refusal::Invalid("no".into()), 422, "invalid_value"),
        (Refusal::NotStored("disk full".into()), 503, "not_stored"),
        (Refusal::Gone, 503, "unavailable"),
    ] {
        let told = refusal.to_string();
        server.writer.refuses(refusal);
        let reply = server.post("/overrides", &json!({"region": "a", "kind": "drain"})).await;
        assert_eq!((reply.status, &*reply.code()), (status, code));
        assert_eq!(reply.json()["detail"], told);
        codes.insert(code);
        if code == "nothing_left" {
            assert_eq!(reply.json()["records"][0]["record"], "app.site.test");
            assert_eq!(reply.json()["count"], 1);
        }
    }
    assert_eq!(codes.len(), 10);
}

#[tokio::test]
async fn a_writer_that_has_ended_is_told_of() {
    let server = Server::start(Access::default()).await;
    server.writer.ends();
    for path in ["/status", "/regions", "/records", "/checks", "/overrides", "/events"] {
        let reply = server.get(path).await;
        assert_eq!((reply.status, &*reply.code()), (503, "unavailable"), "{path}");
    }
    let reply = server.post("/overrides", &json!({"region": "a", "kind": "drain"})).await;
    assert_eq!(reply.code(), "unavailable");
    assert_eq!(server.ask("GET /healthz", "", "").await.status, 200, "it is alive");
}
