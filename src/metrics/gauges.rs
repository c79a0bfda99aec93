//! What control, probes and reloads tell: health, weights, generations, times.
//!
//! Most calls look their series up by label, which is cheap beside the reload or transition behind
//! them. Those for each result of a probe are looked up once ([`CheckUp`], [`CheckResults`]).

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::core::Collector;
use prometheus::{Gauge, IntCounter, IntGauge, Opts, Registry};

use super::handle::Metrics;
use super::series::{Amount, Cell, Count, Durations, Level, Series, Value};
use super::table::{self, Def};
use crate::clock::{self, Duration, Instant, SystemTime};
use crate::model::{Family, Weight};

/// The series that a reload has left; all others vanish.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// Each address probed: region, check, address.
    pub checks: HashSet<(Arc<str>, Arc<str>, String)>,
    /// Each region, with the families of which it has addresses.
    pub regions: HashSet<(Arc<str>, Family)>,
    /// Each region, with addresses of its own or without.
    pub weights: HashSet<Arc<str>>,
    /// Each name behind an alias.
    pub aliases: HashSet<String>,
    /// The owner name of each dynamic record, as it was given to [`Metrics::record_all_down`].
    pub records: HashSet<String>,
    /// The columns that the new tables use.
    pub columns: HashSet<u32>,
}

/// How many overrides of each kind are in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OverridesInForce {
    /// Drains, and returns that are not done.
    pub drain: u32,
    /// Forced down.
    pub force_down: u32,
    /// Forced up.
    pub force_up: u32,
    /// Other weights.
    pub weight: u32,
    /// Shifts that are done and kept.
    pub shift: u32,
}

/// The series themselves.
#[derive(Debug)]
pub(super) struct Gauges {
    check_up: Series<3, Level>,
    check_duration: Series<2, Durations>,
    check_results: Series<3, Count>,
    check_certificate: Series<3, Amount>,
    checks_abstaining: IntGauge,
    cut_off: IntGauge,
    region_health: Series<2, Amount>,
    region_held: Series<3, Level>,
    pub(super) alias_addresses: Series<2, Level>,
    pub(super) alias_lookups: Series<2, Count>,
    pub(super) alias_found: Series<1, Level>,
    region_up: Series<2, Level>,
    region_weight: Series<1, Level>,
    overrides: Series<1, Level>,
    plans: Series<1, Level>,
    plan_endings: Series<2, Count>,
    region_transitions: Series<2, Count>,
    record_all_down: Series<1, Level>,
    geo_database_build: Series<1, Level>,
    notifies: Series<2, Count>,
    pub(super) webhook_deliveries: Series<2, Count>,
    pub(super) webhook_queue: Series<1, Level>,
    pub(super) webhook_success: Series<1, Level>,
    check_oldest: Gauge,
    table_generation: IntGauge,
    table_age: Gauge,
    reload_successful: IntGauge,
    reload_timestamp: Gauge,
    state_write_errors: IntCounter,
    since: Mutex<Since>,
}

/// The instants whose age is told.
#[derive(Debug, Default)]
struct Since {
    published: Option<Instant>,
    oldest_observation: Option<Instant>,
}

impl Gauges {
    /// All, in a registry.
    pub(super) fn new(registry: &Registry) -> Self {
        let gauges = Self {
            check_up: series(registry, &table::CHECK_UP),
            check_duration: series(registry, &table::CHECK_DURATION),
            check_results: series(registry, &table::CHECK_RESULTS),
            check_certificate: series(registry, &table::CHECK_CERTIFICATE),
            checks_abstaining: single(registry, &table::CHECKS_ABSTAINING, IntGauge::with_opts),
            cut_off: single(registry, &table::CUT_OFF, IntGauge::with_opts),
            region_health: series(registry, &table::REGION_HEALTH),
            region_held: series(registry, &table::REGION_HELD),
            alias_addresses: series(registry, &table::ALIAS_ADDRESSES),
            alias_lookups: series(registry, &table::ALIAS_LOOKUPS),
            alias_found: series(registry, &table::ALIAS_FOUND),
            region_up: series(registry, &table::REGION_UP),
            region_weight: series(registry, &table::REGION_WEIGHT),
            overrides: series(registry, &table::OVERRIDES),
            plans: series(registry, &table::PLANS),
            plan_endings: series(registry, &table::PLAN_ENDINGS),
            region_transitions: series(registry, &table::REGION_TRANSITIONS),
            record_all_down: series(registry, &table::RECORD_ALL_DOWN),
            geo_database_build: series(registry, &table::GEO_DATABASE_BUILD),
            notifies: series(registry, &table::NOTIFIES),
            webhook_deliveries: series(registry, &table::WEBHOOK_DELIVERIES),
            webhook_queue: series(registry, &table::WEBHOOK_QUEUE),
            webhook_success: series(registry, &table::WEBHOOK_SUCCESS),
            check_oldest: single(registry, &table::CHECK_OLDEST, Gauge::with_opts),
            table_generation: single(registry, &table::TABLE_GENERATION, IntGauge::with_opts),
            table_age: single(registry, &table::TABLE_AGE, Gauge::with_opts),
            reload_successful: single(registry, &table::RELOAD_SUCCESSFUL, IntGauge::with_opts),
            reload_timestamp: single(registry, &table::RELOAD_TIMESTAMP, Gauge::with_opts),
            state_write_errors: single(registry, &table::STATE_WRITE_ERRORS, IntCounter::with_opts),
            since: Mutex::default(),
        };
        let build: Series<2, Level> = series(registry, &table::BUILD_INFO);
        let commit = option_env!("TRIMTAB_COMMIT").unwrap_or("unknown");
        build.update([env!("CARGO_PKG_VERSION"), commit], |level| level.0 = 1);
        gauges
    }

    /// Brings those that tell an age up to date.
    pub(super) fn refresh(&self) {
        let now = clock::now();
        let age = |at: Option<Instant>| {
            at.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64())
        };
        let since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        self.table_age.set(age(since.published));
        self.check_oldest.set(age(since.oldest_observation));
    }

    fn since(&self, set: impl FnOnce(&mut Since)) {
        set(&mut self.since.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn series<const N: usize, V: Value + 'static>(
    registry: &Registry,
    def: &'static Def,
) -> Series<N, V> {
    register(registry, Series::new(def))
}

/// A metric without labels.
fn single<C: Collector + Clone + 'static>(
    registry: &Registry,
    def: &Def,
    make: impl FnOnce(Opts) -> prometheus::Result<C>,
) -> C {
    register(registry, make(Opts::new(def.name, def.help)).expect("the table holds valid names"))
}

fn register<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> C {
    registry.register(Box::new(collector.clone())).expect("no name stands twice in the table");
    collector
}

/// For those who probe and judge.
impl Metrics {
    /// Where is shown what a check judges an address of a region to be. One that is not shown yet is
    /// shown as `up` says from here on, so that no scrape sees it down before it is set.
    #[must_use]
    pub fn check_up(&self, region: &str, check: &str, address: &str, up: bool) -> CheckUp {
        CheckUp(self.gauges.check_up.cell([region, check, address], Level(up.into())))
    }

    /// Where the verdicts of a check of a region are counted.
    #[must_use]
    pub fn check_results(&self, region: &str, check: &str) -> CheckResults {
        let results = &self.gauges.check_results;
        CheckResults {
            passed: results.cell([region, check, "pass"], Count::default()),
            // It exists from the start, so that the first failure shows as an increase.
            failed: results.cell([region, check, "fail"], Count::default()),
            missing: results.cell([region, check, "missing"], Count::default()),
            duration: self.gauges.check_duration.cell([region, check], Durations::default()),
        }
    }

    /// When the probe that has waited longest for a new result last gave one; `None` when nothing
    /// is probed.
    pub fn oldest_observation(&self, at: Option<Instant>) {
        self.gauges.since(|since| since.oldest_observation = at);
    }

    /// When the certificate of an address expires.
    pub fn certificate(&self, region: &str, check: &str, address: &str, expires: SystemTime) {
        let since = expires.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let series = &self.gauges.check_certificate;
        series.update([region, check, address], |amount| amount.0 = since.as_secs_f64());
    }

    /// How many targets nothing is known of.
    pub fn abstaining(&self, targets: usize) {
        self.gauges.checks_abstaining.set(i64::try_from(targets).unwrap_or(i64::MAX));
    }

    /// Whether this nameserver takes itself to be cut off.
    pub fn cut_off(&self, cut_off: bool) {
        self.gauges.cut_off.set(cut_off.into());
    }

    /// A region's health factor for a family, and why it is not what its checks say, if it is not.
    pub fn region_health(&self, region: &str, family: Family, h: f64, held: Option<&str>) {
        self.gauges.region_health.update([region, family.label()], |amount| amount.0 = h);
        for reason in ["ramping", "damped", "awaiting", "kept"] {
            let is = held == Some(reason);
            let labels = [region, family.label(), reason];
            self.gauges.region_held.update(labels, |level| level.0 = is.into());
        }
    }

    /// What a region is judged to be for a family.
    pub fn region_up(&self, region: &str, family: Family, up: bool) {
        self.gauges.region_up.update([region, family.label()], |level| level.0 = up.into());
        // They exist from the start, so that the first transition shows as an increase.
        for to in ["up", "down"] {
            self.gauges.region_transitions.update([region, to], |_| ());
        }
    }

    /// A region's weight in force.
    pub fn region_weight(&self, region: &str, weight: Weight) {
        self.gauges.region_weight.update([region], |level| level.0 = weight.0.into());
    }

    /// How many overrides of each kind are in force.
    pub fn overrides(&self, in_force: OverridesInForce) {
        let OverridesInForce { drain, force_down, force_up, weight, shift } = in_force;
        for (kind, count) in [
            ("drain", drain),
            ("force-down", force_down),
            ("force-up", force_up),
            ("weight", weight),
            ("shift", shift),
        ] {
            self.gauges.overrides.update([kind], |level| level.0 = count);
        }
    }

    /// How many plans of a kind are under way.
    pub fn plans(&self, kind: &str, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.gauges.plans.update([kind], |level| level.0 = count);
    }

    /// A plan has ended.
    pub fn plan_ended(&self, kind: &str, result: &str) {
        self.gauges.plan_endings.update([kind, result], |n| n.0 += 1);
    }

    /// A region has gone up or down.
    pub fn region_transition(&self, region: &str, up: bool) {
        self.gauges.region_transitions.update([region, "up"], |n| n.0 += u64::from(up));
        self.gauges.region_transitions.update([region, "down"], |n| n.0 += u64::from(!up));
    }

    /// Whether `on_all_down` decides what a record answers; `record` is its owner name.
    pub fn record_all_down(&self, record: &str, engaged: bool) {
        self.gauges.record_all_down.update([record], |level| level.0 = engaged.into());
    }
}

/// Whether a check judges an address to be up. For as long as [`Metrics::retain`] keeps its series.
#[derive(Debug)]
pub struct CheckUp(Cell<Level>);

impl CheckUp {
    /// Shows it.
    pub fn set(&self, up: bool) {
        self.0.update(|level| level.0 = up.into());
    }
}

/// The verdicts of a check. For as long as [`Metrics::retain`] keeps their series.
#[derive(Debug)]
pub struct CheckResults {
    passed: Cell<Count>,
    failed: Cell<Count>,
    missing: Cell<Count>,
    duration: Cell<Durations>,
}

impl CheckResults {
    /// Counts one verdict, and how long it took in all. `None`: there was nothing to be said.
    pub fn count(&self, passed: Option<bool>, took: Duration) {
        let verdict = match passed {
            Some(true) => &self.passed,
            Some(false) => &self.failed,
            None => &self.missing,
        };
        verdict.update(|count| count.0 += 1);
        self.duration.update(|durations| {
            durations.observe(took.as_secs_f64(), table::CHECK_DURATION.bounds());
        });
    }
}

/// For those who publish, reload and keep things going.
impl Metrics {
    /// New answers are in force since `at`.
    pub fn published(&self, generation: u64, at: Instant) {
        self.gauges.table_generation.set(i64::try_from(generation).unwrap_or(i64::MAX));
        self.gauges.since(|since| since.published = Some(at));
    }

    /// The configuration was loaded (the first time too), or a reload was refused.
    pub fn reloaded(&self, successful: bool, at: SystemTime) {
        self.gauges.reload_successful.set(successful.into());
        if successful {
            let unix = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            self.gauges.reload_timestamp.set(unix.as_secs_f64());
        }
    }

    /// The geolocation databases in force, with the times at which they were built, in seconds since
    /// 1970; all others vanish.
    pub fn geo_databases(&self, built: &[(PathBuf, u64)]) {
        let shown = |(path, _): &(PathBuf, u64)| path.display().to_string();
        let files: HashSet<_> = built.iter().map(shown).collect();
        let series = &self.gauges.geo_database_build;
        series.retain(|[file]| files.contains(file));
        for one in built {
            let epoch = u32::try_from(one.1).unwrap_or(u32::MAX);
            series.update([&shown(one)], |level| level.0 = epoch);
        }
    }

    /// The secondaries that are told of serials, by their addresses; all others vanish.
    pub fn secondaries(&self, live: &[String]) {
        self.gauges.notifies.retain(|[secondary, _]| live.iter().any(|one| one == secondary));
        for secondary in live {
            for result in ["answered", "refused", "unanswered"] {
                self.gauges.notifies.update([secondary, result], |_| ());
            }
        }
    }

    /// A secondary was told of a serial, with what came of it.
    pub fn notified(&self, secondary: &str, result: &str) {
        self.gauges.notifies.update([secondary, result], |n| n.0 += 1);
    }

    /// A write to the state directory failed.
    pub fn state_write_failed(&self) {
        self.gauges.state_write_errors.inc();
    }

    /// Removes every series that is not in `live`, after a reload. Set the live ones before or
    /// after; those that stay keep their values.
    pub fn retain(&self, live: &Live) {
        let gauges = &self.gauges;
        let checks: HashSet<_> =
            live.checks.iter().map(|(region, check, _)| (&**region, &**check)).collect();
        let addresses: HashSet<_> =
            live.checks.iter().map(|(region, check, at)| (&**region, &**check, &**at)).collect();
        let families: HashSet<_> =
            live.regions.iter().map(|(region, family)| (&**region, family.label())).collect();
        let regions: HashSet<_> = live.regions.iter().map(|(region, _)| &**region).collect();

        gauges.check_up.retain(|[region, check, at]| addresses.contains(&(region, check, at)));
        gauges.check_duration.retain(|[region, check]| checks.contains(&(region, check)));
        gauges.check_results.retain(|[region, check, _]| checks.contains(&(region, check)));
        let certificates = &gauges.check_certificate;
        certificates.retain(|[region, check, at]| addresses.contains(&(region, check, at)));
        gauges.region_health.retain(|[region, family]| families.contains(&(region, family)));
        gauges.region_held.retain(|[region, family, _]| families.contains(&(region, family)));
        gauges.region_up.retain(|[region, family]| families.contains(&(region, family)));
        gauges.region_weight.retain(|[region]| live.weights.contains(region));
        gauges.region_transitions.retain(|[region, _]| regions.contains(region));
        gauges.alias_addresses.retain(|[name, _]| live.aliases.contains(name));
        gauges.alias_lookups.retain(|[name, _]| live.aliases.contains(name));
        gauges.alias_found.retain(|[name]| live.aliases.contains(name));
        gauges.record_all_down.retain(|[record]| live.records.contains(record));
        self.blocks.show_only(&live.columns);
    }
}
