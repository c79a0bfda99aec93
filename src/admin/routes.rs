//! What is answered to which path.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::access::Access;
use super::api::{self, Api};
use super::fault::{Fault, NOT_FOUND};
use super::guard::{self, Guard};
use super::http::{self, Limits, Tls};
use super::scrapes::Scrapes;
use crate::metrics::{CONTENT_TYPE, Metrics};

/// Serves routes on a listener until `stop`; returns when the requests in hand are answered.
pub async fn serve(listener: TcpListener, router: Router, tls: Tls, stop: CancellationToken) {
    http::run(listener, router, tls, Limits::default(), stop).await;
}

/// `/metrics`, `/healthz` and `/readyz` for everybody; `ready` tells whether DNS is being answered.
pub fn open_routes(metrics: Arc<Metrics>, ready: watch::Receiver<bool>) -> Router {
    scrapes(metrics).merge(alive(ready)).fallback(async || {
        (StatusCode::NOT_FOUND, "Not found. There are /metrics, /healthz and /readyz.\n")
    })
}

/// The API and `/metrics` for those who may, reports of regions for those with their tokens, `/healthz` and `/readyz` for everybody.
pub fn routes(
    metrics: Arc<Metrics>,
    ready: watch::Receiver<bool>,
    access: watch::Receiver<Arc<Access>>,
    api: Api,
) -> Router {
    let guard = Arc::new(Guard::new(access));
    let (operators, regions) = api::routes(api);
    let guarded = scrapes(metrics).merge(operators).fallback(nothing);
    let regions = regions.layer(Extension(Arc::clone(&guard)));
    let guarded = guarded.layer(from_fn_with_state(guard, guard::guard));
    guarded.merge(regions).merge(alive(ready))
}

fn scrapes(metrics: Arc<Metrics>) -> Router {
    Router::new().route("/metrics", get(scrape).with_state(Arc::new(Scrapes::new(metrics))))
}

fn alive(ready: watch::Receiver<bool>) -> Router {
    let router = Router::new().route("/healthz", get(async || "ok\n"));
    router.route("/readyz", get(readiness).with_state(ready))
}

async fn nothing(uri: Uri) -> Fault {
    let detail = format!("there is nothing at {}; /api/v1/openapi.json has all paths", uri.path());
    Fault::new(NOT_FOUND, detail)
}

async fn scrape(State(scrapes): State<Arc<Scrapes>>) -> Response {
    match scrapes.text().await {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a scrape failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn readiness(State(ready): State<watch::Receiver<bool>>) -> (StatusCode, &'static str) {
    if *ready.borrow() {
        (StatusCode::OK, "DNS is being answered.\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "DNS is not being answered.\n")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::admission::Places;
    use crate::metrics::Proto;
    use crate::model::Family;

    struct Server {
        address: std::net::SocketAddr,
        metrics: Arc<Metrics>,
        ready: watch::Sender<bool>,
        stop: CancellationToken,
        task: JoinHandle<()>,
    }

    async fn server(limits: Limits) -> Server {
        serving(None, limits).await
    }

    async fn serving(tls: Tls, limits: Limits) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (metrics, stop) = (Metrics::new(), CancellationToken::new());
        let (ready, receiver) = watch::channel(false);
        let routes = open_routes(Arc::clone(&metrics), receiver);
        let task = tokio::spawn(http::run(listener, routes, tls, limits, stop.clone()));
        Server { address, metrics, ready, stop, task }
    }

    /// Sends one request on a connection of its own and reads the response to its end.
    async fn ask(server: &Server, line: &str) -> String {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let request = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    #[tokio::test]
    async fn metrics_are_served_as_prometheus_text() {
        let server = server(Limits::default()).await;
        server.metrics.block(Proto::Udp, Family::V4, false).request(1);
        let response = ask(&server, "GET /metrics").await;
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
        assert!(response.contains("content-type: text/plain; version=0.0.4\r\n"), "{response}");
        let line = r#"trimtab_dns_requests_total{proto="udp",family="ipv4",type="A"} 1"#;
        assert!(response.contains(line), "{response}");
    }

    #[tokio::test]
    async fn readiness_follows_the_nameserver_and_health_the_process() {
        let server = server(Limits::default()).await;
        assert!(ask(&server, "GET /healthz").await.ends_with("\r\n\r\nok\n"));
        assert!(ask(&server, "GET /readyz").await.starts_with("HTTP/1.1 503 "));
        server.ready.send(true).unwrap();
        assert!(ask(&server, "GET /readyz").await.starts_with("HTTP/1.1 200 "));
        server.ready.send(false).unwrap();
        assert!(ask(&server, "GET /readyz").await.starts_with("HTTP/1.1 503 "));
    }

    #[tokio::test]
    async fn anything_else_is_refused() {
        let server = server(Limits::default()).await;
        assert!(ask(&server, "GET /api/v1/regions").await.starts_with("HTTP/1.1 404 "));
        assert!(ask(&server, "GET /metrics/").await.starts_with("HTTP/1.1 404 "));
        assert!(ask(&server, "POST /metrics").await.starts_with("HTTP/1.1 405 "));
        assert!(ask(&server, "nonsense").await.starts_with("HTTP/1.1 400 "));
    }

    #[tokio::test]
    async fn a_header_that_never_ends_is_cut_off() {
        let limits = Limits { header: Duration::from_millis(20), ..Limits::default() };
        let server = server(limits).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost:").await.unwrap();
        let mut response = String::new();
        let read = timeout_secs(10, stream.read_to_string(&mut response)).await;
        assert!(read.is_ok_and(|read| read.is_ok()), "the connection stayed open");
    }

    #[tokio::test]
    async fn a_handshake_that_never_comes_is_cut_off_and_plain_http_is_told() {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["admin.test".into()]).unwrap();
        let tls = crate::admin::tls(&cert.pem(), &signing_key.serialize_pem()).unwrap();
        let access = Arc::new(Access { tls: Some(tls), ..Access::default() });
        let limits = Limits { header: Duration::from_millis(200), ..Limits::default() };
        let server = serving(Some(watch::channel(access).1), limits).await;
        // Nothing, a part of a handshake, and nonsense that begins like one.
        for octets in [&b""[..], &[22, 3, 1, 2, 0, 1], &[22; 4096], &[0; 100]] {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            stream.write_all(octets).await.unwrap();
            let read = timeout_secs(10, stream.read_to_end(&mut Vec::new())).await;
            assert!(read.is_ok(), "the connection stayed open");
        }
        let told = ask(&server, "GET /healthz").await;
        assert!(told.starts_with("HTTP/1.1 400 ") && told.contains("https://"), "{told}");
    }

    #[tokio::test]
    async fn a_connection_has_an_end_though_its_client_keeps_it() {
        let limits = Limits { connection: Duration::from_millis(20), ..Limits::default() };
        let server = server(limits).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut response = String::new();
        let read = timeout_secs(8, stream.read_to_string(&mut response)).await;
        assert!(read.is_ok_and(|read| read.is_ok()), "the connection stayed open");
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    }

    #[tokio::test]
    async fn over_the_cap_the_oldest_gives_way() {
        let places = Places { all: 100, per_client: 1 };
        let server = server(Limits { places, ..Limits::default() }).await;
        // Far more than may be on their way out, and none of them ever asks.
        let mut silent = Vec::new();
        for _ in 0..200 {
            silent.push(TcpStream::connect(server.address).await.unwrap());
        }
        let answer = timeout_secs(10, ask(&server, "GET /healthz")).await;
        assert!(answer.is_ok_and(|got| got.contains("200 OK")));
        for mut stream in silent {
            let end = timeout_secs(4, stream.read(&mut [0])).await;
            assert!(end.is_ok_and(|read| matches!(read, Ok(0) | Err(_))), "it is still open");
        }
    }

    #[tokio::test]
    async fn a_header_has_an_end_and_a_body_is_not_waited_for() {
        let server = server(Limits::default()).await;
        let flood = [b"GET /healthz HTTP/1.1\r\nX: ".as_slice(), &[b'x'; 60_000]].concat();
        let body = b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nabc";
        for (request, status) in [(flood, "431"), (body.to_vec(), "405")] {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            // Who has heard enough may close before all is sent.
            let _ = stream.write_all(&request).await;
            let mut response = Vec::new();
            let read = timeout_secs(4, stream.read_to_end(&mut response)).await;
            assert!(read.is_ok(), "the connection stayed open");
            let response = String::from_utf8_lossy(&response);
            assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
        }
    }

    #[tokio::test]
    async fn stopping_closes_idle_connections_and_ends() {
        let server = server(Limits::default()).await;
        let mut idle = TcpStream::connect(server.address).await.unwrap();
        idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut byte = [0];
        idle.read_exact(&mut byte).await.unwrap();
        server.stop.cancel();
        timeout_secs(4, server.task).await.expect("it waits for an idle client").unwrap();
        let mut rest = String::new();
        idle.read_to_string(&mut rest).await.unwrap();
        assert!(rest.ends_with("ok\n"), "{rest}");
    }

    /// Guards a test against hanging; it is not waited for when all is well.
    async fn timeout_secs<F: Future>(secs: u64, future: F) -> Result<F::Output, String> {
        let late = |_| format!("not within {secs} s");
        tokio::time::timeout(Duration::from_secs(secs), future).await.map_err(late)
    }
}
