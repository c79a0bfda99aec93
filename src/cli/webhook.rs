//! `trimtab webhook test`: sends a test to a webhook of the configuration, and prints what came back.

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Subcommand};

use super::client::block_on;
use super::{Failure, args, check};
use crate::app::webhooks;
use crate::clock;
use crate::problem::nearest;
use crate::webhook::{Carrier, Hook, Http, Outcome};

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct Webhook {
    #[command(subcommand)]
    verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Send a test to a webhook, in its format, and print what came back
    Test {
        /// The webhook's name
        name: String,
        /// The configuration [default: /etc/trimtab/trimtab.toml, then ./trimtab.toml]
        #[arg(short, long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

pub(super) fn run(webhook: Webhook) -> Result<(), Failure> {
    let Verb::Test { name, config } = webhook.verb;
    let hooks = check::load(&args::config_path(config), &mut |_, _| 0)?.hooks;
    let hook = hooks.iter().find(|hook| *hook.name == *name).ok_or_else(|| {
        let names = hooks.iter().map(|hook| &*hook.name);
        let hint = match nearest(&name, names) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("{} are configured", hooks.len()),
        };
        Failure::Usage(format!("there is no webhook \"{name}\": {hint}"))
    })?;
    let (done, told) = block_on(test(hook))?;
    writeln!(stdout(), "{told}")?;
    match done {
        true => Ok(()),
        false => Err(Failure::Failed(anyhow!("the webhook {name} has not taken the test"))),
    }
}

/// Whether it was taken, and what came back.
async fn test(hook: &Hook) -> (bool, String) {
    let Some(request) = hook.trial(webhooks::trial(), clock::wall()) else {
        return (false, "there is nothing to send".into());
    };
    let octets = request.body.len();
    let answer = Http.carry(hook, request).await;
    let what = match Outcome::of(&answer, clock::wall()) {
        Outcome::Delivered => "it was taken".into(),
        Outcome::Later(..) => {
            let limit = humantime::format_duration(hook.retry_for);
            format!("an event would be tried again for {limit}")
        }
        Outcome::Never(_) => "an event would not be tried again".into(),
    };
    match answer {
        Ok(reply) => {
            let clean = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
            let body: String = reply.body.trim().chars().map(clean).collect();
            let told = format!("sent {octets} octets; HTTP {}: {what}", reply.status);
            let taken = (200..300).contains(&reply.status);
            (taken, if body.is_empty() { told } else { format!("{told}\n\n{body}") })
        }
        Err(why) => (false, format!("{why}: {what}")),
    }
}
