//! Reload: configuration and zones as one transaction. A problem changes nothing.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::load::{self, Loaded, Serials};
use crate::clock;
use crate::config::{Config, LogFormat, Workers};
use crate::control::Reloaded;
use crate::metrics::Metrics;
use crate::problem::{Problem, Problems, Severity};

/// Loads again what is on disk, and hands it to the writer.
pub(super) struct Reloader {
    path: PathBuf,
    fixed: Fixed,
    serials: Serials,
    metrics: Arc<Metrics>,
    reloads: mpsc::Sender<Reloaded>,
    set_log: Box<dyn Fn(&str) + Send>,
}

impl std::fmt::Debug for Reloader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reloader").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The settings that a running server cannot change, as they were written.
#[derive(Debug, PartialEq, Eq)]
struct Fixed {
    keys: Vec<(&'static str, String)>,
}

impl Fixed {
    fn of(config: &Config) -> Self {
        let listen: Vec<_> = config.server.listen.iter().map(ToString::to_string).collect();
        let workers = match config.server.workers {
            Workers::Auto => "auto".into(),
            Workers::Count(count) => count.to_string(),
        };
        let metrics = config.admin.metrics_listen;
        let format = match config.log.format {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        };
        let keys = vec![
            ("server.listen", listen.join(", ")),
            ("server.workers", workers),
            ("admin.listen", config.admin.listen.to_string()),
            ("admin.metrics_listen", metrics.map_or("none".into(), |at| at.to_string())),
            ("state.dir", config.state.dir.display().to_string()),
            ("log.format", format.into()),
        ];
        Self { keys }
    }
}

impl Reloader {
    pub(super) fn new(
        path: PathBuf,
        config: &Config,
        serials: Serials,
        metrics: Arc<Metrics>,
        reloads: mpsc::Sender<Reloaded>,
        set_log: Box<dyn Fn(&str) + Send>,
    ) -> Self {
        Self { path, fixed: Fixed::of(config), serials, metrics, reloads, set_log }
    }

    /// Loads again what is on disk. `None`: it is not to be used, and the log says why.
    pub(super) async fn load(&self) -> Option<Loaded> {
        let (path, serials) = (self.path.clone(), self.serials.clone());
        let metrics = Arc::clone(&self.metrics);
        let loading = move || {
            load::load(&path, &serials, &mut |region, record| metrics.column(region, record))
        };
        // Reading files and building tables would hold up the tasks of this thread.
        let loaded = match tokio::task::spawn_blocking(loading).await {
            Ok(loaded) => loaded.and_then(|loaded| self.refuse_fixed(loaded)),
            Err(_) => {
                tracing::error!("the reload failed; the configuration in force stays");
                self.metrics.reloaded(false, clock::wall());
                return None;
            }
        };
        match loaded {
            Ok(loaded) => {
                for warning in &loaded.warnings.0 {
                    tracing::warn!("{warning}");
                }
                Some(loaded)
            }
            Err(problems) => {
                self.refused(&problems);
                None
            }
        }
    }

    fn refused(&self, problems: &Problems) {
        for problem in &problems.0 {
            match problem.severity {
                Severity::Error => tracing::error!("{problem}"),
                Severity::Warning => tracing::warn!("{problem}"),
            }
        }
        let errors = problems.errors();
        tracing::error!(
            "{} was not reloaded ({errors} {}); the configuration in force stays",
            self.path.display(),
            if errors == 1 { "error" } else { "errors" },
        );
        self.metrics.reloaded(false, clock::wall());
    }

    /// Hands what was loaded to the writer, and waits until it is published.
    pub(super) async fn publish(&mut self, loaded: Loaded) {
        let Loaded { config, assembly, serials, .. } = loaded;
        let (done, published) = oneshot::channel();
        let sent = self.reloads.send(Reloaded { assembly, done }).await;
        let generation = if sent.is_ok() { published.await.ok() } else { None };
        let Some(generation) = generation else {
            tracing::error!(
                "nothing can be reloaded, for what judges health and publishes has ended by a \
                 fault of this program; restart the server"
            );
            self.metrics.reloaded(false, clock::wall());
            return;
        };
        self.serials = serials;
        (self.set_log)(&config.log.level);
        self.metrics.reloaded(true, clock::wall());
        tracing::info!("reloaded {} (generation {generation})", self.path.display());
    }

    fn refuse_fixed(&self, loaded: Loaded) -> Result<Loaded, Problems> {
        let wanted = Fixed::of(&loaded.config);
        let changed = self.fixed.keys.iter().zip(wanted.keys).filter(|(was, is)| **was != *is);
        let problems: Vec<Problem> = changed
            .map(|((key, was), (_, is))| {
                let place = crate::problem::Place::File(self.path.clone());
                Problem::error(place, *key, is, format!("{was}, as when the server was started"))
                    .hint("restart the server to change this")
            })
            .collect();
        if problems.is_empty() { Ok(loaded) } else { Err(Problems(problems)) }
    }
}
