//! Reload: configuration and zones as one transaction. A problem changes nothing.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::background::in_background;
use super::load::{self, Loaded, Serials};
use super::memory::give_back_soon;
use super::watch::Watch;
use crate::admin::Access;
use crate::clock;
use crate::config::{Config, LogFormat, Workers};
use crate::control::command::Actor;
use crate::control::{Helm, Origin, Reloaded};
use crate::metrics::Metrics;
use crate::problem::{Problem, Problems, Severity};
use crate::routing::Assembly;

/// Loads again what is on disk, and hands it to the writer.
pub(super) struct Reloader {
    path: PathBuf,
    fixed: Fixed,
    /// The configuration in force.
    pub(super) config: Arc<Config>,
    /// What it came to.
    pub(super) assembly: Arc<Assembly>,
    serials: Serials,
    /// What the admin listener asks of whom.
    access: watch::Sender<Arc<Access>>,
    /// The files that are read again without a reload.
    pub(super) watch: Watch,
    pub(super) metrics: Arc<Metrics>,
    reloads: mpsc::Sender<Reloaded>,
    helm: Helm,
    set_log: Box<dyn Fn(&str) + Send>,
}

impl std::fmt::Debug for Reloader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reloader").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Who has the configuration loaded again, and why.
#[derive(Debug, Clone, Default)]
pub(super) struct By {
    pub(super) actor: Actor,
    pub(super) reason: Option<String>,
}

impl By {
    /// A signal.
    pub(super) fn signal(name: &str) -> Self {
        Self { actor: Actor { name: name.into(), from: None }, reason: None }
    }

    fn origin(&self, text: String) -> Origin {
        Origin { text, actor: Some(self.actor.clone()), reason: self.reason.clone() }
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
            (
                "server.user",
                config.server.user.as_ref().map_or("none".into(), |user| user.value.clone()),
            ),
            ("admin.listen", config.admin.listen.to_string()),
            ("admin.metrics_listen", metrics.map_or("none".into(), |at| at.to_string())),
            ("state.dir", config.state.dir.display().to_string()),
            ("log.format", format.into()),
        ];
        Self { keys }
    }
}

impl Reloader {
    /// For what was loaded first; must be called within a runtime.
    pub(super) fn new(
        path: PathBuf,
        loaded: &Loaded,
        metrics: Arc<Metrics>,
        reloads: mpsc::Sender<Reloaded>,
        helm: Helm,
        set_log: Box<dyn Fn(&str) + Send>,
    ) -> Self {
        metrics.geo_databases(&loaded.clients.built());
        give_back_soon();
        Self {
            path,
            fixed: Fixed::of(&loaded.config),
            config: Arc::new(loaded.config.clone()),
            assembly: Arc::clone(&loaded.assembly),
            serials: loaded.serials.clone(),
            access: watch::Sender::new(Arc::clone(&loaded.access)),
            watch: Watch::new(loaded.files.clone()),
            metrics,
            reloads,
            helm,
            set_log,
        }
    }

    /// What the admin listener asks of whom, now and after each reload.
    pub(super) fn access(&self) -> watch::Receiver<Arc<Access>> {
        self.access.subscribe()
    }

    /// Loads again what is on disk, for someone.
    ///
    /// # Errors
    /// The problems because of which it is not to be used; the log says them, too.
    pub(super) async fn load(&self, by: &By) -> Result<Loaded, Problems> {
        let (path, serials) = (self.path.clone(), self.serials.clone());
        let metrics = Arc::clone(&self.metrics);
        let loading = move || {
            load::load(&path, &serials, &mut |region, record| metrics.column(region, record))
                .map(|loaded| loaded.counted(&metrics))
        };
        // Reading files and building tables would hold up the tasks of this thread.
        let loaded = match in_background(loading).await {
            Ok(loaded) => loaded.and_then(|loaded| self.refuse_fixed(loaded)),
            Err(_) => {
                tracing::error!("the reload failed; the configuration in force stays");
                Err(Problems::default())
            }
        };
        match loaded {
            Ok(loaded) => {
                for warning in &loaded.warnings.0 {
                    tracing::warn!("{warning}");
                }
                Ok(loaded)
            }
            Err(problems) => {
                self.refused(&problems);
                self.metrics.reloaded(false, clock::wall());
                let errors = problems.errors();
                let first = problems.0.iter().find(|problem| problem.severity == Severity::Error);
                let first =
                    first.map_or_else(String::new, |problem| format!(", first of all: {problem}"));
                let text = format!(
                    "{} was not loaded again ({errors} {}{first}); what was in force stays",
                    self.path.display(),
                    if errors == 1 { "error" } else { "errors" }
                );
                self.helm.note(by.origin(text)).await;
                Err(problems)
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
    }

    /// Hands what was loaded to the writer, and waits until it is published; gives the generation that
    /// serves it, if there is a writer.
    pub(super) async fn publish(&mut self, loaded: Loaded, by: &By) -> Option<u64> {
        let Loaded { config, assembly, serials, access, clients, files, warnings: _, hooks: _ } =
            loaded;
        let built = clients.built();
        drop(clients);
        let origin = by.origin(format!("{} was loaded again", self.path.display()));
        let Some(generation) = self.hand_over(&assembly, origin).await else {
            self.metrics.reloaded(false, clock::wall());
            return None;
        };
        (self.set_log)(&config.log.level);
        self.metrics.geo_databases(&built);
        self.config = Arc::new(config);
        self.assembly = assembly;
        self.serials = serials;
        self.access.send_replace(access);
        self.watch = Watch::new(files);
        self.metrics.reloaded(true, clock::wall());
        tracing::info!("reloaded {} (generation {generation})", self.path.display());
        Some(generation)
    }

    /// Hands an assembly to the writer, and waits for the generation that serves it; `None`: there
    /// is no writer any more, and the log says so.
    pub(super) async fn hand_over(&self, assembly: &Arc<Assembly>, origin: Origin) -> Option<u64> {
        let (done, published) = oneshot::channel();
        let reloaded = Reloaded { assembly: Arc::clone(assembly), origin, done };
        let sent = self.reloads.send(reloaded).await;
        let generation = if sent.is_ok() { published.await.ok() } else { None };
        if generation.is_none() {
            tracing::error!(
                "nothing can be reloaded, for what judges health and publishes has ended by a \
                 fault of this program; restart the server"
            );
        }
        give_back_soon();
        generation
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
