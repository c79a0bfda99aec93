//! Maintenance windows as the writer sees them: how far each is, and what is told of that.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{Effects, When};
use crate::control::run::Control;
use crate::control::tell::whole_secs;
use crate::control::views::{EventKind, EventView};
use crate::model::{Phase, Task, Window};

impl Control {
    pub(super) fn when(&self, now: Instant) -> When {
        When { now: self.state.moment(now), wall_ms: self.state.wall_ms(now), done: None }
    }

    pub(super) fn effects(&self, when: When) -> Effects<'_> {
        let state = &self.state;
        Effects { assembly: &state.assembly, overrides: &state.overrides, ttls: &state.ttls, when }
    }

    /// Tells how far maintenance windows are, when that is another phase than before.
    pub(super) fn tell_windows(&mut self, now: Instant) {
        let planned = self.state.plans.list.iter().filter_map(|plan| match &plan.task {
            Task::Window(window) => Some((plan.title(), window.clone(), Some(plan.id))),
            Task::Shift(_) | Task::Drill(_) => None,
        });
        let configured = self.state.assembly.planning.windows.iter();
        let configured =
            configured.map(|named| (format!("window {}", named.name), named.window.clone(), None));
        let all: Vec<(String, Window, Option<u64>)> = planned.chain(configured).collect();
        let mut phases = HashMap::new();
        for (title, window, id) in all {
            for region in &window.regions {
                let own = Window { regions: vec![region.clone()], ..window.clone() };
                let Some(phase) = self.phases(&own, now).first().copied() else { continue };
                let key = format!("{title} {region}");
                let word = phase_word(&phase);
                let before = self.told_plans.phases.as_ref();
                let other = before.is_some_and(|before| before.get(&key).copied() != Some(word));
                // What is announced is told by the command, and its end by itself.
                if other && !matches!(phase, Phase::Ahead | Phase::Over) {
                    self.note_window(&title, id, region, &phase);
                }
                phases.insert(key, word);
            }
        }
        self.told_plans.phases = Some(phases);
    }

    fn note_window(&mut self, title: &str, id: Option<u64>, region: &str, phase: &Phase) {
        let over = |ms: u64| whole_secs(Duration::from_millis(ms));
        let what = match phase {
            Phase::Ahead | Phase::Over => return,
            Phase::Prepared => "is going to be drained: TTLs are lowered".into(),
            Phase::Draining(drain) => format!("is drained over {}", over(drain.over_ms)),
            Phase::Drained => "is drained".into(),
            Phase::Returning(back) if back.over_ms > 0 => {
                format!("returns over {}", over(back.over_ms))
            }
            Phase::Returning(_) => "returns".into(),
        };
        let text = format!("{title}: {region} {what}");
        tracing::info!("{text}");
        let event = EventView {
            kind: EventKind::Plan,
            text,
            subject: Some(title.into()),
            region: Some(region.into()),
            plan_id: id,
            ..self.event()
        };
        self.keep_event(event);
    }
}

/// The word of the API for how far a window is.
pub(in crate::control) const fn phase_word(phase: &Phase) -> &'static str {
    match phase {
        Phase::Ahead => "ahead",
        Phase::Prepared => "prepared",
        Phase::Draining(_) => "draining",
        Phase::Drained => "drained",
        Phase::Returning(_) => "returning",
        Phase::Over => "over",
    }
}
