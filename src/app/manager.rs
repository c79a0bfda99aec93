//! The service manager that has started this process, as far as it is there: systemd, or whoever speaks
//! like it.

use std::time::Duration;

use super::given::Given;
use super::notify::Notify;

/// What it passed on, and what it wants to hear. The default is that there is none.
#[derive(Debug, Default)]
pub struct Manager {
    /// Sockets that it has opened.
    pub given: Given,
    /// Where it is told how things are.
    pub notify: Notify,
    /// It wants to hear once in this time that all is well.
    pub watchdog: Option<Duration>,
}
