//! Targets: real servers on loopback addresses of their own, which fail when they are told to.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use tokio_rustls::rustls::{ServerConnection, StreamOwned};

use super::pki::pki;
use super::wait::until;

/// What a target speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Http,
    Https,
    Tcp,
}

/// What a target does with those who connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// All is well.
    Ok,
    /// Nobody listens.
    Refuse,
    /// The queue of connections is full: no handshake of TCP is completed.
    Full,
    /// Accepts, and says nothing.
    Hang,
    /// Accepts, and resets the connection once a request has come.
    Reset,
    /// Answers with this status.
    Status(u16),
    /// Answers 200 with another text.
    WrongBody,
    /// Answers 200 with a text that trickles in.
    SlowBody,
    /// Presents a certificate that has ended.
    Expired,
    /// Presents a certificate for another name.
    WrongName,
    /// Presents a certificate of an authority that is not trusted.
    Untrusted,
}

/// The text of a healthy target.
pub(crate) const BODY: &str = "all is fine here";

/// One server.
pub(crate) struct Target {
    address: SocketAddr,
    shared: Arc<Shared>,
    open: Mutex<Option<Open>>,
}

struct Shared {
    kind: Kind,
    mode: Mutex<Mode>,
    /// Connections that are kept open without a word.
    held: Mutex<Vec<TcpStream>>,
    /// Connections accepted since the start.
    accepted: AtomicU32,
}

enum Open {
    Accepting(Arc<TcpListener>, JoinHandle<()>),
    /// A listener that accepts nobody, and the connections that fill its queue.
    Stuffed {
        _listener: Socket,
        _fill: Vec<Socket>,
    },
}

/// `COUNT` healthy targets with one port on addresses of their own: the port, and the targets.
pub(crate) fn targets<const COUNT: usize>(kind: Kind) -> (u16, [Target; COUNT]) {
    static NETS: AtomicU32 = AtomicU32::new(0);
    // Another test process on this machine has another second octet.
    let process = 64 + (std::process::id() % 128) as u8;
    until("a port that is free on each target's address", || {
        let net = NETS.fetch_add(1, Ordering::Relaxed) as u8;
        let mut port = 0;
        let mut bound = Vec::with_capacity(COUNT);
        for host in 1..=COUNT {
            let address = Ipv4Addr::new(127, process, net, u8::try_from(host).unwrap());
            let listener = TcpListener::bind((address, port)).ok()?;
            port = listener.local_addr().unwrap().port();
            bound.push(listener);
        }
        let targets: Vec<_> = bound.into_iter().map(|one| Target::new(kind, one)).collect();
        Some((port, targets.try_into().ok()?))
    })
}

impl Target {
    fn new(kind: Kind, listener: TcpListener) -> Self {
        let shared = Arc::new(Shared {
            kind,
            mode: Mutex::new(Mode::Ok),
            held: Mutex::default(),
            accepted: AtomicU32::new(0),
        });
        let address = listener.local_addr().unwrap();
        let open = Mutex::new(Some(accepting(listener, &shared)));
        Self { address, shared, open }
    }

    /// The address, as records serve it.
    pub(crate) fn ip(&self) -> IpAddr {
        self.address.ip()
    }

    /// How many connections it has accepted.
    pub(crate) fn accepted(&self) -> u32 {
        self.shared.accepted.load(Ordering::Relaxed)
    }

    /// Behaves so from now on; when this returns, it does.
    pub(crate) fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap() = mode;
        self.shared.held.lock().unwrap().clear();
        let mut open = self.open.lock().unwrap();
        let keep = !matches!(mode, Mode::Refuse | Mode::Full);
        if keep && matches!(*open, Some(Open::Accepting(..))) {
            return;
        }
        close(open.take());
        *open = match mode {
            Mode::Refuse => None,
            Mode::Full => Some(stuffed(self.address)),
            _ => {
                let listener = until("the target's own port is free again", || {
                    TcpListener::bind(self.address).ok()
                });
                Some(accepting(listener, &self.shared))
            }
        };
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.shared.held.lock().unwrap().clear();
        close(self.open.lock().unwrap().take());
    }
}

fn close(open: Option<Open>) {
    if let Some(Open::Accepting(listener, thread)) = open {
        // Ends the accept that the thread waits in.
        SockRef::from(&*listener).shutdown(Shutdown::Both).unwrap();
        drop(listener);
        thread.join().unwrap();
    }
}

fn accepting(listener: TcpListener, shared: &Arc<Shared>) -> Open {
    let listener = Arc::new(listener);
    let (accept, shared) = (Arc::clone(&listener), Arc::clone(shared));
    let thread = spawn(move || {
        while let Ok((stream, _)) = accept.accept() {
            shared.accepted.fetch_add(1, Ordering::Relaxed);
            let shared = Arc::clone(&shared);
            // A client that goes away ends its own connection only.
            spawn(move || shared.serve(stream).err());
        }
    });
    Open::Accepting(listener, thread)
}

/// A listener whose queue is full, so that the system answers no further SYN.
fn stuffed(address: SocketAddr) -> Open {
    let socket = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let listener = socket();
    listener.set_reuse_address(true).unwrap();
    listener.bind(&address.into()).unwrap();
    listener.listen(0).unwrap();
    let fill = (0..4).map(|_| {
        let one = socket();
        one.set_nonblocking(true).unwrap();
        // The first is queued, the others stay under way.
        let _ = one.connect(&address.into());
        one
    });
    Open::Stuffed { _fill: fill.collect(), _listener: listener }
}

impl Shared {
    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.set_nodelay(true)?;
        let mode = *self.mode.lock().unwrap();
        if mode == Mode::Hang {
            self.held.lock().unwrap().push(stream);
            return Ok(());
        }
        let certificate = match mode {
            Mode::Expired => &pki().expired,
            Mode::WrongName => &pki().wrong_name,
            Mode::Untrusted => &pki().untrusted,
            _ => &pki().good,
        };
        match self.kind {
            Kind::Tcp => wait_for_close(&stream),
            Kind::Http => http(mode, &stream, &stream),
            Kind::Https => {
                let session = ServerConnection::new(Arc::clone(certificate)).unwrap();
                http(mode, StreamOwned::new(session, stream.try_clone()?), &stream)
            }
        }
    }
}

fn wait_for_close(mut stream: &TcpStream) -> std::io::Result<()> {
    let _ = stream.read(&mut [0; 64])?;
    Ok(())
}

/// One request and its answer.
fn http(mode: Mode, mut stream: impl Read + Write, socket: &TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        if stream.read(&mut octet)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        request.extend_from_slice(&octet);
    }
    let (status, body) = match mode {
        Mode::Reset => return SockRef::from(socket).set_linger(Some(Duration::ZERO)),
        Mode::Status(status) => (status, BODY),
        Mode::WrongBody => (200, "under maintenance"),
        Mode::SlowBody => return trickle(stream),
        _ => (200, BODY),
    };
    let len = body.len();
    let answer = format!(
        "HTTP/1.1 {status} As told\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes())?;
    stream.flush()
}

/// A healthy answer with a body that would take 8 s.
fn trickle(mut stream: impl Write) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\nConnection: close\r\n\r\n")?;
    for _ in 0..400 {
        stream.write_all(b".")?;
        stream.flush()?;
        sleep(Duration::from_millis(20));
    }
    Ok(())
}
