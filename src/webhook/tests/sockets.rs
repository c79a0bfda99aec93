//! Over real sockets: what is on the wire, and what is made of what comes back.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::super::{Answer, Authorities, Carrier, Hook, Http, Message, Outcome, Turn};
use super::{hook, transition};
use crate::config::WebhookFormat;

/// Answers each connection's first request with these octets; gives what was asked.
fn receiver(
    answer: &'static [u8],
    tls: Option<Arc<ServerConfig>>,
) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (told, heard) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let asked = match &tls {
                None => serve(stream, answer),
                Some(tls) => {
                    let session = ServerConnection::new(Arc::clone(tls)).unwrap();
                    serve(StreamOwned::new(session, stream), answer)
                }
            };
            if told.send(asked).is_err() {
                return;
            }
        }
    });
    (address, heard)
}

/// Reads a request with its body, answers, and closes.
fn serve(mut stream: impl Read + Write, answer: &[u8]) -> String {
    let mut asked = Vec::new();
    let mut octets = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&asked).to_lowercase();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.unwrap_or("0").parse().unwrap();
            if asked.len() >= end + 4 + length {
                break;
            }
        }
        match stream.read(&mut octets) {
            Ok(count) if count > 0 => asked.extend(&octets[..count]),
            // A client that does not trust this one goes away.
            _ => return String::from_utf8_lossy(&asked).into_owned(),
        }
    }
    if answer.is_empty() {
        // Says nothing, for longer than is waited for.
        let _ = stream.read(&mut octets);
    } else {
        let _ = stream.write_all(answer);
    }
    String::from_utf8_lossy(&asked).into_owned()
}

fn at(address: SocketAddr) -> Hook {
    let url = format!("http://{address}/a/b?c=d").parse().unwrap();
    Hook { url, ..hook("ops", WebhookFormat::CloudEvents) }
}

async fn send(hook: &Hook) -> Answer {
    let message = Message::clone(&transition(7, Turn::Worse));
    let request = hook.trial(message, SystemTime::UNIX_EPOCH).unwrap();
    Http.carry(hook, request).await
}

#[tokio::test]
async fn a_request_is_what_it_says() {
    let (address, heard) = receiver(b"HTTP/1.1 202 Accepted\r\ncontent-length: 3\r\n\r\nyes", None);
    let mut hook = at(address);
    hook.authorization = Some("Bearer abc".parse().unwrap());
    let reply = send(&hook).await.unwrap();
    assert_eq!((reply.status, &*reply.body), (202, "yes"));
    let asked = heard.recv().unwrap();
    let (head, body) = asked.split_once("\r\n\r\n").unwrap();
    let lines: Vec<String> = head.lines().map(str::to_lowercase).collect();
    assert_eq!(lines[0], "post /a/b?c=d http/1.1");
    for wanted in [
        &*format!("host: {address}"),
        "authorization: bearer abc",
        "content-type: application/cloudevents+json; charset=utf-8",
        "webhook-id: ns1.example.net-7",
        concat!("user-agent: trimtab/", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(lines.iter().any(|line| line == wanted), "{wanted} is not in {lines:?}");
    }
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["specversion"], "1.0");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_long_body_not_read() {
    let (there, elsewhere) = receiver(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", None);
    let redirect =
        format!("HTTP/1.1 307 x\r\nlocation: http://{there}/\r\ncontent-length: 0\r\n\r\n");
    let (address, _heard) = receiver(redirect.leak().as_bytes(), None);
    assert_eq!(send(&at(address)).await.unwrap().status, 307);
    assert!(elsewhere.try_recv().is_err());

    let endless = format!(
        "HTTP/1.1 503 x\r\nretry-after: 7\r\ncontent-length: 999999\r\n\r\n{}",
        "a".repeat(90_000)
    );
    let (address, _heard) = receiver(endless.leak().as_bytes(), None);
    let reply = send(&at(address)).await.unwrap();
    assert_eq!((reply.status, reply.body.len()), (503, 4096));
    let outcome = Outcome::of(&Ok(reply), SystemTime::UNIX_EPOCH);
    let Outcome::Later(Some(wait), why) = outcome else { panic!("{outcome:?}") };
    assert!(wait == Duration::from_secs(7) && why.len() < 300, "{why}");
}

#[tokio::test]
async fn who_is_not_there_hangs_or_breaks_off_is_told_without_the_url() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let why = send(&at(closed)).await.unwrap_err();
    assert!(why.starts_with("cannot connect: "), "{why}");
    assert!(!why.contains("/a/b"), "{why}");

    let (address, _heard) = receiver(b"", None);
    let mut hook = at(address);
    hook.timeout = Duration::from_millis(100);
    assert_eq!(send(&hook).await.unwrap_err(), "no answer within 100ms");

    let (address, _heard) = receiver(b"HTTP/1.1 2", None);
    let why = send(&at(address)).await.unwrap_err();
    assert!(why.starts_with("the connection broke"), "{why}");
    assert!(!why.contains("/a/b"), "{why}");
}

#[tokio::test]
async fn who_is_not_trusted_is_told_nothing() {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_string()]).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let key = signing_key.serialize_der().try_into().unwrap();
    let tls = builder.with_single_cert(vec![cert.der().clone()], key).unwrap();
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let (address, heard) = receiver(answer, Some(Arc::new(tls)));
    let mut hook = at(address);
    hook.url = format!("https://localhost:{}/", address.port()).parse().unwrap();
    let why = send(&hook).await.unwrap_err();
    assert!(why.starts_with("cannot connect: ") && why.contains("certificate"), "{why}");
    assert_eq!(heard.recv().unwrap(), "");
    hook.client = Authorities::Given(&cert.pem()).client().unwrap();
    assert_eq!(send(&hook).await.unwrap().status, 200);
    assert!(heard.recv().unwrap().starts_with("POST / "));
}
