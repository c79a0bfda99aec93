//! The limit of open files. Clients' connections and probes share it: with too few, whoever holds
//! many connections would stop the probes, and with them the failover.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is open besides sockets of clients and probes: the state, the log, files being loaded, and
/// connections to the admin pages.
const OTHERS: usize = 256;

/// Raises the limit to what the system allows, and says so when that is less than `connections` and
/// `probes` at once take.
pub(super) fn raise_limit(connections: usize, probes: usize) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: maximum, maximum };
    let allowed = if setrlimit(Resource::Nofile, raised).is_ok() { maximum } else { current };
    let wanted = connections.saturating_add(probes).saturating_add(OTHERS);
    // None: there is no limit.
    if let Some(allowed) = allowed.filter(|&allowed| allowed < wanted as u64) {
        tracing::warn!(
            "at most {allowed} files can be open, and {connections} TCP connections and {probes} \
             probes at once take {wanted}: raise the limit (LimitNOFILE in systemd), or lower \
             server.tcp.max_connections, or clients may keep probes from being made"
        );
    }
}
