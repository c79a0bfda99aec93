//! The arguments, and where the configuration is when none names it.

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use clap_complete::Shell;

/// A health-checking, weighted, authoritative nameserver.
#[derive(Debug, Parser)]
#[command(name = "trimtab", version, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 done; 1 failed; 2 usage or configuration.")]
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
