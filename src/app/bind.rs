//! Listening sockets: opened before anything runs, so that a port in use is told at once. Those that
//! the service manager has opened already are taken from it.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use super::given::Given;
use crate::dns;

/// Connections that may wait to be accepted; the system allows no more than net.core.somaxconn.
const BACKLOG: i32 = 4096;
/// What the system may hold of a connection's queries, in octets; it doubles that for its own
/// bookkeeping (socket(7)). Some hundred queries, and a long one comes in parts.
const RECEIVE_BUFFER: usize = 16 << 10;
/// What it may hold of replies: one of the largest. Left to itself it would keep megabytes for a
/// client that does not read, and all connections of the machine share what there is.
const SEND_BUFFER: usize = 64 << 10;
/// How often a free port is tried for that is free over TCP and UDP alike.
const PORT_TRIES: usize = 20;

/// All sockets of one nameserver.
#[derive(Debug)]
pub(super) struct Sockets {
    /// For each address a socket a worker.
    pub(super) udp: Vec<Arc<UdpSocket>>,
    /// For each address one.
    pub(super) tcp: Vec<Door>,
}

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({what}): {why}")]
pub struct BindError {
    address: SocketAddr,
    what: &'static str,
    why: String,
}

impl BindError {
    fn new(address: SocketAddr, what: &'static str, error: &io::Error) -> Self {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "another program uses this address and port; stop it, or listen elsewhere".into()
            }
            io::ErrorKind::PermissionDenied => format!(
                "permission denied; a port below 1024 needs root or CAP_NET_BIND_SERVICE, and \
                 this is {}",
                address.port()
            ),
            io::ErrorKind::AddrNotAvailable => "this machine does not have this address".into(),
            _ => error.to_string(),
        };
        Self { address, what, why }
    }
}

impl Sockets {
    /// Binds TCP, then UDP with `workers` sockets, on each address; what of it was given is used.
    ///
    /// # Errors
    /// When an address cannot be bound, with what to do about it.
    pub(super) fn bind(
        listen: &[SocketAddr],
        workers: usize,
        given: &mut Given,
    ) -> Result<Self, BindError> {
        let mut sockets = Self { udp: Vec::new(), tcp: Vec::new() };
        for &address in listen {
            let mut tries = if address.port() == 0 { PORT_TRIES } else { 1 };
            let (tcp, udp) = loop {
                tries -= 1;
                let bound = bind_pair(address, workers, given);
                match bound {
                    Err(_) if tries > 0 => {}
                    bound => break bound?,
                }
            };
            sockets.tcp.push(tcp);
            sockets.udp.extend(udp);
        }
        Ok(sockets)
    }
}

/// TCP first: it is not shared with anybody, and so finds out whether somebody else is there.
fn bind_pair(
    address: SocketAddr,
    workers: usize,
    given: &mut Given,
) -> Result<(Door, Vec<Arc<UdpSocket>>), BindError> {
    let tcp = given_or_bound(address, given).and_then(|socket| Ok((local(&socket)?, socket)));
    let (address, socket) = tcp.map_err(|e| BindError::new(address, "TCP", &e))?;
    let udp = match given.udp(address) {
        none if none.is_empty() => dns::bind(address, workers),
        sockets => dns::adopt(address, sockets, workers),
    };
    let udp = udp.map_err(|e| BindError::new(address, "UDP", &e))?;
    Ok((Door { socket, address }, udp))
}

/// The TCP socket of an address, with the options that all have.
fn given_or_bound(address: SocketAddr, given: &mut Given) -> io::Result<Socket> {
    let Some(listener) = given.tcp(address) else { return bound(address) };
    let socket = Socket::from(listener);
    limit_buffers(&socket)?;
    Ok(socket)
}

fn limit_buffers(socket: &Socket) -> io::Result<()> {
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_nonblocking(true)
}

/// A TCP socket that does not listen yet; an IPv6 one does not take IPv4 as well. Connections inherit
/// its options.
fn bound(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // What is left of connections from before a restart is not in the way.
    socket.set_reuse_address(true)?;
    limit_buffers(&socket)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn local(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| io::Error::other("not an Internet socket"))
}

/// A TCP socket bound for questions, which refuses clients until it listens: whoever is refused
/// asks another nameserver at once, and whoever waits for an answer does not. One that was given
/// listens already: there, clients wait.
#[derive(Debug)]
pub(super) struct Door {
    socket: Socket,
    pub(super) address: SocketAddr,
}

impl Door {
    /// Lets clients in.
    ///
    /// # Errors
    /// When another program has begun to listen on the same address meanwhile.
    pub(super) fn open(self) -> Result<TcpListener, BindError> {
        let listening = self.socket.listen(BACKLOG);
        let listener = listening.and_then(|()| TcpListener::from_std(self.socket.into()));
        listener.map_err(|e| BindError::new(self.address, "TCP", &e))
    }
}

/// A listener for the admin pages.
///
/// # Errors
/// When the address cannot be bound, with what to do about it.
pub(super) fn admin(address: SocketAddr, given: &mut Given) -> Result<TcpListener, BindError> {
    let listening = given_or_bound(address, given).and_then(|socket| {
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    });
    listening.map_err(|e| BindError::new(address, "admin, TCP", &e))
}
