//! What the service manager passes in the environment: sockets, where to tell how things are, and how
//! often. All of it is taken out of there, so that no child takes it for its own.
#![expect(unsafe_code, reason = "the environment is changed before there is a second thread")]

use std::env;

use listenfd::ListenFd;

use super::Failure;
use crate::app::{Given, GivenError, Manager, Notify};

/// The first descriptor that is passed (sd_listen_fds(3)).
const FIRST: usize = 3;

/// Takes what there is; must be called before any thread is started.
pub(super) fn take() -> Result<Manager, Failure> {
    // `None` also when it is meant for another process.
    let watchdog = sd_notify::watchdog_enabled();
    let socket = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty());
    let notify = socket.map(|name| {
        Notify::new(&name)
            .map_err(|error| anyhow::anyhow!("NOTIFY_SOCKET={}: {error}", name.display()))
    });
    // This takes its own variables out, but for the names.
    let given = given(ListenFd::from_env());
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDNAMES"] {
        // SAFETY: there is one thread, which runs this, so nobody reads the environment meanwhile.
        unsafe { env::remove_var(name) };
    }
    Ok(Manager { given: given?, notify: notify.transpose()?.unwrap_or_default(), watchdog })
}

/// All sockets that were passed.
fn given(mut from: ListenFd) -> Result<Given, GivenError> {
    let mut given = Given::default();
    for index in 0..from.len() {
        let number = FIRST.saturating_add(index);
        match from.take_udp_socket(index) {
            Ok(Some(socket)) => given.add_udp(number, socket)?,
            _ => match from.take_tcp_listener(index) {
                Ok(Some(socket)) => given.add_tcp(number, socket)?,
                Ok(None) => {}
                Err(error) => return Err(GivenError::Kind { number, why: error.to_string() }),
            },
        }
    }
    Ok(given)
}
