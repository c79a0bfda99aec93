//! The command line.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::ensure;
use clap::{ArgGroup, Parser};
use ipnet::IpNet;

use super::messages::{Ecs, Extras};
use super::order::Order;
use super::pace::{End, Pace};
use super::rcode;
use super::waiting::MOST;

/// What one socket can have outstanding, with a quarter to spare for what goes unevenly.
const IDS: u64 = MOST as u64 / 4 * 3;

/// Sends DNS queries, checks the answers, and tells rate, loss and latency.
#[derive(Debug, Parser)]
#[command(group(ArgGroup::new("pace").required(true)), group(ArgGroup::new("end").required(true)))]
pub(crate) struct Args {
    /// Whom to ask
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) server: SocketAddr,
    /// What to ask: one `name TYPE` a line, as dnsperf reads them
    #[arg(long, value_name = "FILE")]
    pub(crate) questions: PathBuf,
    /// Which question is next: sequence, random, or zipf:S for the exponent S
    #[arg(long, value_name = "ORDER", default_value = "sequence")]
    pub(crate) order: Order,
    /// Put a random label in front of every name
    #[arg(long)]
    pub(crate) subdomain: bool,
    /// Send an OPT record, with this UDP payload size
    #[arg(long, value_name = "SIZE")]
    pub(crate) edns: Option<u16>,
    /// Send a client subnet: random24 for another IPv4 /24 each time, or a fixed one
    #[arg(long, value_name = "random24|ADDRESS/LEN", value_parser = ecs)]
    pub(crate) ecs: Option<Ecs>,
    /// Send a client cookie
    #[arg(long)]
    pub(crate) cookie: bool,
    /// Keep so many queries outstanding, in all
    #[arg(long, value_name = "N", group = "pace", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) closed: Option<u32>,
    /// Send so many a second, whatever comes back; latency counts from when each was due
    #[arg(long, value_name = "RATE", group = "pace", value_parser = rate)]
    pub(crate) open: Option<f64>,
    /// Send for so long
    #[arg(long, value_name = "S", group = "end", value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
    /// Send so many
    #[arg(long, value_name = "N", group = "end", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) queries: Option<u64>,
    /// Over so many UDP sockets, each with a port of its own [default: as many as the ids of what
    /// may be outstanding need, mostly 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) sockets: Option<u16>,
    /// Over so many TCP connections that are kept, instead of UDP
    #[arg(long, value_name = "CONNECTIONS", conflicts_with = "sockets",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) tcp: Option<u16>,
    /// Send so many at once: an open loop has them due together, a closed one waits for so many
    /// places
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) burst: u32,
    /// What is not answered within so many milliseconds is lost
    #[arg(long, value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: u32,
    /// Seed of all that is random
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Microseconds to look for answers before sleeping [default: 50 for --closed, 0 for --open]
    ///
    /// A server pays for waking up a generator that sleeps.
    #[arg(long, value_name = "MICROSECONDS")]
    pub(crate) spin: Option<u32>,
    /// Any other rcode is wrong: a name such as NXDOMAIN, or a number
    #[arg(long, value_name = "RCODE", value_parser = rcode::parse)]
    pub(crate) expect: Option<u8>,
    /// Any other number of answer records is wrong
    #[arg(long, value_name = "MIN..MAX", value_parser = counts)]
    pub(crate) expect_answers: Option<RangeInclusive<u16>>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// What cargo tells every bench
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    /// How fast to send.
    pub(crate) fn pace(&self) -> Pace {
        match (self.closed, self.open) {
            (Some(outstanding), _) => Pace::Closed { outstanding: outstanding.into() },
            (None, rate) => Pace::Open { rate: rate.unwrap_or(1.0) },
        }
    }

    /// How long to send.
    pub(crate) fn end(&self) -> End {
        match (self.queries, self.seconds) {
            (Some(queries), _) => End::Queries(queries),
            (None, seconds) => End::Nanos((seconds.unwrap_or(1.0) * 1e9) as u64),
        }
    }

    /// How many sockets or connections there are.
    ///
    /// # Errors
    /// When they are too few for all that may be outstanding to have ids.
    pub(crate) fn channels(&self) -> anyhow::Result<u16> {
        let most = match self.pace() {
            Pace::Closed { outstanding } => outstanding,
            Pace::Open { rate } => {
                let timeout = f64::from(self.timeout) / 1000.0;
                (rate * self.seconds.map_or(timeout, |end| end.min(timeout))).ceil() as u64
            }
        };
        let most = if let Some(queries) = self.queries { most.min(queries) } else { most };
        let needed = u16::try_from(most.div_ceil(IDS).max(1))?;
        let given = self.tcp.or(self.sockets).unwrap_or(needed);
        ensure!(
            given >= needed,
            "{most} queries may be outstanding: {needed} sockets or connections are needed for \
             all to have ids of their own, or a shorter --timeout"
        );
        Ok(given)
    }

    /// What queries have beside their question.
    pub(crate) fn extras(&self) -> Extras {
        Extras { subdomain: self.subdomain, edns: self.edns, ecs: self.ecs, cookie: self.cookie }
    }
}

fn positive(text: &str, most: f64) -> Result<f64, String> {
    let value = text.parse::<f64>().map_err(|error| error.to_string())?;
    if value > 0.0 && value <= most {
        Ok(value)
    } else {
        Err(format!("more than 0 and at most {most} is possible"))
    }
}

fn rate(text: &str) -> Result<f64, String> {
    positive(text, 1e8)
}

fn seconds(text: &str) -> Result<f64, String> {
    positive(text, 1e6)
}

fn ecs(text: &str) -> Result<Ecs, String> {
    if text == "random24" {
        return Ok(Ecs::Random24);
    }
    IpNet::from_str(text).map(|net| Ecs::Fixed(net.trunc())).map_err(|error| error.to_string())
}

fn counts(text: &str) -> Result<RangeInclusive<u16>, String> {
    let number = |part: &str| part.parse::<u16>().map_err(|error| error.to_string());
    let (min, max) = text.split_once("..").ok_or("expected MIN..MAX, such as 1..1")?;
    let (min, max) = (number(min)?, number(max)?);
    if min > max { Err("MIN is above MAX".into()) } else { Ok(min..=max) }
}
