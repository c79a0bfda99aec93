//! What is measured: what a check asks, and how its targets behave.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// So many checks.
pub(super) const CHECKS: u32 = 10_000;
/// Each so often.
pub(super) const INTERVAL: Duration = Duration::from_secs(10);
/// And for so long at most.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);
/// The name in the certificate.
pub(super) const HOST: &str = "probes.test";

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) asks: Asks,
    pub(super) targets: Targets,
}

/// What a check asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    Tcp,
    Http,
    Https,
}

/// How targets behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Targets {
    /// They answer, each at an address of its own.
    Healthy,
    /// They answer, all at one address and port.
    One,
    /// Nothing comes back: no handshake (tcp), no response (http).
    Hanging,
    /// Nobody listens.
    Refusing,
}

impl Case {
    /// All rows.
    pub(super) const ALL: [Self; 7] = [
        Self { asks: Asks::Tcp, targets: Targets::Healthy },
        Self { asks: Asks::Tcp, targets: Targets::One },
        Self { asks: Asks::Tcp, targets: Targets::Hanging },
        Self { asks: Asks::Tcp, targets: Targets::Refusing },
        Self { asks: Asks::Http, targets: Targets::Healthy },
        Self { asks: Asks::Http, targets: Targets::Hanging },
        Self { asks: Asks::Https, targets: Targets::Healthy },
    ];

    /// Its name, by which it is asked for on the command line.
    pub(super) fn name(self) -> String {
        format!("{:?}-{:?}", self.asks, self.targets).to_lowercase()
    }

    /// The case of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|case| case.name() == name)
    }

    /// Whether every probe passes.
    pub(super) fn passes(self) -> bool {
        matches!(self.targets, Targets::Healthy | Targets::One)
    }

    /// After so long every target is in its phase. The first round of what hangs waits for places.
    pub(super) fn settling(self) -> Duration {
        if self.targets == Targets::Hanging { INTERVAL * 2 } else { INTERVAL * 13 / 10 }
    }

    /// Where the target of a check is.
    pub(super) fn target(self, check: u32, port: u16) -> SocketAddr {
        let [.., high, low] = check.to_be_bytes();
        let address = match self.targets {
            Targets::One => IpAddr::from(Ipv6Addr::LOCALHOST),
            _ => Ipv4Addr::new(127, 1, high, low).into(),
        };
        SocketAddr::new(address, port)
    }

    /// Where they listen.
    pub(super) fn listen(self) -> IpAddr {
        match self.targets {
            Targets::One => Ipv6Addr::LOCALHOST.into(),
            _ => Ipv4Addr::UNSPECIFIED.into(),
        }
    }
}
