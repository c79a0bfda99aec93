//! `trimtab simulate`: what would come of it if regions died, or if another configuration were loaded.
//!
//! With a configuration, offline: neither the state nor a socket is opened, and all pools are up but
//! those that die. Without one, running servers tell it, with the health that they see, what is forced,
//! and the mix of clients that they have measured.

mod replay;

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::client::{Call, Fleet, Servers, block_on};
use super::{Failure, args, check, show, style};
use crate::app::foresee;
use crate::simulate::{self, Board, Mix, Verdict};

/// What a simulation of very many records may take longer than other answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// The arguments.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 READY or AT RISK; 1 NOT READY, or it failed; 2 usage or configuration; 3 the server cannot be reached."
)]
pub(super) struct Simulate {
    /// Take these regions to die, together; may be given several times [default: each by itself]
    #[arg(long, value_name = "REGION", conflicts_with = "replay")]
    down: Vec<String>,
    /// By this configuration, all pools up [default: as things are in a running server]
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Who asks: lines of record,client,share, where record may be * and client is a prefix or *
    #[arg(long, value_name = "FILE", requires = "config", conflicts_with = "replay")]
    mix: Option<PathBuf>,
    /// Replay the queries of this log (lines of JSON); `-` is standard
    /// input; may be given several times
    #[arg(long, value_name = "QUERYLOG", requires = "against")]
    replay: Vec<PathBuf>,
    /// Replay them against this configuration, too: what would it move?
    #[arg(long, value_name = "NEW.toml", requires = "replay")]
    against: Option<PathBuf>,
    #[command(flatten)]
    servers: Servers,
}

pub(super) fn run(simulate: Simulate) -> Result<(), Failure> {
    let Simulate { down, config, mix, replay, against, servers } = simulate;
    if (config.is_some() || !replay.is_empty()) && servers.name_any() {
        let text = "servers are asked where no configuration is given: leave out one or the other";
        return Err(Failure::Usage(text.into()));
    }
    match (against, config) {
        (Some(against), config) => replay::run(&replay, config, &against, servers.json),
        (None, Some(config)) => offline(config, mix.as_deref(), &down, servers.json),
        _ => live(&down, &servers),
    }
}

/// By a configuration.
fn offline(
    config: PathBuf,
    mix: Option<&Path>,
    down: &[String],
    json: bool,
) -> Result<(), Failure> {
    let path = args::config_path(Some(config));
    let loaded = check::load(&path, &mut |_, _| 0)?;
    let mix = match mix {
        None => Mix::alike(),
        Some(file) => {
            let told = |wrong: Vec<String>| {
                Failure::Usage(format!("--mix: {}: {}", file.display(), wrong.join("; ")))
            };
            let text = std::fs::read_to_string(file)
                .map_err(|error| Failure::Usage(format!("--mix: {}: {error}", file.display())))?;
            let rows = simulate::read(&text).map_err(told)?;
            let from = file.display().to_string();
            Mix::given(&loaded.assembly, &rows, &from).map_err(told)?
        }
    };
    let board = foresee::offline(&loaded.assembly, &mix, down)
        .map_err(|unknown| Failure::Usage(format!("--down: {unknown}")))?;
    let out = match json {
        true => serde_json::to_string_pretty(&board)? + "\n",
        false => show::board(&path.display().to_string(), &board, style::Paint::stdout()),
    };
    stdout().write_all(out.as_bytes())?;
    told([&board])
}

/// As things are in running servers.
fn live(down: &[String], servers: &Servers) -> Result<(), Failure> {
    let call = Call::get(&["simulate"]).patiently(PATIENCE);
    let call = down.iter().fold(call, |call, region| call.with("down", Some(region)));
    let fleet = Fleet::of(servers)?;
    let all = block_on(fleet.all(|server| {
        let call = call.clone();
        async move { server.ask::<Board>(&call).await }
    }))?;
    show::print(&all, servers.json, show::board)?;
    told(all.iter().filter_map(|said| said.said.as_ref().ok()))
}

/// Fails when one is not ready.
fn told<'a>(boards: impl IntoIterator<Item = &'a Board>) -> Result<(), Failure> {
    match boards.into_iter().any(|board| board.verdict == Verdict::NotReady) {
        true => Err(Failure::Told(1)),
        false => Ok(()),
    }
}
