//! `trimtab serve`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Failure, args, check, environment, log, style};
use crate::app::{Loaded, Manager, Overview, Server};
use crate::config::LogFormat;
use crate::metrics::Metrics;

pub(super) fn run(config: Option<PathBuf>) -> Result<(), Failure> {
    let path = args::config_path(config);
    let manager = environment::take()?;
    let (loaded, metrics) = prepare(&path)?;
    run_to_end(async {
        let server = start(path, loaded, metrics, manager)?;
        server.run(announce).await?;
        Ok(())
    })
}

/// Loads the configuration and sets logging up as it says.
pub(super) fn prepare(path: &Path) -> Result<(Loaded, Arc<Metrics>), Failure> {
    let metrics = Metrics::new();
    let loaded = check::load(path, &mut |region, record| metrics.column(region, record))?;
    Ok((loaded.counted(&metrics), metrics))
}

pub(super) fn start(
    path: PathBuf,
    loaded: Loaded,
    metrics: Arc<Metrics>,
    manager: Manager,
) -> Result<Server, Failure> {
    let json = loaded.config.log.format == LogFormat::Json;
    let handle = log::init(&loaded.config.log.level, json, style::colour())?;
    let set_log = move |level: &str| {
        if let Err(error) = handle.set_level(level) {
            tracing::error!("{error}");
        }
    };
    Ok(Server::start(path, loaded, metrics, Box::new(set_log), manager)?)
}

/// Runs it, and then ends without waiting for what cannot be interrupted: a name that the system's
/// resolver is looking up for a probe, say.
pub(super) fn run_to_end(all: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(all);
    runtime.shutdown_background();
    done
}

/// Says what is served: to people in a screen, to programs in a line.
fn announce(server: &Server) {
    let overview = server.overview();
    if !server.logs_json() {
        return tracing::info!("{}", overview.text());
    }
    let Overview { answering, on, off, state, generation, .. } = &overview;
    tracing::info!(
        zones = overview.zones.join("; "),
        regions = overview.regions.join("; "),
        records = overview.records.join("; "),
        on,
        off,
        state,
        generation,
        "{answering}"
    );
}
