//! tcp and http against targets that fail in every way.

use std::io::ErrorKind;

use rstest::rstest;
use tokio::sync::mpsc;

use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn tcp_passes_by_connecting_and_closes_abortively() {
    let (tell, mut told) = mpsc::channel(1);
    let port = server(move |mut stream| {
        let tell = tell.clone();
        async move {
            let read = stream.read(&mut [0; 16]).await;
            tell.send(read.map_err(|error| error.kind())).await.unwrap();
        }
    })
    .await;
    let (outcome, phases) = probe_port(Probe::Tcp, port, PATIENT).await;
    assert_eq!(outcome, Outcome::Pass);
    assert!(phases.connect.is_some_and(|connect| connect <= phases.total));
    assert_eq!((phases.tls, phases.first_byte), (None, None));
    assert_eq!(told.recv().await, Some(Err(ErrorKind::ConnectionReset)), "no TIME_WAIT here");
}

#[rstest]
#[case::tcp(Probe::Tcp)]
#[case::http(Probe::Http(http()))]
#[tokio::test]
async fn refused(#[case] probe: Probe) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (outcome, phases) = probe_port(probe, port, PATIENT).await;
    assert_eq!(outcome, failed("connect: connection refused"));
    assert_eq!(phases.connect, None);
}

#[tokio::test]
async fn http_passes_with_each_phase_timed() {
    let port = answering(OK).await;
    let (outcome, phases) = probe_port(Probe::Http(http()), port, PATIENT).await;
    assert_eq!(outcome, Outcome::Pass);
    assert!(phases.connect.is_some() && phases.first_byte.is_some());
    assert_eq!(phases.tls, None);
}

#[tokio::test]
async fn the_request_is_what_was_configured() {
    let (tell, mut told) = mpsc::channel(1);
    let port = server(move |mut stream| {
        let tell = tell.clone();
        async move {
            tell.send(read_request(&mut stream).await).await.unwrap();
            stream.write_all(OK.as_bytes()).await.unwrap();
        }
    })
    .await;
    let probe = HttpProbe {
        path: "/deep/healthz?full=1".into(),
        host: Some("app.example.com".into()),
        headers: vec![("X-Probe".into(), "trimtab".into())],
        expect_body: Some("ok".into()),
        ..http()
    };
    assert_eq!(probe_port(Probe::Http(probe), port, PATIENT).await.0, Outcome::Pass);
    let request = told.recv().await.unwrap();
    let mut lines: Vec<&str> = request.trim_end().split("\r\n").collect();
    assert_eq!(lines.remove(0), "GET /deep/healthz?full=1 HTTP/1.1");
    lines.sort_unstable();
    let agent = format!("user-agent: trimtab/{}", env!("CARGO_PKG_VERSION"));
    let wanted = ["connection: close", "host: app.example.com", &agent, "x-probe: trimtab"];
    assert_eq!(lines, wanted);
}

#[rstest]
#[case::status("HTTP/1.1 503 Oh\r\n\r\n", "HTTP 503, wanted 200-299")]
#[case::redirect(
    "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n",
    "HTTP 302, wanted 200-299 (redirects are not followed)"
)]
#[case::garbage("SSH-2.0-OpenSSH_9.9\r\n\r\n\r\n", "response: not an HTTP/1 response")]
#[case::binary([0xff_u8, 0, 0x16, 3].repeat(64), "response: not an HTTP/1 response")]
#[case::http2("HTTP/2 200\r\n\r\n", "response: not an HTTP/1 response")]
#[case::odd_status("HTTP/1.1 999 Odd\r\n\r\n", "HTTP 999, wanted 200-299")]
#[case::huge_head(
    format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(100_000)),
    "response: longer than this client reads"
)]
#[case::many_headers(
    format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(500)),
    "response: longer than this client reads"
)]
#[tokio::test]
async fn responses_that_fail(#[case] response: impl Into<Vec<u8>>, #[case] reason: &str) {
    let port = answering(response).await;
    let (outcome, phases) = probe_port(Probe::Http(http()), port, PATIENT).await;
    assert_eq!(outcome, failed(reason));
    assert!(phases.first_byte.is_some());
}

#[rstest]
#[case::wrong("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfail", "body lacks \"ok\"")]
#[case::other_case("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", "body lacks \"ok\"")]
#[case::empty("HTTP/1.1 204 No Content\r\n\r\n", "body lacks \"ok\"")]
#[case::beyond_the_limit(
    format!("HTTP/1.1 200 OK\r\n\r\n{}ok", "x".repeat(5119)),
    "body lacks \"ok\" within its first 5120 bytes"
)]
#[case::huge(
    format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(3_000_000)),
    "body lacks \"ok\" within its first 5120 bytes"
)]
#[case::bad_chunk(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n",
    "body: malformed"
)]
#[tokio::test]
async fn bodies_that_fail(#[case] response: impl Into<Vec<u8>>, #[case] reason: &str) {
    let port = answering(response).await;
    assert_eq!(probe_port(body("ok"), port, PATIENT).await.0, failed(reason));
}

#[rstest]
#[case::whole(OK)]
#[case::never_ends("HTTP/1.1 200 OK\r\n\r\n.....ok")]
#[case::at_the_very_end(format!("HTTP/1.1 200 OK\r\n\r\n{}ok", "x".repeat(5118)))]
#[case::across_chunks(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n.o\r\n2\r\nk.\r\n"
)]
#[case::other_bytes(*b"HTTP/1.1 200 OK\r\n\r\n\xff\xfe\x00ok")]
#[case::http_1_0("HTTP/1.0 200 OK\r\n\r\nok")]
#[tokio::test]
async fn bodies_that_pass(#[case] response: impl Into<Vec<u8>>) {
    let port = answering(response).await;
    assert_eq!(probe_port(body("ok"), port, PATIENT).await.0, Outcome::Pass);
}

#[tokio::test]
async fn a_body_is_not_awaited_unless_it_matters() {
    let port = answering("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n").await;
    assert_eq!(probe_port(Probe::Http(http()), port, PATIENT).await.0, Outcome::Pass);
}

#[rstest]
#[case::nothing("", "first byte: timed out after 150 ms")]
#[case::half_a_head("HTTP/1.1 200 OK\r\nX-", "response: timed out after 150 ms")]
#[case::no_body("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "body: timed out after 150 ms")]
#[tokio::test]
async fn hanging(#[case] response: &str, #[case] reason: &str) {
    let port = answering(response).await;
    let (outcome, phases) = probe_port(body("ok"), port, BRIEF).await;
    assert_eq!(outcome, failed(reason));
    assert!(phases.total >= BRIEF);
}

#[rstest]
#[case::head("HTTP/1.1 200 OK\r\n", "X: y\r\n", "response: timed out after 150 ms")]
#[case::interim("", "HTTP/1.1 100 Continue\r\n\r\n", "response: timed out after 150 ms")]
#[case::body("HTTP/1.1 200 OK\r\n\r\n", ".", "body: timed out after 150 ms")]
#[tokio::test]
async fn trickling(#[case] start: &'static str, #[case] drop: &'static str, #[case] reason: &str) {
    let port = server(move |mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(start.as_bytes()).await;
        let mut tick = tokio::time::interval(BRIEF / 10);
        while stream.write_all(drop.as_bytes()).await.is_ok() {
            tick.tick().await;
        }
    })
    .await;
    assert_eq!(probe_port(body("ok"), port, BRIEF).await.0, failed(reason));
}

#[rstest]
#[case::at_once("", "first byte: connection closed")]
#[case::within_the_head("HTTP/1.1 200 OK\r\nX", "response: connection closed")]
#[case::within_the_body(
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nno",
    "body: connection closed"
)]
#[tokio::test]
async fn closed(#[case] response: &'static str, #[case] reason: &str) {
    let port = server(move |mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(response.as_bytes()).await.unwrap();
    })
    .await;
    assert_eq!(probe_port(body("ok"), port, PATIENT).await.0, failed(reason));
}

#[tokio::test]
async fn reset() {
    let port = server(|mut stream| async move {
        read_request(&mut stream).await;
        stream.set_zero_linger().unwrap();
    })
    .await;
    let (outcome, _) = probe_port(Probe::Http(http()), port, PATIENT).await;
    assert_eq!(outcome, failed("first byte: connection reset"));
}

#[tokio::test]
async fn a_name_is_looked_up() {
    let port = answering(OK).await;
    let mut target = target_at(Destination::Name("localhost".into()), port);
    Arc::make_mut(&mut target.check).probe = Probe::Http(http());
    let verdict = tools(Roots::Given(vec![])).probe(&target).await;
    assert!(matches!(verdict, Verdict::Seen(Outcome::Pass, ..)), "{verdict:?}");
}

#[rstest]
#[case::address(Destination::Address([169, 254, 169, 254].into()))]
#[case::name_of_such_an_address(Destination::Name("169.254.169.254".into()))]
#[tokio::test]
async fn forbidden_addresses_are_not_asked(#[case] destination: Destination) {
    let verdict = tools(Roots::Given(vec![])).probe(&target_at(destination, 80)).await;
    let Verdict::Seen(outcome, ..) = verdict else { panic!("{verdict:?}") };
    let reason = "connect: 169.254.169.254 is link-local or metadata, and not in [probe] allow";
    assert_eq!(outcome, failed(reason));
}
