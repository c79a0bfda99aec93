//! `trimtab watch`: the status of each server as it is now, and what happens, until Ctrl-C.
//!
//! On a terminal it is drawn anew about every second; elsewhere what changes is printed as lines.

mod differences;
mod frame;
mod lines;
mod screen;
#[cfg(test)]
mod tests;

use std::io::{IsTerminal, stdout};
use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::client::{Call, Fleet, Server, Servers, Told, Trouble, block_on};
use super::{Failure, events, show};
use crate::control::views::{EventView, Status};

/// Between two looks at a server.
const EVERY: Duration = Duration::from_secs(1);

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct Watch {
    #[command(flatten)]
    servers: Servers,
}

/// What has come in.
#[derive(Debug)]
enum News {
    /// The status of a server, by its place among them.
    Status(usize, Box<Result<Status, Trouble>>),
    /// Something has happened at one.
    Events(Told<Vec<EventView>>),
}

pub(super) fn run(watch: &Watch) -> Result<(), Failure> {
    let fleet = Fleet::of(&watch.servers)?;
    let json = watch.servers.json;
    block_on(async {
        let ask = |server: Server| async move { server.ask(&Call::get(&["status"])).await };
        let first: Vec<Told<Status>> = fleet.all(ask).await;
        if first.iter().all(|told| told.said.is_err()) {
            return show::print(&first, json, show::status);
        }
        let news = listen(&fleet);
        if stdout().is_terminal() && !json {
            screen::run(first, news).await
        } else {
            lines::run(first, news, json).await
        }
    })?
}

/// What comes in from all servers.
fn listen(fleet: &Fleet) -> mpsc::Receiver<News> {
    let (sender, news) = mpsc::channel(64);
    let (told, mut happened) = mpsc::channel(64);
    for (at, server) in fleet.servers().iter().enumerate() {
        tokio::spawn(look(at, server.clone(), sender.clone()));
        tokio::spawn(follow(server.clone(), told.clone()));
    }
    tokio::spawn(async move {
        while let Some(told) = happened.recv().await {
            if sender.send(News::Events(told)).await.is_err() {
                return;
            }
        }
    });
    news
}

/// The status of a server, again and again.
async fn look(at: usize, server: Server, news: mpsc::Sender<News>) {
    loop {
        sleep(EVERY).await;
        let said = server.ask(&Call::get(&["status"])).await;
        if news.send(News::Status(at, Box::new(said))).await.is_err() {
            return;
        }
    }
}

/// The last events of a server, and all that follow.
async fn follow(server: Server, told: mpsc::Sender<Told<Vec<EventView>>>) {
    const FIRST: u64 = 20;
    let first =
        server.ask::<Vec<EventView>>(&Call::get(&["events"]).with("limit", Some(FIRST))).await;
    let after = first.as_ref().ok().and_then(|all| Some(all.last()?.id)).unwrap_or(0);
    if told.send(Told { admin: server.admin().to_string(), said: first }).await.is_ok() {
        events::behind(server, after, None, told).await;
    }
}
