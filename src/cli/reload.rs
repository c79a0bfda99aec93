//! `trimtab reload`: the configuration and the zones again, all of it or nothing.

use std::time::Duration;

use clap::Args;

use super::client::{Call, Fleet, Servers, block_on};
use super::order::{self, Body, Reloaded};
use super::style::{Paint, Tone};
use super::{Failure, show};

/// Reading a million names, and the databases, takes its time.
const PATIENCE: Duration = Duration::from_secs(290);

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct Reload {
    /// Why; it stands in the events
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Return when it is served, which a reload does in any case
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    servers: Servers,
}

pub(super) fn run(reload: Reload) -> Result<(), Failure> {
    let Reload { reason, wait, servers } = reload;
    let body = Body::default().with("reason", reason).value();
    // Who gives a time-out means it.
    let patience = if servers.timeout.is_some() { Duration::ZERO } else { PATIENCE };
    let call = Call::post(&["reload"], body).once(&order::key()?).patiently(patience);
    let fleet = Fleet::of(&servers)?;
    let all = block_on(fleet.all(|server| {
        let call = call.clone();
        async move {
            let reloaded: Reloaded = server.ask(&call).await?;
            if wait {
                order::settled(&server, reloaded.generation, &[]).await?;
            }
            Ok(reloaded)
        }
    }))?;
    show::print(&all, servers.json, |_, reloaded, paint| text(reloaded, paint))
}

fn text(reloaded: &Reloaded, paint: Paint) -> String {
    let mut out = format!("reloaded: in force with tables {}\n", reloaded.generation);
    for warning in &reloaded.warnings {
        let lines: Vec<String> = warning.lines().map(show::clean).collect();
        out += &format!("{}: {}\n", paint.tone(Tone::Warn, "warning"), lines.join("\n  "));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_told() {
        let warnings = vec!["a region\nthat nothing uses".to_string()];
        let text = text(&Reloaded { generation: 7, warnings }, Paint::new(false));
        assert_eq!(
            text,
            "reloaded: in force with tables 7\nwarning: a region\n  that nothing uses\n"
        );
    }
}
