//! The servers that are compared: real processes on loopback, with all their files in one directory.

mod bind;
mod knot;
mod nsd;
mod process;
mod trimtab;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ::trimtab::wire::Name;
use fastrand::Rng;

use crate::zone::{Family, written};
use process::Process;

/// A server that Trimtab is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    Nsd,
    Knot,
    Bind,
}

pub(crate) const PEERS: [Peer; 3] = [Peer::Nsd, Peer::Knot, Peer::Bind];

/// All four of them with the same zones.
pub(crate) struct Servers {
    trimtab: Process,
    peers: [Process; 3],
}

/// A zone that one of the servers does not serve.
pub(crate) struct Refused {
    pub(crate) by: &'static str,
    pub(crate) apex: Name,
    pub(crate) why: String,
}

impl Servers {
    /// Writes the zones below `dir` and starts all servers; also, which zones are not served.
    pub(crate) fn start(dir: &Path, families: &[Family], rng: &mut Rng) -> (Self, Vec<Refused>) {
        let mut zones = Vec::new();
        for zone in families.iter().flat_map(|family| &family.zones) {
            let file = dir.join(format!("{}.zone", zones.len()));
            fs::write(&file, zone.file(&Default::default(), rng)).expect("a file");
            zones.push((zone.apex.clone(), file));
        }
        let trimtab = trimtab::start(dir, families, rng);
        let mut peers = [
            nsd::start(&sub(dir, "nsd"), &zones),
            knot::start(&sub(dir, "knot"), &zones),
            bind::start(&sub(dir, "bind"), &zones),
        ];
        let refused = peers.iter_mut().flat_map(|peer| peer.settle(&zones)).collect();
        (Self { trimtab, peers }, refused)
    }

    /// Where Trimtab answers.
    pub(crate) const fn trimtab(&self) -> SocketAddr {
        self.trimtab.to
    }

    /// Where the others answer, in the order of [`PEERS`].
    pub(crate) fn peers(&self) -> [SocketAddr; 3] {
        [0, 1, 2].map(|at: usize| self.peers[at].to)
    }
}

/// What Trimtab itself has against the zones of a family, if anything.
pub(crate) fn refused_by_trimtab(family: &Family) -> Option<Refused> {
    trimtab::refused(family)
}

fn sub(dir: &Path, name: &str) -> PathBuf {
    let path = dir.join(name);
    fs::create_dir_all(&path).expect("a directory");
    path
}

/// A name in a configuration file.
fn plain(name: &Name) -> String {
    let mut never = Rng::with_seed(0);
    written(name, &mut never).to_ascii_lowercase()
}
