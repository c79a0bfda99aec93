//! A nameserver from its sockets to its last answer.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::asked::Explainer;
use super::bind::{self, BindError, Sockets};
use super::files;
use super::given::GivenError;
use super::load::Loaded;
use super::manager::Manager;
use super::notify::Notify;
use super::overview::{self, Overview};
use super::query_log;
use super::reload::{By, Reloader};
use super::threads::Threads;
use super::transfers;
use super::user::{self, UserError};
use super::watchdog::Watchdog;
use super::webhooks::Webhooks;
use crate::admin::api::bodies::Reloaded;
use crate::admin::{self, Api, Errand};
use crate::alias::{self, Looker, Pace};
use crate::clock;
use crate::config::{self, Concurrency, Config, LogFormat, Workers};
use crate::control::store::{Store, StoreError};
use crate::control::{Control, Helm, Wiring};
use crate::dns::{TcpLimits, TcpServer, UdpWorkers, engine};
use crate::metrics::{Metrics, Proto};
use crate::model::{Family, Probe, Target};
use crate::notify::Notifier;
use crate::probe::{Limits, Prober, Settings, concurrency};
use crate::problem::Problems;
use crate::querylog::QueryLog;
use crate::routing::Handle;
use crate::webhook::Hook;

/// Observations that may wait for the writer.
const OBSERVATIONS: usize = 4096;
/// Looks behind aliases that may wait for the writer.
const LOOKS: usize = 256;
/// Commands and questions of operators that may wait for the writer.
const REQUESTS: usize = 64;
/// Errands that may wait for their turn.
const ERRANDS: usize = 16;
/// Service managers give a start more time than this by themselves; what takes longer they are told.
const START_USUAL: Duration = Duration::from_secs(30);
/// How long the end may take before what is left is abandoned.
const STOP: Duration = Duration::from_secs(10);

/// Why a nameserver cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// What the service manager passed on cannot be used.
    #[error(transparent)]
    Given(#[from] GivenError),
    /// It cannot become the user that the configuration names.
    #[error(transparent)]
    User(#[from] UserError),
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] StoreError),
    /// The system refuses a thread or a signal handler.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
}

/// What a listener serves, in the order in which they are bound.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// All there is, to those who may.
    Everything,
    /// Metrics and whether it is alive, to everybody.
    Open,
}

/// A nameserver whose sockets are open and whose probes run.
#[derive(Debug)]
pub struct Server {
    config: Config,
    dns: Sockets,
    dns_addresses: Vec<SocketAddr>,
    admin_addresses: Vec<SocketAddr>,
    handle: Handle,
    engine: Arc<engine::Shared>,
    metrics: Arc<Metrics>,
    settled: watch::Receiver<bool>,
    ready: watch::Sender<bool>,
    prober: Prober,
    looker: Looker,
    targets: watch::Receiver<Arc<[Arc<Target>]>>,
    reloader: Reloader,
    errands: mpsc::Receiver<Errand>,
    explainer: Explainer,
    notifier: Notifier,
    /// Who started this, and wants to hear.
    manager: Notify,
    watchdog: Watchdog,
    query_log: QueryLog,
    webhooks: Webhooks,
    /// Who is told of events, by what was loaded first.
    hooks: Vec<Arc<Hook>>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    /// Those of the admin pages and of the probes.
    threads: [Threads; 2],
    signals: Signals,
}

#[derive(Debug)]
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Server {
    /// Opens sockets and state, publishes a first snapshot and starts probing. Nothing is
    /// answered before [`Server::run`].
    ///
    /// # Errors
    /// When an address, the state directory or a system resource cannot be had.
    pub fn start(
        path: PathBuf,
        loaded: Loaded,
        metrics: Arc<Metrics>,
        set_log: Box<dyn Fn(&str) + Send>,
        manager: Manager,
    ) -> Result<Self, StartError> {
        let (config, assembly) = (&loaded.config, Arc::clone(&loaded.assembly));
        let signals = Signals {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        };
        let Manager { mut given, notify, watchdog } = manager;
        given.check(config)?;
        let dns = Sockets::bind(&config.server.listen, workers(config), &mut given)?;
        let threads = [Threads::admin()?, Threads::probes()?];
        let [for_admin, for_probes] = &threads;
        let admin: Vec<TcpListener> = {
            let _theirs = for_admin.enter();
            let addresses = [Some(config.admin.listen), config.admin.metrics_listen];
            let admin = |address| bind::admin(address, &mut given);
            addresses.into_iter().flatten().map(admin).collect::<Result<_, _>>()?
        };
        // Nothing below wants root.
        user::become_configured(config)?;
        let (store, restored) = Store::open(&config.state.dir, Arc::clone(&metrics))?;

        let stop = CancellationToken::new();
        let (targets, targets_seen) = watch::channel(Arc::default());
        let (settled_told, settled) = watch::channel(false);
        let (observations, observed) = mpsc::channel(OBSERVATIONS);
        let (reloads, reloaded) = mpsc::channel(1);
        let (ready, ready_seen) = watch::channel(false);
        let (asks, requests) = mpsc::channel(REQUESTS);
        let (events, events_seen) = watch::channel(0);
        let helm = Helm::new(asks, events_seen);
        let (alive_told, alive) = watch::channel(clock::now());
        let (aliases, aliases_seen) = watch::channel(Arc::default());
        let (looks, looked) = mpsc::channel(LOOKS);
        let wiring = Wiring {
            metrics: Arc::clone(&metrics),
            store: Some(store),
            targets,
            settled: settled_told,
            requests,
            events,
            wall: Box::new(clock::wall),
            alive: alive_told,
            aliases,
            looked,
        };
        let (now, wall) = (clock::now(), clock::wall());
        let control = Control::new(assembly, &restored.at(now), wiring);
        let handle = control.handle();

        files::raise_limit();
        let limits = probe_limits(config);
        // A seed of its own keeps several nameservers from probing in step.
        let seed = fastrand::u64(..);
        let settings = Settings { limits, seed, ..Settings::default() };
        let reports = Arc::clone(&settings.reports);
        let prober = {
            let _theirs = for_probes.enter();
            Prober::spawn(targets_seen.clone(), observations, settings, stop.child_token())
        };
        let looker = {
            let _theirs = for_probes.enter();
            Looker::spawn(aliases_seen, looks, looks_at(config), stop.child_token())
        };
        let writing = control.run(observed, reloaded, stop.clone());
        let mut tasks = vec![tokio::spawn(report_fault(tokio::spawn(writing)))];
        metrics.reloaded(true, wall);
        let notifier = Notifier::new(Arc::clone(&metrics), stop.child_token());
        let engine = Arc::new(engine::Shared::new()?);
        let query_log = QueryLog::new(Arc::clone(&engine.taps), metrics.query_log());
        let told = Arc::clone(&metrics);
        let reloader = Reloader::new(path, &loaded, told, reloads, helm.clone(), set_log);
        let (errands_sent, errands) = mpsc::channel(ERRANDS);
        let explainer = Explainer::new(handle.clone());
        let webhooks =
            Webhooks::new(helm.clone(), handle.clone(), Arc::clone(&metrics), stop.child_token());
        let api = Api { helm, errands: errands_sent, reports, stop: stop.clone() };
        let access = reloader.access();
        let mut admin_addresses = Vec::new();
        for (listener, kind) in admin.into_iter().zip([Kind::Everything, Kind::Open]) {
            admin_addresses.push(listener.local_addr()?);
            let (metrics, ready) = (Arc::clone(&metrics), ready_seen.clone());
            let (router, tls) = match kind {
                Kind::Open => (admin::open_routes(metrics, ready), None),
                Kind::Everything => {
                    let router = admin::routes(metrics, ready, access.clone(), api.clone());
                    (router, Some(access.clone()))
                }
            };
            let _theirs = for_admin.enter();
            tasks.push(tokio::spawn(admin::serve(listener, router, tls, stop.clone())));
        }
        let watchdog = Watchdog::new(notify.clone(), watchdog, alive);
        // All else that was loaded has served its purpose, the databases above all.
        Ok(Self {
            config: loaded.config,
            dns_addresses: dns.tcp.iter().map(|door| door.address).collect(),
            dns,
            admin_addresses,
            handle,
            engine,
            metrics,
            settled,
            ready,
            prober,
            looker,
            targets: targets_seen,
            reloader,
            errands,
            explainer,
            notifier,
            manager: notify,
            watchdog,
            query_log,
            webhooks,
            hooks: loaded.hooks,
            stop,
            tasks,
            threads,
            signals,
        })
    }

    /// Whether the log is for programs.
    #[must_use]
    pub fn logs_json(&self) -> bool {
        self.config.log.format == LogFormat::Json
    }

    /// The addresses on which questions are answered.
    #[must_use]
    pub fn dns_addresses(&self) -> &[SocketAddr] {
        &self.dns_addresses
    }

    /// The addresses of the admin pages.
    #[must_use]
    pub fn admin_addresses(&self) -> &[SocketAddr] {
        &self.admin_addresses
    }

    /// Answers from the moment at which health is known until a signal ends it; `serving` is
    /// called when the first question can be answered.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub async fn run(mut self, serving: impl FnOnce(&Self)) -> Result<(), StartError> {
        if !self.wait_for_health().await {
            self.manager.stopping();
            self.finish(None, None).await;
            return Ok(());
        }
        self.query_log.set(&query_log::settings(&self.config))?;
        self.webhooks.set(std::mem::take(&mut self.hooks))?;
        let block_for =
            |address: SocketAddr| self.metrics.block(Proto::Udp, Family::of(address.ip()), false);
        let udp = UdpWorkers::spawn(&self.dns.udp, &self.handle, &self.engine, block_for)?;
        let threads = Threads::tcp()?;
        let tcp = TcpServer::new(
            self.tcp_limits(&self.config),
            self.handle.clone(),
            Arc::clone(&self.engine),
            self.metrics.connections(),
            self.stop.clone(),
        );
        for door in std::mem::take(&mut self.dns.tcp) {
            let family = Family::of(door.address.ip());
            let _theirs = threads.enter();
            tcp.listen(door.open()?, self.metrics.block(Proto::Tcp, family, true));
        }
        serving(&self);
        self.ready.send_replace(true);
        self.notify();
        self.manager.ready(&self.status());
        loop {
            tokio::select! {
                Some(()) = self.signals.hangup.recv() => {
                    // What came of it is in the log.
                    let _ = self.reload(&tcp, &By::signal("SIGHUP")).await;
                }
                Some(errand) = self.errands.recv() => self.run_errand(errand, &tcp).await,
                found = self.reloader.replaced() => {
                    self.watchdog.during(self.reloader.refresh(found)).await;
                }
                () = self.watchdog.watch() => {}
                _ = self.signals.terminate.recv() => break,
                _ = self.signals.interrupt.recv() => break,
            }
        }
        self.manager.stopping();
        tracing::info!("stopping: what has been received is still answered");
        self.finish(Some(udp), Some(tcp)).await;
        Ok(())
    }

    /// Loads the configuration again, and publishes what it comes to, telling the service manager
    /// meanwhile; gives the generation that serves it and the warnings.
    ///
    /// # Errors
    /// The problems because of which what was in force stays; none, when nobody publishes any more.
    async fn reload(&mut self, tcp: &TcpServer, by: &By) -> Result<(u64, Problems), Problems> {
        self.manager.reloading();
        let done = self.load_again(tcp, by).await;
        let status = match &done {
            Ok(_) => self.status(),
            Err(_) => format!("{}; the last reload was refused", self.status()),
        };
        self.manager.ready(&status);
        done
    }

    async fn load_again(&mut self, tcp: &TcpServer, by: &By) -> Result<(u64, Problems), Problems> {
        let loaded = self.watchdog.during(self.reloader.load(by)).await?;
        // Before the targets: those that are allowed now are probed at once.
        self.prober.set_limits(probe_limits(&loaded.config));
        self.looker.set(looks_at(&loaded.config));
        let (config, warnings) = (loaded.config.clone(), loaded.warnings.clone());
        let hooks = loaded.hooks.clone();
        let generation = self.watchdog.during(self.reloader.publish(loaded, by)).await;
        // Behind the targets: what they need is not for connections.
        tcp.set_limits(self.tcp_limits(&config));
        self.log_queries(&config);
        if let Err(error) = self.webhooks.set(hooks) {
            tracing::error!("webhooks are not told of anything: {error}; answers go on");
        }
        self.notify();
        generation.map(|generation| (generation, warnings)).ok_or_else(Problems::default)
    }

    async fn run_errand(&mut self, errand: Errand, tcp: &TcpServer) {
        match errand {
            Errand::Reload { actor, reason, reply } => {
                let lines = |problems: Problems| -> Vec<String> {
                    problems.0.iter().map(ToString::to_string).collect()
                };
                let done = self.reload(tcp, &By { actor, reason }).await;
                let done = done.map_err(lines).map(|(generation, warnings)| Reloaded {
                    generation,
                    warnings: lines(warnings),
                });
                // Who asked may have gone.
                let _ = reply.send(done);
            }
            Errand::Explain { question, reply } => {
                self.explainer.spawn(question, Arc::clone(&self.reloader.config), reply);
            }
            Errand::Simulate { down, from, reply } => self.explainer.foresee(down, from, reply),
        }
    }

    /// What is served, in a line.
    fn status(&self) -> String {
        overview::status(&self.handle.current(), &self.dns_addresses)
    }

    /// What is served.
    #[must_use]
    pub fn overview(&self) -> Overview {
        let addresses = (&*self.dns_addresses, &*self.admin_addresses);
        Overview::of(&self.reloader.config, &self.handle.current(), addresses)
    }

    /// Tells secondaries of what is served now.
    fn notify(&mut self) {
        let (config, assembly) = (&self.reloader.config, &self.reloader.assembly);
        self.notifier.plan(transfers::plan(config, assembly));
    }

    /// Has the query log written where a configuration says; a file is opened again.
    fn log_queries(&mut self, config: &Config) {
        if let Err(error) = self.query_log.set(&query_log::settings(config)) {
            tracing::error!("the query log cannot be written: {error}; answers go on");
        }
    }

    /// Waits until every probe has settled and every alias was looked up, but no longer than one interval
    /// of the checks in use, or one look; false when a signal came first.
    async fn wait_for_health(&mut self) -> bool {
        let assembly = Arc::clone(&self.handle.current().assembly);
        let used = assembly.pools.iter().flat_map(|pool| &pool.checks);
        // Regions that report themselves may take their time.
        let used = used.filter(|check| !matches!(check.probe, Probe::Push(_)));
        let longest = used.map(|check| check.timing.interval).max().unwrap_or_default();
        let looks = !assembly.aliases().is_empty();
        let longest = longest.max(if looks { self.config.alias.timeout } else { Duration::ZERO });
        if !*self.settled.borrow() && longest > START_USUAL {
            self.manager.starting(longest.saturating_add(START_USUAL));
        }
        tokio::select! {
            _ = self.settled.wait_for(|settled| *settled) => true,
            () = tokio::time::sleep(longest) => true,
            _ = self.signals.terminate.recv() => false,
            _ = self.signals.interrupt.recv() => false,
        }
    }

    /// The limits of TCP, as far as the system gives the files for them.
    fn tcp_limits(&self, config: &Config) -> TcpLimits {
        let tcp = &config.server.tcp;
        let limits = probe_limits(config);
        let probes = limits.concurrency.unwrap_or_else(|| {
            concurrency(self.targets.borrow().iter().map(Arc::as_ref), limits.fast_budget)
        });
        TcpLimits {
            max_connections: files::room_for(tcp.max_connections as usize, probes),
            max_per_client: tcp.max_per_client as usize,
            first_message_timeout: tcp.first_message_timeout,
            idle_timeout: tcp.idle_timeout,
            max_in_flight: tcp.max_in_flight.into(),
        }
    }

    /// Answers what has been received, stores what is known, and ends every task.
    async fn finish(mut self, udp: Option<UdpWorkers>, tcp: Option<TcpServer>) {
        self.ready.send_replace(false);
        self.stop.cancel();
        let all = async {
            if let Some(udp) = udp {
                // The workers are threads: joining them would hold up the tasks of this one.
                let _ = tokio::task::spawn_blocking(move || udp.stop()).await;
            }
            if let Some(tcp) = tcp {
                tcp.stopped().await;
            }
            // Behind the last answer. It is waited for on a thread of its own as well.
            let _ = tokio::task::spawn_blocking(move || self.query_log.stop()).await;
            self.prober.stopped().await;
            self.looker.stopped().await;
            self.notifier.stopped().await;
            self.webhooks.stopped().await;
            for task in self.tasks {
                // A task that panicked has ended as well.
                let _ = task.await;
            }
        };
        if tokio::time::timeout(STOP, all).await.is_err() {
            tracing::warn!("not everything ended within {} s; ending anyway", STOP.as_secs());
        }
        drop(self.threads);
    }
}

/// Tells when the writer of snapshots has ended by a fault. The answering threads do not need it.
async fn report_fault(writer: JoinHandle<()>) {
    if writer.await.is_err() {
        tracing::error!(
            "the part that judges health has stopped by a fault of this program: answers go on \
             from the last health known; restart the server"
        );
    }
}

fn workers(config: &Config) -> usize {
    match config.server.workers {
        Workers::Auto => std::thread::available_parallelism().map_or(1, usize::from),
        Workers::Count(count) => usize::from(count),
    }
}

/// How names behind aliases are looked up.
fn looks_at(config: &Config) -> alias::Settings {
    let config::Alias { servers, ttl_min, ttl_max, timeout } = &config.alias;
    let pace = Pace { ttl_min: *ttl_min, ttl_max: *ttl_max };
    alias::Settings { servers: servers.as_slice().into(), pace, timeout: *timeout }
}

fn probe_limits(config: &Config) -> Limits {
    let concurrency = match &config.probe.concurrency {
        Concurrency::Auto => None,
        Concurrency::Count(count) => Some(usize::from(count.value)),
    };
    let fast_budget = config.probe.fast_budget;
    let exec_at_once = config.probe.exec_at_once.value.into();
    Limits { concurrency, allow: config.probe.allow.clone().into(), fast_budget, exec_at_once }
}
