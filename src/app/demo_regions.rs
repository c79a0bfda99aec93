//! The demo's regions: real HTTP servers on loopback addresses, which can be broken and mended.
//!
//! They stand in for the sites whose health a nameserver watches. Which addresses they have is
//! the demo's configuration; `/healthz` is what its check asks.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{any, get};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::admin::{self, Limits};

/// One running region.
#[derive(Debug)]
pub(super) struct DemoRegion {
    /// Its name.
    pub(super) name: String,
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// Ends some time after the token that it was spawned with is cancelled.
    pub(super) task: JoinHandle<()>,
}

/// Starts a region: `GET /` and `GET /healthz` are answered with 200, or with 503 while it is
/// broken; `/break` and `/mend`, by any method, change that.
///
/// # Errors
///
/// When the address cannot be bound; the message says which.
pub(super) async fn spawn(
    address: SocketAddr,
    name: &str,
    stop: CancellationToken,
) -> io::Result<DemoRegion> {
    let told = |error: io::Error| {
        let what = format!("the demo's region {name} cannot listen on {address}: {error}");
        io::Error::new(error.kind(), what)
    };
    let listener = TcpListener::bind(address).await.map_err(told)?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(admin::run(listener, routes(name), None, Limits::default(), stop));
    Ok(DemoRegion { name: name.into(), address, task })
}

#[derive(Debug)]
struct Region {
    name: String,
    broken: AtomicBool,
}

type Reply = (StatusCode, String);

fn routes(name: &str) -> Router {
    let region = Region { name: name.to_owned(), broken: AtomicBool::new(false) };
    Router::new()
        .route("/", get(page))
        .route("/healthz", get(health))
        .route("/break", any(|region| set(region, true)))
        .route("/mend", any(|region| set(region, false)))
        .with_state(Arc::new(region))
}

async fn page(State(region): State<Arc<Region>>) -> Reply {
    let (status, word) = state(&region);
    (status, format!("This is {}, which is {word}.\n", region.name))
}

async fn health(State(region): State<Arc<Region>>) -> Reply {
    let (status, word) = state(&region);
    (status, format!("{word}\n"))
}

async fn set(State(region): State<Arc<Region>>, broken: bool) -> Reply {
    region.broken.store(broken, Relaxed);
    let name = &region.name;
    let told = if broken {
        tracing::info!("region {name} was broken by hand");
        format!("{name} is broken now: its checks fail, and answers leave it within seconds.\n")
    } else {
        tracing::info!("region {name} was mended by hand");
        format!("{name} is mended: once its checks pass again, answers come back.\n")
    };
    (StatusCode::OK, told)
}

fn state(region: &Region) -> (StatusCode, &'static str) {
    if region.broken.load(Relaxed) {
        (StatusCode::SERVICE_UNAVAILABLE, "broken")
    } else {
        (StatusCode::OK, "ok")
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn ask(region: &DemoRegion, line: &str) -> String {
        let mut stream = TcpStream::connect(region.address).await.unwrap();
        let request = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    #[tokio::test]
    async fn a_region_breaks_and_mends() {
        let stop = CancellationToken::new();
        let region = spawn("127.0.0.1:0".parse().unwrap(), "us-east", stop.clone()).await.unwrap();
        assert!(ask(&region, "GET /").await.contains("us-east"));
        assert!(ask(&region, "GET /healthz").await.ends_with("\r\n\r\nok\n"));
        for (line, status) in [
            ("POST /break", "503"),
            ("POST /mend", "200"),
            ("GET /break", "503"),
            ("GET /mend", "200"),
        ] {
            let told = ask(&region, line).await;
            assert!(told.starts_with("HTTP/1.1 200 ") && told.contains("us-east"), "{told}");
            let health = ask(&region, "GET /healthz").await;
            assert!(health.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {health}");
        }
        stop.cancel();
        region.task.await.unwrap();
    }

    #[tokio::test]
    async fn an_address_in_use_is_named() {
        let stop = CancellationToken::new();
        let first = spawn("127.0.0.1:0".parse().unwrap(), "us-east", stop.clone()).await.unwrap();
        let error = spawn(first.address, "eu-west", stop.clone()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(error.to_string().contains("eu-west cannot listen on 127.0.0.1:"), "{error}");
        stop.cancel();
    }
}
