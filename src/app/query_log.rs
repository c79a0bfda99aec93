//! From the configuration of the query log to what its writers are told.

use crate::config::{Config, LogClient, LogFile};
use crate::querylog::{Client, Lines, Sender, Settings, Socket, To};

/// What is to be written where.
pub(super) fn settings(config: &Config) -> Settings {
    let log = &config.query_log;
    let client = match log.client {
        LogClient::Subnet => Client::Subnet,
        LogClient::Address => Client::Address,
    };
    let lines = log.file.as_ref().map(|file| Lines {
        to: match file {
            LogFile::Stdout => To::Stdout,
            LogFile::Path(path) => To::File(path.clone()),
        },
        client,
    });
    let dnstap = &log.dnstap;
    let identity = dnstap.identity.as_ref().or(config.server.nsid.as_ref());
    let version = concat!("trimtab ", env!("CARGO_PKG_VERSION"));
    let socket = dnstap.socket.as_ref().map(|path| Socket {
        path: path.clone(),
        sender: Sender {
            identity: identity.cloned(),
            version: Some(dnstap.version.clone().unwrap_or_else(|| version.into())),
            client,
        },
    });
    Settings { lines, socket }
}
