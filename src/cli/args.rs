//! The arguments, and where the configuration is when none names it.

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use domain::base::iana::Rtype;

use super::client::Servers;
use super::{
    checks, drain, drill, end, events, failback, force, plans, reload, shift, simulate, status,
    undrain, watch, webhook, weight, window,
};
use crate::app::explain::From;
use crate::wire::Name;

/// A health-checking, weighted, authoritative nameserver.
#[derive(Debug, Parser)]
#[command(name = "trimtab", version, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done; 1 failed; 2 usage or configuration; 3 the server cannot be reached."
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Run the nameserver
    #[command(visible_alias = "run")]
    Serve {
        /// The configuration [default: /etc/trimtab/trimtab.toml, then ./trimtab.toml]
        #[arg(short, long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Check a configuration and its zones, and print how fast each record can move its clients
    #[command(visible_alias = "checkconf")]
    Check {
        /// The configuration [default: /etc/trimtab/trimtab.toml, then ./trimtab.toml]
        #[arg(short, long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Explain what a client is answered, and why: by the configuration, or by a running server
    Resolve {
        /// The name asked for
        #[arg(value_parser = Name::from_text)]
        name: Name,
        /// The type asked for: A, AAAA, TXT, TYPE65, …
        #[arg(value_name = "TYPE", default_value = "A")]
        qtype: Rtype,
        /// The configuration [default: /etc/trimtab/trimtab.toml, then ./trimtab.toml]
        #[arg(short, long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// The client: an address, as the source of the query, or a prefix, as its EDNS Client
        /// Subnet [default: a client of whom nothing is known]
        #[arg(long, value_name = "IP|PREFIX")]
        from: Option<From>,
        /// Take a region to be down; may be given several times. All others are taken to be up, or,
        /// with --live, to be as they are
        #[arg(long, value_name = "REGION")]
        down: Vec<String>,
        /// Ask a running server: with the health that it sees, and what operators force
        #[arg(long, conflicts_with = "config")]
        live: bool,
        #[command(flatten)]
        servers: Servers,
    },
    /// Tell what would come of it if regions died, or if another configuration were loaded
    Simulate(simulate::Simulate),
    /// Show regions, health, shares, overrides and records at risk, on one screen
    Status(status::StatusOf),
    /// Show what probes saw of each target, with the last results
    Checks(checks::Checks),
    /// Give a region no share while any other is up
    Drain(drain::Drain),
    /// End the drains of a region
    Undrain(undrain::Undrain),
    /// Have a region count as up or down, whatever its checks see
    Force(force::Force),
    /// Have another region answer in a region's place, in stages: canaries, blue-green, migrations
    Shift(shift::Shift),
    /// Drain a region for a while, to see what comes of it
    Drill(drill::Drill),
    /// Empty regions for maintenance from a time to another
    Window(window::Window),
    /// Show shifts, drills and windows, under way and over
    Plans(plans::Plans),
    /// Give a region another weight than the configured one
    Weight(weight::Weight),
    /// End one override, by its number
    End(end::End),
    /// Let a region back that has recovered and waits for it
    Failback(failback::Failback),
    /// Load configuration and zones again, all of it or nothing
    Reload(reload::Reload),
    /// Show what has happened, and what happens
    Events(events::Events),
    /// Show the status as it is now, and what happens, until Ctrl-C
    Watch(watch::Watch),
    /// Try a webhook of the configuration
    Webhook(webhook::Webhook),
    /// Run a nameserver for demo.test, with three regions to break and mend on loopback
    Demo,
    /// Print the JSON schema of the configuration, for editors
    Schema,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

/// The configuration to use: the one named, else the first default that exists, else the last.
pub(super) fn config_path(named: Option<PathBuf>) -> PathBuf {
    named.unwrap_or_else(|| {
        let system = Path::new("/etc/trimtab/trimtab.toml");
        if system.exists() { system.into() } else { "trimtab.toml".into() }
    })
}
