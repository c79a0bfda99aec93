//! The process of the targets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream as Blocking};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::case::{Asks, Case, HOST, Targets};

/// Connections that wait to be accepted: more than there are when all checks start at once.
const QUEUE: i32 = 4096;
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nServer: probes\r\nContent-Type: text/plain\r\n\
    Cache-Control: no-store\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";

/// Prints port and certificate (in hexadecimal), and behaves as the case says until its input ends.
pub(super) fn run(case: Case) {
    let address = SocketAddr::new(case.listen(), 0);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))
        .expect("a socket");
    socket.bind(&address.into()).expect("a free port");
    let port = socket.local_addr().ok().and_then(|at| at.as_socket()).expect("an address").port();
    let mut certificate = String::from("-");
    let mut _held = Vec::new();
    match (case.asks, case.targets) {
        // Bound and not listening: nobody else gets the port either.
        (_, Targets::Refusing) => {}
        (Asks::Tcp, Targets::Hanging) => {
            socket.listen(0).expect("it is bound");
            // What is queued is never accepted; once the queue is full, the system drops handshakes.
            let at = SocketAddr::from(([127, 0, 0, 1], port));
            let full = || Blocking::connect_timeout(&at, Duration::from_millis(200));
            _held.extend(std::iter::from_fn(|| full().ok()));
        }
        (asks, targets) => {
            socket.listen(QUEUE).expect("it is bound");
            socket.set_nonblocking(true).expect("a socket");
            let acceptor = (asks == Asks::Https).then(|| {
                let (acceptor, der) = acceptor();
                certificate = der.iter().map(|octet| format!("{octet:02x}")).collect();
                acceptor
            });
            let listener: std::net::TcpListener = socket.try_clone().expect("a file").into();
            std::thread::spawn(move || serve(listener, acceptor, targets == Targets::Hanging));
        }
    }
    println!("{port} {certificate}");
    std::io::stdout().flush().expect("somebody reads");
    let _ = std::io::stdin().read(&mut [0]);
}

fn acceptor() -> (TlsAcceptor, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("they belong together");
    (Arc::new(config).into(), made.cert.der().to_vec())
}

fn serve(listener: std::net::TcpListener, acceptor: Option<TlsAcceptor>, silent: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let listener = TcpListener::from_std(listener).expect("a listener");
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                match acceptor {
                    None => answer(stream, silent).await,
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            answer(stream, silent).await;
                        }
                    }
                }
            });
        }
    });
}

/// Answers requests, or only reads them, until the other side ends the connection.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, silent: bool) {
    let (mut request, mut len) = ([0; 1024], 0);
    while let Some(room) = request.get_mut(len..).filter(|room| !room.is_empty())
        && let Ok(read @ 1..) = stream.read(room).await
    {
        len += read;
        if !silent && request[..len].ends_with(b"\r\n\r\n") {
            len = 0;
            if stream.write_all(RESPONSE).await.is_err() {
                break;
            }
        }
    }
}
