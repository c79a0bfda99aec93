//! What is told of what became of targets and pools beside their going up and down: degraded, silent,
//! held down, kept, waiting; a certificate that expires; this nameserver being cut off.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::apply::Effects;
use super::calms::Turned;
use super::run::Control;
use super::tell;
use super::tracked::Tracked;
use super::views::{EventKind, EventView, Turn};
use crate::health::{Calmed, Held};
use crate::model::{Family, PoolId, TargetId};

/// How many names a sentence lists before it only counts.
const NAMES: usize = 5;

impl Control {
    /// Tells, keeps and shows all but a target's transition.
    pub(super) fn note_effects(&mut self, id: TargetId, effects: &Effects, now: Instant) {
        if let Some(cut_off) = effects.cut_off {
            self.note_cut_off(cut_off);
        }
        if let Some(silent) = effects.silent {
            self.note_silent(id, silent);
        }
        if let Some(degraded) = effects.degraded {
            self.note_degraded(id, degraded);
        }
        self.take_turn(&effects.turned, now);
        let told =
            effects.transition.is_some() || effects.cut_off.is_some() || effects.silent.is_some();
        if !told && effects.turned.calmed.is_empty() && effects.turned.kept.is_empty() {
            self.note_asked(&effects.turned);
        }
    }

    /// Shows, tells and stores what became of pools.
    pub(super) fn take_turn(&mut self, turned: &Turned, now: Instant) {
        for (pool, was) in &turned.pools {
            self.region(*pool, Some(was));
        }
        for (pool, family, calmed) in &turned.calmed {
            self.note_calmed(*pool, *family, *calmed);
        }
        for family in &turned.kept {
            self.note_kept(*family);
        }
        for pool in &turned.remembered {
            self.keep_calming(*pool, now);
        }
    }

    /// Stores what is remembered of a pool.
    pub(super) fn keep_calming(&self, pool: PoolId, now: Instant) {
        if let Some(store) = &self.wiring.store {
            let kept = self.state.kept_calming(pool, now);
            store.keep_calming(&self.state.assembly.pool_name(pool), kept);
        }
    }

    fn note(&mut self, kind: EventKind, turn: Turn, text: String, about: About) {
        match turn {
            Turn::Worse => tracing::warn!(region = about.region.as_deref(), "{text}"),
            _ => tracing::info!(region = about.region.as_deref(), "{text}"),
        }
        let About { region, subject } = about;
        let event = EventView { kind, turn, text, region, subject: Some(subject), ..self.event() };
        self.keep_event(event);
    }

    fn note_calmed(&mut self, pool: PoolId, family: Family, calmed: Calmed) {
        let name = self.state.assembly.pool_name(pool);
        let of = family.name();
        let damping = self.state.assembly.judging.damping;
        let (kind, turn, text) = match calmed {
            Calmed::Damped(penalty) => {
                let wait = damping.map_or(Duration::ZERO, |damping| {
                    let halves = (penalty / damping.below).log2().max(0.0);
                    damping.half_life.mul_f64(halves)
                });
                let wait = tell::whole_secs(wait);
                let text = format!(
                    "{name} changes its state too often ({of}, penalty {penalty:.1}): it is held \
                     down until it has been quiet for about {wait}"
                );
                (EventKind::Damping, Turn::Worse, text)
            }
            Calmed::Undamped => {
                let text = format!("{name} has been quiet ({of}): it is held down no longer");
                (EventKind::Damping, Turn::Better, text)
            }
            Calmed::Awaits => {
                let region = self.region_of(pool);
                let text = format!(
                    "{name} has recovered ({of}) and waits for an operator: trimtab failback {region}"
                );
                (EventKind::Failback, Turn::Worse, text)
            }
            Calmed::LetBack => {
                (EventKind::Failback, Turn::Better, format!("{name} is let back ({of})"))
            }
        };
        let about = About { region: Some(self.region_of(pool)), subject: format!("{name} {of}") };
        self.note(kind, turn, text, about);
    }

    /// Tells what a reload has changed in this nameserver's own view.
    pub(super) fn tell_itself(&mut self) {
        let cut_off = self.state.self_check.cut_off.is_some();
        if self.told.cut_off != cut_off {
            self.note_cut_off(cut_off);
        }
        for family in Family::BOTH {
            let kept = !self.state.calms.kept[family.index()].is_empty();
            if self.told.kept[family.index()] != kept {
                self.note_kept(family);
            }
        }
        self.wiring.metrics.abstaining(self.state.abstaining);
    }

    fn note_kept(&mut self, family: Family) {
        let assembly = Arc::clone(&self.state.assembly);
        let kept = &self.state.calms.kept[family.index()];
        let names = kept.iter().map(|id| &assembly.regions[id.index()].name);
        let names = tell::listed(names, NAMES, ", ");
        let are = if kept.len() == 1 { "is" } else { "are" };
        self.told.kept[family.index()] = !kept.is_empty();
        let (failing, of) = self.state.calms.failing(family);
        let (turn, text) = if names.is_empty() {
            let text = format!(
                "{failing} of {of} regions fail ({}): no more than may be out at once",
                family.name()
            );
            (Turn::Better, text)
        } else {
            let most = assembly.judging.safety.max_ejected * 100.0;
            let text = format!(
                "{failing} of {of} regions fail ({}), and at most {most:.0} % may be out by probes \
                 alone: {names} {are} served all the same; this nameserver's own view may be at fault",
                family.name(),
            );
            (Turn::Worse, text)
        };
        let about = About { region: None, subject: format!("max_ejected {}", family.name()) };
        self.note(EventKind::Ejection, turn, text, about);
    }

    fn note_cut_off(&mut self, cut_off: bool) {
        self.told.cut_off = cut_off;
        self.wiring.metrics.cut_off(cut_off);
        let (turn, text) = if cut_off {
            let text = "every target fails, and so do the references: this nameserver is cut off; \
                        what was last known stays in force";
            (Turn::Worse, text)
        } else {
            (Turn::Better, "this nameserver is cut off no longer, and judges again")
        };
        let about = About { region: None, subject: "self-check".into() };
        self.note(EventKind::SelfCheck, turn, text.into(), about);
    }

    fn note_silent(&mut self, id: TargetId, silent: bool) {
        let cut_off = self.state.self_check.cut_off.is_some();
        self.wiring.metrics.abstaining(self.state.abstaining);
        // Then it is told of all of them at once.
        if cut_off {
            return;
        }
        let Some((about, why)) = self.about_target(id) else { return };
        let (turn, text) = if silent {
            let text = format!("{} cannot be asked, and decides nothing: {why}", about.subject);
            (Turn::Worse, text)
        } else {
            (Turn::Better, format!("{} can be asked again", about.subject))
        };
        let state = &self.state;
        let tracked = state.position(id).map(|at| &state.targets[at]);
        let pools: Vec<PoolId> = tracked.into_iter().flat_map(Tracked::pool_ids).collect();
        let text = format!("{text}; {}", tell::of_pools(state, &pools));
        let about = About { subject: about.subject + " silent", ..about };
        self.note(EventKind::Transition, turn, text, about);
    }

    fn note_degraded(&mut self, id: TargetId, degraded: bool) {
        let Some(tracked) = self.state.find(id) else { return };
        let how = tracked.health.report.degraded.clone().unwrap_or_default();
        let Some((about, _)) = self.about_target(id) else { return };
        let (turn, text) = if degraded {
            (Turn::Worse, format!("{} is degraded: {how}", about.subject))
        } else {
            (Turn::Better, format!("{} is degraded no longer", about.subject))
        };
        let about = About { subject: about.subject + " degraded", ..about };
        self.note(EventKind::Transition, turn, text, about);
    }

    /// Pools that ask for nothing, or for something again.
    fn note_asked(&mut self, turned: &Turned) {
        for (pool, was) in &turned.pools {
            for family in Family::BOTH {
                let is = self.state.pools[pool.index()].of(family);
                let (was_h, is_h, held) = (was.of(family).h, is.h, is.held);
                if (was_h > 0.0) == (is_h > 0.0) || held == Some(Held::Damped) {
                    continue;
                }
                let name = self.state.assembly.pool_name(*pool);
                let of = family.name();
                let (turn, text) = if is_h > 0.0 {
                    (Turn::Better, format!("{name} takes a share again ({of})"))
                } else {
                    let text = format!("{name} takes no share, by what it says of itself ({of})");
                    (Turn::Worse, text)
                };
                let subject = format!("{name} {of} by itself");
                let about = About { region: Some(self.region_of(*pool)), subject };
                self.note(EventKind::Transition, turn, text, about);
            }
        }
    }

    /// Shows when a target's certificate expires.
    pub(super) fn show_certificate(&self, tracked: &Tracked) {
        let assembly = &self.state.assembly;
        let Some(expires) = tracked.expires else { return };
        for (pool, addresses) in &tracked.pools {
            let pool = &assembly.pools[pool.index()];
            let region = &assembly.regions[pool.region.index()].name;
            let check = &tracked.target.check.name;
            for address in addresses {
                self.wiring.metrics.certificate(region, check, &pool.shown(*address), expires);
            }
        }
    }

    /// Tells in time of a target's certificate that expires, once.
    pub(super) fn watch_certificate(&mut self, id: TargetId) {
        let wall = (self.wiring.wall)();
        let Some(tracked) = self.state.find(id) else { return };
        let Some(expires) = tracked.expires else { return };
        let check = Arc::clone(&tracked.target.check);
        let left = expires.duration_since(wall).unwrap_or_default();
        let soon = left <= check.warn_before;
        if std::mem::replace(&mut tracked.warned, soon) == soon {
            return;
        }
        let Some((mut about, _)) = self.about_target(id) else { return };
        let (turn, text) = match (soon, left.is_zero()) {
            (true, true) => {
                (Turn::Worse, format!("{}: its certificate has expired", about.subject))
            }
            (true, false) => {
                let left = in_days(left);
                (Turn::Worse, format!("{}: its certificate expires in {left}", about.subject))
            }
            (false, _) => {
                let left = in_days(left);
                let text = format!("{}: its certificate was renewed, for {left}", about.subject);
                (Turn::Better, text)
            }
        };
        about.subject += " certificate";
        self.note(EventKind::Certificate, turn, text, about);
    }

    /// A target, and what its last probe came to.
    fn about_target(&self, id: TargetId) -> Option<(About, Arc<str>)> {
        let tracked = &self.state.targets[self.state.position(id)?];
        let region = tracked.pools.first().map(|(pool, _)| self.region_of(*pool));
        let subject = tracked.target.subject();
        let why = tracked.health.last.as_ref().and_then(|last| last.outcome.reason());
        Some((About { region, subject }, why.cloned().unwrap_or_default()))
    }

    fn region_of(&self, pool: PoolId) -> String {
        let assembly = &self.state.assembly;
        assembly.regions[assembly.pools[pool.index()].region.index()].name.to_string()
    }
}

/// What was told of this nameserver's own view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Itself {
    cut_off: bool,
    /// By family, whether regions are kept although they fail.
    kept: [bool; 2],
}

/// What an event is about.
#[derive(Debug)]
struct About {
    region: Option<String>,
    subject: String,
}

/// A time in days, or hours when it is short.
pub(super) fn in_days(time: Duration) -> String {
    let hours = time.as_secs() / 3600;
    match (hours / 24, hours) {
        (0, 1) => "1 hour".into(),
        (0, hours) => format!("{hours} hours"),
        (1, _) => "1 day".into(),
        (days, _) => format!("{days} days"),
    }
}
