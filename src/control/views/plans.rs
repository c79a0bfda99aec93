//! Plans: how far they are, what they wait for, and what a drill found.

use std::time::{Duration, SystemTime};

use super::types::{DrillRegion, DrillReport, PlanKind, PlanView};
use super::{Seen, time};
use crate::control::plans::{Queried, phase_word, verdict};
use crate::model::{Counted, Drill, How, Moment, NamedWindow, Phase, Plan, Shift, Task, Window};

/// What is seen of a plan beside itself.
#[derive(Debug, Clone, Default)]
pub(in crate::control) struct PlanSight {
    pub(in crate::control) waits: Option<String>,
    pub(in crate::control) query: Option<Queried>,
    pub(in crate::control) overrides: Vec<u64>,
    /// Of a window: how far each of its regions is, the one that is furthest behind first.
    pub(in crate::control) phases: Vec<Phase>,
    pub(in crate::control) wall_ms: u64,
}

/// A plan as it is now.
pub(in crate::control) fn plan_view(seen: Seen<'_>, plan: &Plan, sight: &PlanSight) -> PlanView {
    let mut view = match &plan.task {
        Task::Shift(shift) => shift_view(seen, shift),
        Task::Drill(drill) => drill_view(seen, plan, drill),
        Task::Window(window) => of_window(window, sight),
    };
    view.id = Some(plan.id);
    view.title = plan.title();
    view.waits.clone_from(&sight.waits);
    view.abort_when = plan.abort_when.as_ref().map(ToString::to_string);
    view.query = sight.query.as_ref().and_then(queried);
    view.overrides.clone_from(&sight.overrides);
    view.record = plan.task.record().map(ToString::to_string);
    view.actor = Some(plan.actor.clone());
    view.reason.clone_from(&plan.reason);
    view.since = Some(seen.time(plan.since));
    if let Some(ended) = &plan.ended {
        let how = if ended.how == How::Done { "done" } else { "aborted" };
        (view.state, view.part, view.next_in_secs) = (how.into(), 0.0, None);
        view.ended = Some(seen.time(ended.at));
        view.ended_secs = Some(seen.moment().since(ended.at).as_secs_f64());
        view.ended_by.clone_from(&ended.actor);
        view.why = Some(ended.why.clone());
    }
    view
}

/// A window of the configuration.
pub(in crate::control) fn window_view(named: &NamedWindow, sight: &PlanSight) -> PlanView {
    PlanView {
        title: format!("window {}", named.name),
        reason: named.reason.clone(),
        ..of_window(&named.window, sight)
    }
}

fn queried(query: &Queried) -> Option<String> {
    Some(match query {
        Queried::None => return None,
        Queried::Waiting => "not answered yet".into(),
        Queried::Quiet => "within its bound".into(),
        Queried::Missing(why) => format!("cannot be asked: {why}"),
        Queried::Beyond(what) => format!("beyond its bound: {what}"),
    })
}

fn empty(kind: PlanKind, regions: Vec<String>, state: &str, part: f64) -> PlanView {
    PlanView {
        id: None,
        title: String::new(),
        kind,
        regions,
        to: None,
        record: None,
        state: state.into(),
        part,
        stages: Vec::new(),
        stage: None,
        every_secs: None,
        manual: false,
        next_in_secs: None,
        waits: None,
        abort_when: None,
        query: None,
        overrides: Vec::new(),
        from: None,
        until: None,
        actor: None,
        reason: None,
        since: None,
        ended: None,
        ended_secs: None,
        ended_by: None,
        why: None,
        report: None,
    }
}

fn shift_view(seen: Seen<'_>, shift: &Shift) -> PlanView {
    let state = match shift {
        shift if shift.is_last() => "last_stage",
        Shift { paused: true, .. } => "paused",
        _ => "running",
    };
    let goes_on = !shift.is_last() && !shift.paused && !shift.manual;
    PlanView {
        to: Some(shift.to.clone()),
        stages: shift.stages.clone(),
        stage: Some(shift.at + 1),
        every_secs: Some(shift.every.as_secs_f64()),
        manual: shift.manual,
        next_in_secs: goes_on.then(|| shift.due().since(seen.moment()).as_secs_f64()),
        ..empty(PlanKind::Shift, vec![shift.from.clone()], state, shift.part())
    }
}

fn drill_view(seen: Seen<'_>, plan: &Plan, drill: &Drill) -> PlanView {
    let now = seen.moment();
    let (state, part, next) = match drill.returned {
        None => ("drained", drill.share, plan.since.after(drill.lasts)),
        Some(returned) => ("returned", 0.0, returned.after(drill.after)),
    };
    let until = drill.returned.unwrap_or(now);
    PlanView {
        next_in_secs: Some(next.since(now).as_secs_f64()),
        report: Some(report(drill, until.since(plan.since))),
        ..empty(PlanKind::Drill, vec![drill.region.clone()], state, part)
    }
}

fn report(drill: &Drill, drained: Duration) -> DrillReport {
    let found = &drill.found;
    let counted = [&found.before, &found.during, &found.after];
    let of = |counted: [&Counted; 3], region: &str| DrillRegion {
        region: region.into(),
        rates: counted.map(|counted| counted.rate(region)),
        shares: counted.map(|counted| counted.share(region)),
        predicted: found.predicted.iter().find(|(name, _)| name == region).map(|(_, share)| *share),
    };
    let predicted = found.predicted.iter().map(|(name, _)| name);
    let seen = counted.iter().flat_map(|counted| counted.answers.iter().map(|(name, _)| name));
    let mut names: Vec<&String> = predicted.chain(seen).collect();
    names.sort_unstable();
    names.dedup();
    let judged = verdict(drill);
    DrillReport {
        verdict: judged.word.label().into(),
        text: judged.text,
        drained_secs: drained.as_secs_f64(),
        moved_after_secs: found.moved_after_ms.map(|ms| ms as f64 / 1e3),
        old_answers_secs: found.old_answers_secs,
        all_down: found.all_down,
        basis: found.basis.clone(),
        answers: counted.map(Counted::total),
        over_secs: counted.map(|counted| counted.over_ms as f64 / 1e3),
        regions: names.into_iter().map(|name| of(counted, name)).collect(),
    }
}

fn of_window(window: &Window, sight: &PlanSight) -> PlanView {
    let now = Moment(sight.wall_ms);
    let phase = sight.phases.first().copied().unwrap_or(Phase::Ahead);
    let part = match phase {
        Phase::Ahead | Phase::Prepared | Phase::Over => 0.0,
        Phase::Draining(moving) | Phase::Returning(moving) => moving.at(now),
        Phase::Drained => 1.0,
    };
    let next = match phase {
        Phase::Ahead | Phase::Prepared | Phase::Draining(_) => Some(window.from_ms),
        Phase::Drained => Some(window.to_ms),
        Phase::Returning(_) | Phase::Over => None,
    };
    let wall = |ms: u64| time(SystemTime::UNIX_EPOCH + Duration::from_millis(ms));
    PlanView {
        from: Some(wall(window.from_ms)),
        until: Some(wall(window.to_ms)),
        next_in_secs: next.map(|at| Moment(at).since(now).as_secs_f64()),
        ..empty(PlanKind::Window, window.regions.clone(), phase_word(&phase), part)
    }
}
