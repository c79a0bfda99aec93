//! Sockets that the service manager has opened before the program ran (socket activation): each
//! belongs to an address of the configuration, or nobody would ever read it.

use std::net::{SocketAddr, TcpListener, UdpSocket};

use socket2::SockRef;

use crate::config::Config;

/// What the service manager has opened, and nobody has taken yet.
#[derive(Debug, Default)]
pub struct Given {
    udp: Vec<(SocketAddr, UdpSocket)>,
    tcp: Vec<(SocketAddr, TcpListener)>,
}

/// Why a socket that was given cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GivenError {
    /// It is of a kind that nothing here listens on.
    #[error(
        "descriptor {number}, which was passed by the service manager, is no UDP or listening TCP \
         socket of the Internet: {why}"
    )]
    Kind {
        /// The file descriptor.
        number: usize,
        /// What the system says.
        why: String,
    },
    /// The configuration does not name its address.
    #[error(
        "the service manager passed a {kind} socket for {address}, and {keys} \
         not name that address: add it there, or take it out of the socket unit"
    )]
    Unclaimed {
        /// UDP or TCP.
        kind: &'static str,
        /// Where it is bound.
        address: SocketAddr,
        /// What should have named it, and a verb.
        keys: &'static str,
    },
    /// An address that only one socket can serve has two.
    #[error("the service manager passed two TCP sockets for {0}; one serves it")]
    Twice(SocketAddr),
    /// It would take clients of IPv4 for others.
    #[error(
        "the service manager passed a {kind} socket for {address} that takes IPv4 as well; set \
         BindIPv6Only=ipv6-only in the socket unit, and list 0.0.0.0 beside [::]"
    )]
    Both {
        /// UDP or TCP.
        kind: &'static str,
        /// Where it is bound.
        address: SocketAddr,
    },
}

impl Given {
    /// Takes a UDP socket.
    ///
    /// # Errors
    /// When it is bound to no address.
    pub fn add_udp(&mut self, number: usize, socket: UdpSocket) -> Result<(), GivenError> {
        let address = socket.local_addr();
        let address = address.map_err(|e| GivenError::Kind { number, why: e.to_string() })?;
        self.udp.push((address, socket));
        Ok(())
    }

    /// Takes a TCP socket that listens.
    ///
    /// # Errors
    /// When it is bound to no address, or does not listen.
    pub fn add_tcp(&mut self, number: usize, socket: TcpListener) -> Result<(), GivenError> {
        let kind = |why: String| GivenError::Kind { number, why };
        let address = socket.local_addr().map_err(|e| kind(e.to_string()))?;
        if !SockRef::from(&socket).is_listener().map_err(|e| kind(e.to_string()))? {
            return Err(kind("it does not listen".into()));
        }
        self.tcp.push((address, socket));
        Ok(())
    }

    /// Whether there is any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.udp.is_empty() && self.tcp.is_empty()
    }

    /// Holds all of them against a configuration, before anything is bound beside them.
    ///
    /// # Errors
    /// When one has no use.
    pub(super) fn check(&self, config: &Config) -> Result<(), GivenError> {
        let listen = &config.server.listen;
        let admin = [Some(config.admin.listen), config.admin.metrics_listen];
        for (address, socket) in &self.udp {
            is_ipv6_alone("UDP", *address, &SockRef::from(socket))?;
            if !listen.contains(address) {
                let keys = "server.listen does";
                return Err(GivenError::Unclaimed { kind: "UDP", address: *address, keys });
            }
        }
        for (at, (address, socket)) in self.tcp.iter().enumerate() {
            is_ipv6_alone("TCP", *address, &SockRef::from(socket))?;
            if !listen.contains(address) && !admin.contains(&Some(*address)) {
                let keys = "server.listen, admin.listen and admin.metrics_listen do";
                return Err(GivenError::Unclaimed { kind: "TCP", address: *address, keys });
            }
            if self.tcp.iter().take(at).any(|(before, _)| before == address) {
                return Err(GivenError::Twice(*address));
            }
        }
        Ok(())
    }

    /// The UDP sockets of an address.
    pub(super) fn udp(&mut self, address: SocketAddr) -> Vec<UdpSocket> {
        let taken = self.udp.extract_if(.., |(at, _)| *at == address);
        taken.map(|(_, socket)| socket).collect()
    }

    /// The TCP socket of an address.
    pub(super) fn tcp(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let at = self.tcp.iter().position(|(at, _)| *at == address)?;
        Some(self.tcp.swap_remove(at).1)
    }
}

/// A socket for any address that takes both families would show clients of IPv4 as mapped addresses,
/// of which no network, region or limit knows anything.
fn is_ipv6_alone(
    kind: &'static str,
    address: SocketAddr,
    socket: &SockRef<'_>,
) -> Result<(), GivenError> {
    let any = address.is_ipv6() && address.ip().is_unspecified();
    match any && !socket.only_v6().unwrap_or_default() {
        true => Err(GivenError::Both { kind, address }),
        false => Ok(()),
    }
}
