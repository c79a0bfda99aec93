//! What the service manager is told of this process (sd_notify(3)): one datagram a message, to the
//! socket that it names.
//!
//! sd-notify knows the words. It does not know sockets of the abstract namespace, and would read the
//! environment each time, from which the socket's name is taken so that no child inherits it.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;

/// A service manager that does not read holds this process up no longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// The service manager, if there is one that wants to be told.
#[derive(Debug, Clone, Default)]
pub struct Notify(Option<Arc<(UnixDatagram, SocketAddr)>>);

impl Notify {
    /// To the socket that `NOTIFY_SOCKET` names: a path, or `@` and a name of the abstract namespace.
    ///
    /// # Errors
    /// When it names none, or when the system has no socket for it.
    pub fn new(name: &OsStr) -> io::Result<Self> {
        let address = match name.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            [b'/', ..] => SocketAddr::from_pathname(name)?,
            _ => {
                let what = "NOTIFY_SOCKET is neither an absolute path nor an abstract name";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
            }
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self(Some(Arc::new((socket, address)))))
    }

    /// DNS is answered; `status` says what of, in a line.
    pub(super) fn ready(&self, status: &str) {
        self.send(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// The configuration is being loaded again; [`Notify::ready`] says that it has been.
    pub(super) fn reloading(&self) {
        let status = NotifyState::Status("reloading the configuration");
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.send(&[NotifyState::Reloading, now, status]),
            // Without the time a newer systemd would take the reload for failed, and this for dead.
            Err(error) => tracing::warn!("the service manager is not told of the reload: {error}"),
        }
    }

    /// No more is answered than what has been received.
    pub(super) fn stopping(&self) {
        self.send(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
    }

    /// It may take so long until the next message.
    pub(super) fn starting(&self, within: Duration) {
        let within = u32::try_from(within.as_micros()).unwrap_or(u32::MAX);
        let status = NotifyState::Status("waiting for what the first probes see");
        self.send(&[NotifyState::ExtendTimeoutUsec(within), status]);
    }

    /// All is well.
    pub(super) fn alive(&self) {
        self.send(&[NotifyState::Watchdog]);
    }

    /// Sends one datagram. What the service manager does not take is lost, and said in the log.
    fn send(&self, states: &[NotifyState<'_>]) {
        let Some((socket, address)) = self.0.as_deref() else { return };
        let text: String = states.iter().map(|state| format!("{state}\n")).collect();
        if let Err(error) = socket.send_to_addr(text.as_bytes(), address) {
            tracing::warn!("the service manager cannot be told {:?}: {error}", text.trim_end());
        }
    }
}
