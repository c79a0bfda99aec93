//! What all tests share: a site (configuration, zones, state), the real server as a child process,
//! targets that fail on demand, and a DNS client that is not the server's own code.

mod dns;
mod http;
mod log;
mod metrics;
mod pki;
mod program;
mod regions;
mod server;
mod site;
mod stream;
mod subnet;
mod target;
mod wait;

pub(crate) use dns::{
    Client, HEADER, Question, Reply, TcpClient, Via, exchange, exchange_octets, framed, option,
};
pub(crate) use http::{Http, trusting};
pub(crate) use pki::{HOST, pki};
pub(crate) use program::{
    check, fail, operate, operator, resolve, serve_and_fail, serve_command, simulate,
};
pub(crate) use regions::{PLACES, goes_to, letters, records, regions, set_down, watched};
pub(crate) use server::{Server, Signal, get};
pub(crate) use site::{Site, quick};
pub(crate) use stream::Stream;
pub(crate) use subnet::{answered, everywhere, scope, sent, subnet, subnet_option, subnets};
pub(crate) use target::{Kind, Mode, Target, targets};
pub(crate) use wait::until;
