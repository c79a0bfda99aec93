//! `trimtab events`: what has happened, and with `--follow` what happens from now on.

use std::io::{Write, stderr, stdout};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::sync::mpsc;

use super::client::{Call, Fleet, Server, Servers, Told, Trouble, block_on};
use super::style::{self, Paint};
use super::{Failure, show};
use crate::clock;
use crate::control::views::EventView;

/// For how long a server is asked to wait for the next event.
const WAIT: Duration = Duration::from_secs(30);
/// Before a server that has gone is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct Events {
    /// Go on with what happens from now on, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// Only those behind the event of this number, the oldest first
    #[arg(long, value_name = "ID")]
    since: Option<u64>,
    /// Only those about this region
    #[arg(long)]
    region: Option<String>,
    /// At most so many
    #[arg(short, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
    n: u64,
    #[command(flatten)]
    servers: Servers,
}

pub(super) fn run(events: &Events) -> Result<(), Failure> {
    let fleet = Fleet::of(&events.servers)?;
    block_on(async {
        let all = fleet
            .all(|server| {
                let call = call(events.since, events.region.as_deref(), events.n);
                async move { server.ask::<Vec<EventView>>(&call).await }
            })
            .await;
        if !events.follow {
            let text = |_: &str, all: &Vec<EventView>, paint| match all.as_slice() {
                [] => "no events\n".into(),
                all => all.iter().map(|event| show::event(event, paint)).collect(),
            };
            return show::print(&all, events.servers.json, text);
        }
        let lines = Lines { json: events.servers.json, prefixed: all.len() > 1 };
        if all.iter().all(|told| told.said.is_err()) {
            all.iter().try_for_each(|told| lines.complaint(told))?;
            return show::outcome(&all);
        }
        follow(&fleet, all, events, lines).await
    })?
}

fn call(after: Option<u64>, region: Option<&str>, limit: u64) -> Call {
    Call::get(&["events"]).with("after", after).with("region", region).with("limit", Some(limit))
}

/// Prints what there was, and then what there is, until nobody reads it.
async fn follow(
    fleet: &Fleet,
    first: Vec<Told<Vec<EventView>>>,
    events: &Events,
    lines: Lines,
) -> Result<(), Failure> {
    let (sender, mut news) = mpsc::channel(64);
    for (server, told) in fleet.servers().iter().zip(&first) {
        let newest = told.said.as_ref().ok().and_then(|all| Some(all.last()?.id));
        let after = newest.or(events.since).unwrap_or(0);
        tokio::spawn(behind(server.clone(), after, events.region.clone(), sender.clone()));
    }
    drop(sender);
    for told in first {
        lines.print(&told)?;
    }
    while let Some(told) = news.recv().await {
        lines.print(&told)?;
    }
    // All of them have refused to tell more.
    Err(Failure::Told(1))
}

/// Sends all events behind one, as they happen; that a server has gone, once. Ends when nobody listens,
/// or when the server tells that it will not.
pub(super) async fn behind(
    server: Server,
    mut after: u64,
    region: Option<String>,
    news: mpsc::Sender<Told<Vec<EventView>>>,
) {
    let mut gone = false;
    loop {
        let wait = humantime::format_duration(WAIT).to_string();
        let call =
            call(Some(after), region.as_deref(), 100).with("wait", Some(wait)).patiently(WAIT);
        let asked = clock::now();
        let said = server.ask::<Vec<EventView>>(&call).await;
        let ends = matches!(said, Err(Trouble::Refused(_) | Trouble::Strange(_)));
        let again = gone && said.is_err();
        gone = said.is_err();
        after = said.as_ref().ok().and_then(|all| Some(all.last()?.id)).unwrap_or(after);
        let quiet = said.as_ref().is_ok_and(Vec::is_empty);
        let told = Told { admin: server.admin().to_string(), said };
        if !again && !quiet && news.send(told).await.is_err() || ends || news.is_closed() {
            return;
        }
        // A server that is about to stop waits for nothing.
        if gone || quiet && clock::now().saturating_duration_since(asked) < PAUSE {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// How events are printed while they happen: a line of JSON each, or as text, with the server if there
/// are several.
#[derive(Debug, Clone, Copy)]
struct Lines {
    json: bool,
    prefixed: bool,
}

impl Lines {
    fn print(self, told: &Told<Vec<EventView>>) -> Result<(), Failure> {
        let Ok(events) = &told.said else { return self.complaint(told) };
        for event in events {
            let text = if self.json {
                json!({ "admin": told.admin, "ok": true, "result": event }).to_string() + "\n"
            } else if self.prefixed {
                format!("{}  {}", told.admin, show::event(event, Paint::stdout()))
            } else {
                show::event(event, Paint::stdout())
            };
            stdout().write_all(text.as_bytes())?;
        }
        Ok(stdout().flush()?)
    }

    fn complaint(self, told: &Told<Vec<EventView>>) -> Result<(), Failure> {
        let Err(trouble) = &told.said else { return Ok(()) };
        if self.json {
            let line = json!({ "admin": told.admin, "ok": false, "problem": trouble.json() });
            stdout().write_all(format!("{line}\n").as_bytes())?;
            return Ok(stdout().flush()?);
        }
        let text = show::trouble(trouble, Paint::stderr());
        let line = format!("{}: {}: {text}", style::error("error"), told.admin);
        Ok(stderr().write_all(line.as_bytes())?)
    }
}
