//! Tokens and TLS, and both replaced under a running server.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConnection, StreamOwned};

use super::{ALICE, BOB, READER, bearer, reachable};
use crate::harness::{HOST, Http, Server, Site, get, pki, trusting};

/// A client of a server that speaks TLS.
fn client(server: &Server, token: &str) -> Http {
    let tls = trusting(&pki().authority, &[&TLS13, &TLS12]);
    Http::new(server.admin).over(&tls).with("Authorization", &bearer(token))
}

/// The certificate that a server shows, as it is encoded.
fn shown(server: &Server) -> Vec<u8> {
    let tls = trusting(&pki().authority, &[&TLS13]);
    let at = SocketAddr::from(([127, 0, 0, 1], server.admin.port()));
    let session = ClientConnection::new(tls, HOST.try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(session, TcpStream::connect(at).unwrap());
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    stream.conn.peer_certificates().unwrap()[0].to_vec()
}

#[test]
fn tls_with_who_trusts_the_authority_and_a_token() {
    let server = reachable().serve();
    for version in [&TLS12, &TLS13] {
        let tls = trusting(&pki().authority, &[version]);
        let nobody = Http::new(server.admin).over(&tls);
        assert_eq!(nobody.get("/openapi.json").code(), "token_missing");
        assert_eq!(nobody.request("GET /healthz", &Value::Null).unwrap().status, 200);
        assert_eq!(nobody.request("GET /metrics", &Value::Null).unwrap().status, 401);
        let alice = nobody.clone().with("Authorization", &bearer(ALICE));
        assert_eq!(alice.get("/openapi.json").status, 200);
        assert_eq!(alice.request("GET /metrics", &Value::Null).unwrap().status, 200);
        let wrong = nobody.with("Authorization", &bearer(BOB));
        assert_eq!(wrong.get("/openapi.json").code(), "token_wrong");
    }
    let reader = client(&server, READER);
    assert_eq!(reader.get("/openapi.json").status, 200);
    assert_eq!(reader.post("/reload", &json!({})).code(), "read_only");
    assert_eq!(server.log.count("reloaded "), 0, "nothing was done");
}

#[test]
fn who_does_not_trust_or_does_not_speak_tls_gets_nothing() {
    let server = reachable().serve();
    let stranger = trusting(&pki().stranger, &[&TLS13]);
    let error = Http::new(server.admin).over(&stranger).request("GET /healthz", &Value::Null);
    assert!(error.unwrap_err().to_string().contains("UnknownIssuer"));
    let plain = Http::new(server.admin).request("GET /healthz", &Value::Null).unwrap();
    assert_eq!(plain.status, 400, "{plain:?}");
    assert!(plain.body.contains("https://"), "{plain:?}");
    assert_eq!(client(&server, ALICE).get("/openapi.json").status, 200, "it goes on");

    // And the other way round.
    let server = Site::new(super::BODY).serve();
    let tls = trusting(&pki().authority, &[&TLS13]);
    let error = Http::new(server.admin).over(&tls).request("GET /healthz", &Value::Null);
    assert!(error.is_err(), "{error:?}");
    assert_eq!(get(server.admin, "/healthz").unwrap().0, 200, "it goes on");
}

#[test]
fn a_renewed_certificate_and_other_tokens_need_no_restart() {
    let site = reachable();
    let server = site.serve();
    let first = shown(&server);
    let [_, (certificate, key)] = &pki().pairs;
    site.write("admin.crt", certificate);
    site.write_private("admin.key", key);
    site.write_private("admin.token", &format!("bob:{BOB}\n"));
    assert_eq!(shown(&server), first, "not before the reload");
    assert_eq!(client(&server, ALICE).get("/openapi.json").status, 200);
    assert!(server.reload());
    let second = shown(&server);
    assert_ne!(second, first);
    assert_eq!(client(&server, ALICE).get("/openapi.json").code(), "token_wrong");
    assert_eq!(client(&server, BOB).get("/openapi.json").status, 200);

    // A key of another pair, a token that is too short, a file for everybody: nothing changes.
    let [(_, other), _] = &pki().pairs;
    let change = |name: &str, text: &str, mode, told: &str| {
        let was = std::fs::read_to_string(site.path(name)).unwrap();
        site.write(name, text);
        site.set_mode(name, mode);
        assert!(!server.reload());
        server.log.wait_for(told);
        assert_eq!(shown(&server), second);
        assert_eq!(client(&server, BOB).get("/openapi.json").status, 200);
        site.write_private(name, &was);
    };
    change("admin.key", other, 0o600, "a key that cannot be used");
    change("admin.token", "short", 0o600, "a token of 5 octets");
    change("admin.token", &format!("bob:{BOB}\n"), 0o644, "chmod 600");
    assert!(server.reload());
    assert!(!server.log.text().contains(&BOB[..8]), "no token is ever told");
}

#[test]
fn a_reload_that_is_asked_for_is_made_and_told() {
    let site = reachable();
    let server = site.serve();
    let alice = client(&server, ALICE);
    let generation = server_generation(&alice);
    let done = alice.post("/reload", &json!({"reason": "new weights"}));
    assert_eq!(done.status, 200, "{done:?}");
    assert!(done.json()["generation"].as_u64().unwrap() > generation);
    let events = alice.get("/events").json();
    let event = events.as_array().unwrap().iter().rfind(|one| one["kind"] == "reload").unwrap();
    assert_eq!((&event["actor"], &event["reason"]), (&json!("alice"), &json!("new weights")));
    site.write_private("admin.token", "short\n");
    let refused = alice.post("/reload", &Value::Null);
    assert_eq!((refused.status, &*refused.code()), (422, "configuration_refused"));
    let problems = refused.json()["problems"].to_string();
    assert!(problems.contains("admin.token:1: admin.token_file: found a token of 5 octets"));
    assert_eq!(alice.get("/openapi.json").status, 200, "what was in force is");
}

/// The number of the tables in force, by the metrics.
fn server_generation(client: &Http) -> u64 {
    let text = client.request("GET /metrics", &Value::Null).unwrap().body;
    let line = text.lines().find_map(|line| line.strip_prefix("trimtab_table_generation "));
    line.unwrap().parse().unwrap()
}

#[test]
fn the_open_listener_has_metrics_and_nothing_else() {
    let site = Site::new("");
    site.write_private("admin.token", &format!("alice:{ALICE}\n"));
    site.configure_access(
        "listen = \"127.0.0.1:0\"\nmetrics_listen = \"0.0.0.0:0\"\ntoken_file = \"admin.token\"",
        super::BODY,
    );
    let server = site.serve();
    let line = server.log.wait_for("answering on ");
    let open: SocketAddr = line
        .split([' ', ',', ';'])
        .filter_map(|word| word.parse().ok())
        .find(|at: &SocketAddr| at.ip().is_unspecified())
        .unwrap();
    let open = Http::new(open);
    for path in ["/metrics", "/healthz", "/readyz"] {
        assert_eq!(open.request(&format!("GET {path}"), &Value::Null).unwrap().status, 200);
    }
    for path in ["/api/v1/status", "/api/v1/openapi.json", "/api"] {
        let with_token = open.clone().with("Authorization", &bearer(ALICE));
        let answer = with_token.request(&format!("GET {path}"), &Value::Null).unwrap();
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
    }
    // The other one asks for a token, on loopback too.
    assert_eq!(get(server.admin, "/metrics").unwrap().0, 401);
    assert_eq!(get(server.admin, "/readyz").unwrap().0, 200);
    let alice = Http::new(server.admin).with("Authorization", &bearer(ALICE));
    assert_eq!(alice.request("GET /metrics", &Value::Null).unwrap().status, 200);
}

#[test]
fn silent_and_slow_clients_do_not_keep_others_out() {
    let server = reachable().serve();
    let at = SocketAddr::from(([127, 0, 0, 1], server.admin.port()));
    // Far more than there may be, none of which ever finishes its handshake.
    let silent: Vec<TcpStream> = (0..300)
        .map(|_| {
            let mut stream = TcpStream::connect(at).unwrap();
            let _ = stream.write_all(&[22, 3, 1]);
            stream
        })
        .collect();
    assert_eq!(client(&server, ALICE).get("/openapi.json").status, 200);
    drop(silent);
}
