//! grpc checks against tonic's server, and against targets that speak something else.

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rstest::rstest;
use tokio_rustls::TlsAcceptor;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::health_reporter;

use super::tls::{Authority, NAME};
use super::*;
use crate::model::{Credentials, GrpcProbe, Pem, TlsVerify};

fn about(service: &str) -> GrpcProbe {
    GrpcProbe { service: service.into(), ..GrpcProbe::default() }
}

/// A gRPC server that knows of a few services; its port.
async fn tonic_server() -> u16 {
    let (reporter, service) = health_reporter();
    reporter.set_service_status("app", ServingStatus::Serving).await;
    reporter.set_service_status("broken", ServingStatus::NotServing).await;
    reporter.set_service_status("odd", ServingStatus::Unknown).await;
    tonic_with(Routes::new(service)).await
}

async fn tonic_with(routes: Routes) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    let server = tonic::transport::Server::builder().add_routes(routes);
    tokio::spawn(server.serve_with_incoming(incoming));
    port
}

async fn asked(probe: GrpcProbe, port: u16) -> Outcome {
    probe_port(Probe::Grpc(probe), port, PATIENT).await.0
}

#[tokio::test]
async fn services_are_as_they_say() {
    let port = tonic_server().await;
    for (service, outcome) in [
        ("", Outcome::Pass),
        ("app", Outcome::Pass),
        ("broken", failed("gRPC: NOT_SERVING (broken)")),
        ("odd", failed("gRPC: UNKNOWN (odd)")),
        ("nobody", failed("gRPC: NOT_FOUND (service not registered)")),
    ] {
        assert_eq!(asked(about(service), port).await, outcome, "{service}");
    }
    let (_, phases) = probe_port(Probe::Grpc(about("")), port, PATIENT).await;
    assert!(phases.connect.is_some() && phases.first_byte.is_some() && phases.tls.is_none());
}

#[tokio::test]
async fn a_server_without_the_health_service() {
    let port = tonic_with(Routes::default()).await;
    assert_eq!(asked(about(""), port).await, failed("gRPC: UNIMPLEMENTED"));
}

#[tokio::test]
async fn over_tls_as_https() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    let mut config = authority.config(NAME, |_| (), None);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    // As a proxy does before a server that does not speak TLS.
    let behind = tonic_server().await;
    let port = server(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut behind = TcpStream::connect((Ipv4Addr::LOCALHOST, behind)).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut behind).await;
        }
    })
    .await;
    let tools = stranger.tools();
    let probe = |verify, authority: Option<&Authority>| {
        let authorities = authority.map(|authority| Pem::from(authority.certificate.pem()));
        let credentials = Credentials { authorities, client: None };
        let host = Some(NAME.into());
        Probe::Grpc(GrpcProbe { tls: Some(verify), host, credentials, ..about("app") })
    };
    let (outcome, report) = told(&tools, probe(TlsVerify::Full, Some(&authority)), port).await;
    assert_eq!((outcome, report.expires.is_some()), (Outcome::Pass, true));
    let (outcome, _) = told(&tools, probe(TlsVerify::Off, None), port).await;
    assert_eq!(outcome, Outcome::Pass);
    let (outcome, _) = told(&tools, probe(TlsVerify::Full, None), port).await;
    assert_eq!(outcome, failed("TLS: certificate of an unknown issuer"));
}

/// A server of HTTP/2 that answers every request so; its port.
async fn answering_h2(
    response: impl Fn() -> hyper::http::response::Builder + Clone + Send + Sync + 'static,
    body: &'static [u8],
) -> u16 {
    server(move |stream| {
        let response = response.clone();
        async move {
            let service = service_fn(move |_request| {
                let body = http_body_util::Full::new(hyper::body::Bytes::from_static(body));
                std::future::ready(response().body(body))
            });
            let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        }
    })
    .await
}

#[tokio::test]
async fn what_is_no_grpc_says_so() {
    use hyper::http::response::Builder;
    let grpc = || hyper::Response::builder().header("content-type", "application/grpc");
    let ports = [
        answering_h2(|| hyper::Response::builder().status(404), b"no").await,
        answering_h2(hyper::Response::builder, b"ok").await,
        answering_h2(grpc, &[0, 0, 0, 0, 2, 8, 1]).await,
        answering_h2(grpc, &[0; 5000]).await,
        answering_h2(move || grpc().header("grpc-status", "0"), b"").await,
        answering_h2(move || grpc().header("grpc-status", "99"), b"").await,
        answering_h2(
            move || -> Builder {
                // What makes clients panic that take it for sound.
                let odd = grpc().header("grpc-status-details-bin", "%%%");
                odd.header("grpc-status", "14").header("grpc-message", "a%20b%ff")
            },
            b"",
        )
        .await,
    ];
    let wanted = [
        "gRPC: it is not spoken here (HTTP 404)",
        "gRPC: it is not spoken here (HTTP 200)",
        "gRPC: the call ended without a status",
        "gRPC: a reply of more than 1024 bytes",
        "gRPC: a reply that cannot be read",
        "gRPC: the code 99",
        "gRPC: UNAVAILABLE (a b\u{fffd})",
    ];
    for (port, why) in ports.into_iter().zip(wanted) {
        assert_eq!(asked(about(""), port).await, failed(why));
    }
}

#[rstest]
#[case::http1("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")]
#[case::garbage(vec![0xff; 4096])]
#[tokio::test]
async fn what_is_no_http2_fails(#[case] answer: impl Into<Vec<u8>>) {
    let answer: Arc<[u8]> = answer.into().into();
    let port = server(move |mut stream| {
        let answer = Arc::clone(&answer);
        async move {
            let _ = stream.write_all(&answer).await;
            hold(stream).await;
        }
    })
    .await;
    let Outcome::Fail(why) = asked(about(""), port).await else { panic!("it is none") };
    assert!(why.starts_with("gRPC: HTTP/2: "), "{why}");
}

#[tokio::test]
async fn targets_that_hang_or_close() {
    let port = server(hold).await;
    let (outcome, phases) = probe_port(Probe::Grpc(about("")), port, BRIEF).await;
    assert_eq!(outcome, failed("first byte: timed out after 150 ms"));
    assert!(phases.connect.is_some() && phases.total >= BRIEF);
    let port = server(|mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
    })
    .await;
    let Outcome::Fail(why) = asked(about(""), port).await else { panic!("it closes") };
    assert!(why.starts_with("first byte: connection "), "{why}");
}
