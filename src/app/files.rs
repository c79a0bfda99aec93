//! The limit of open files. Clients' connections and probes share it: with too few, whoever holds
//! many connections would stop the probes, and with them the failover.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is open besides sockets of clients and probes: the state, the log, files being loaded, and
/// connections to the admin pages.
const OTHERS: usize = 256;

/// Raises the limit to what the system allows; returns it.
pub(super) fn raise_limit() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: maximum, maximum };
    let allowed = if setrlimit(Resource::Nofile, raised).is_ok() { maximum } else { current };
    // None: there is no limit.
    allowed.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX))
}

/// How many of so many connections there is room for beside `probes` at once, which come first; says
/// so when it is not all of them.
pub(super) fn room_for(connections: usize, probes: usize) -> usize {
    let allowed = raise_limit();
    let room = room(allowed, probes).min(connections);
    if room < connections {
        tracing::warn!(
            "at most {allowed} files can be open, and {connections} TCP connections and {probes} \
             probes at once take {}: there will be no more than {room} connections; raise the \
             limit (LimitNOFILE in systemd), or lower server.tcp.max_connections",
            connections.saturating_add(probes).saturating_add(OTHERS),
        );
    }
    room
}

/// How many connections leave enough files for everything else; a quarter of all in any case.
fn room(allowed: usize, probes: usize) -> usize {
    allowed.saturating_sub(probes.saturating_add(OTHERS)).max(allowed / 4).max(1)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plenty(20_000, 100, 19_644)]
    #[case::usual(1024, 16, 752)]
    #[case::many_probes(1024, 2500, 256)]
    #[case::unlimited(usize::MAX, 16, usize::MAX - 272)]
    #[case::none(0, 0, 1)]
    fn connections_leave_files_for_probes(
        #[case] allowed: usize,
        #[case] probes: usize,
        #[case] expected: usize,
    ) {
        assert_eq!(room(allowed, probes), expected);
    }
}
