//! What operators ask for, done on the single writer: a command is tried, stored, applied and published,
//! in this order, and one at a time; a question is answered from what is in force.

use tokio::sync::oneshot;

use super::command::{Action, Command, Done, LeftWithNothing, PlanOrder, Refusal};
use super::foresight::over_capacity;
use super::helm::Request;
use super::overrides::{Tried, title};
use super::plans::{self, Planned};
use super::replies::{Reply, digest};
use super::run::Control;
use super::state::State;
use super::store::Commanded;
use super::views::{self, EventKind, EventView, OverrideView, Seen, Status};
use crate::clock;
use crate::model::{BindingId, Family, Force, Override, Plan, RecordId};
use crate::routing::{Snapshot, compile};
use crate::wire::Name;

/// How many records are told of a command.
const TOLD: usize = 20;
/// How many of them are kept with its event.
const KEPT: usize = 3;

/// A command that is on its way to the disk.
#[derive(Debug)]
pub(super) struct Storing {
    command: Box<Command>,
    tried: Tried,
    done: Done,
    event: EventView,
    answer: Answer,
}

/// Whom to tell what became of a command.
pub(super) type Answer = oneshot::Sender<Result<Done, Refusal>>;

/// What a command would come to.
enum Attempt {
    /// Nothing has to be done for it.
    Answered(Box<Done>),
    /// It has to be stored first.
    Store(Box<(Tried, Done)>),
}

impl Control {
    /// Answers a question at once, and begins what a command wants.
    pub(super) fn request(&mut self, request: Request) {
        let snapshot = self.handle.current();
        let seen = self.seen(&snapshot);
        // Whoever asked may have gone.
        match request {
            Request::Command(command, answer) => self.command(command, answer),
            Request::Note(origin) => self.note_reload(&origin, None),
            Request::Status(reply) => {
                let plans = self.plan_views(seen).under_way;
                drop(reply.send(Status { plans, ..views::status(seen) }));
            }
            Request::Regions(reply) => drop(reply.send(views::regions(seen))),
            Request::Records(filter, reply) => drop(reply.send(views::records(seen, &filter))),
            Request::Checks(filter, reply) => drop(reply.send(views::checks(seen, &filter))),
            Request::Overrides(reply) => {
                drop(reply.send(override_views(seen, &self.state.overrides.list)));
            }
            Request::Plans(reply) => drop(reply.send(self.plan_views(seen))),
            Request::Simulate(reply) => drop(reply.send(self.foreseen())),
            Request::Events(filter, reply) => drop(reply.send(self.events.list(&filter))),
        }
    }

    pub(super) fn seen<'a>(&'a self, snapshot: &'a Snapshot) -> Seen<'a> {
        Seen {
            state: &self.state,
            snapshot,
            now: clock::now(),
            wall: (self.wiring.wall)(),
            started: self.started,
        }
    }

    fn command(&mut self, command: Box<Command>, answer: Answer) {
        let (tried, done) = match self.attempt(&command) {
            Ok(Attempt::Store(both)) => *both,
            Ok(Attempt::Answered(done)) => return drop(answer.send(Ok(*done))),
            Err(refusal) => {
                tracing::info!(actor = command.actor.name, "refused: {refusal}");
                return drop(answer.send(Err(refusal)));
            }
        };
        let event = self.event_of(&command, &tried, &done);
        let storing = Storing { command, tried, done, event, answer };
        let Some(store) = &self.wiring.store else { return self.stored(storing, Ok(())) };
        let key = storing.command.key.as_ref();
        let next = key.map(|key| {
            let (reply, dropped) = self.replies.next(digest(&storing.command), &storing.done);
            (Some((key.clone(), reply)), dropped)
        });
        let (reply, dropped) = next.unwrap_or_default();
        let calming = storing.tried.let_back.map(|region| self.state.calming_let_back(region));
        let calming = calming.unwrap_or_default();
        let commanded = Commanded { event: storing.event.clone(), reply, dropped, calming };
        let stored = store.command(&storing.tried.overrides, &storing.tried.plans, commanded);
        self.storing = Some((storing, stored));
    }

    /// A command is stored, or could not be: applies it, publishes, and answers.
    pub(super) fn stored(&mut self, storing: Storing, result: Result<(), String>) {
        let Storing { command, tried, mut done, mut event, answer } = storing;
        match result {
            Err(error) => drop(answer.send(Err(Refusal::NotStored(error)))),
            Ok(()) => {
                let now = clock::now();
                self.state.set_overrides_and_plans(tried.overrides, tried.plans, now);
                if let Action::LetBack { region } = &command.action
                    && let Some(turned) = self.state.let_back(region, now)
                {
                    self.take_turn(&turned, now);
                }
                if matches!(command.action, Action::Plan(PlanOrder::Drill { .. })) {
                    self.begin_measuring(now);
                }
                self.publish();
                self.watch_plans(now);
                self.show_overrides();
                self.show_plans();
                if let Some(plan) = &tried.plan {
                    self.count_ending(plan);
                }
                let snapshot = self.handle.current();
                done.generation = snapshot.generation;
                done.overrides = override_views(self.seen(&snapshot), &tried.touched);
                done.plan =
                    tried.plan.as_ref().map(|plan| self.plan_view(self.seen(&snapshot), plan));
                if let Some(key) = &command.key {
                    self.replies.keep(key, digest(&command), &done);
                }
                tracing::info!(actor = command.actor.name, "{}", event.text);
                let as_stored = event.generation == snapshot.generation;
                event.generation = snapshot.generation;
                let kept = self.events.add(event);
                let again = !as_stored || kept.dropped.is_some();
                if let Some(store) = self.wiring.store.as_ref().filter(|_| again) {
                    store.keep_event(kept);
                }
                self.wiring.events.send_replace(self.events.newest());
                let _ = answer.send(Ok(done));
            }
        }
        for event in std::mem::take(&mut self.held_back) {
            self.keep_event(event);
        }
    }

    /// What a command would come to, all moves being done.
    fn attempt(&self, command: &Command) -> Result<Attempt, Refusal> {
        let key = command.key.as_ref().filter(|_| !command.dry_run);
        if let Some(Reply { command: known, done, .. }) = key.and_then(|key| self.replies.get(key))
        {
            return match *known == digest(command) {
                true => Ok(Attempt::Answered(Box::new(Done { repeated: true, ..done.clone() }))),
                false => Err(Refusal::KeyReused),
            };
        }
        let before = self.handle.current();
        let now = clock::now();
        let mut tried = match &command.action {
            Action::Plan(order) => Planned { state: &self.state, command, now }.attempt(order)?,
            _ => {
                let State { overrides, plans, assembly, .. } = &self.state;
                overrides.attempt(command, plans, assembly, self.state.moment(now))?
            }
        };
        if let Some(region) = tried.let_back
            && !self.state.waits(region)
        {
            let name = &self.state.assembly.regions[region.index()].name;
            return Err(Refusal::NothingToEnd(format!("{name} waits for nobody")));
        }
        let (assembly, inputs) = self.state.supposing(&tried, now);
        let after = compile(Some(&before), &assembly, &inputs);
        self.foresee(&mut tried, &before, &after, now);
        if !command.force {
            refuse_nothing_left(&before, &after, &tried)?;
        }
        let mut warnings = Vec::new();
        match over_capacity(&before, &after, || self.mix()) {
            // What was forced may always end.
            Some(refusal) if !command.force && command.action.moves_answers() => {
                return Err(refusal);
            }
            Some(Refusal::OverCapacity { text, .. }) => warnings.push(text),
            _ => {}
        }
        let (changes, records_changed) = views::changes(&before, &after, TOLD);
        if records_changed == 0 {
            warnings.push("no share of any record changes by it as things are".into());
        }
        let done = Done {
            generation: before.generation.saturating_add(u64::from(!command.dry_run)),
            dry_run: command.dry_run,
            repeated: false,
            overrides: override_views(self.seen(&before), &tried.touched),
            plan: tried.plan.as_ref().map(|plan| self.plan_view(self.seen(&before), plan)),
            changes,
            records_changed,
            warnings,
        };
        Ok(match command.dry_run {
            true => Attempt::Answered(Box::new(done)),
            false => Attempt::Store(Box::new((tried, done))),
        })
    }

    /// What is kept of a command.
    fn event_of(&self, command: &Command, tried: &Tried, done: &Done) -> EventView {
        let first = tried.touched.first();
        let of_plan = tried.plan.as_ref().and_then(|plan| plan.task.record());
        let record = first.and_then(|one| one.record.as_ref()).or(of_plan).map(ToString::to_string);
        let told = done.changes.iter().map(|change| &change.record);
        let mut records: Vec<&String> = told.collect();
        records.dedup();
        records.truncate(KEPT);
        let changes = done.changes.iter().filter(|change| records.contains(&&change.record));
        EventView {
            id: self.events.newest().saturating_add(1),
            kind: EventKind::Command,
            text: sentence(&command.action, tried),
            region: match (&command.action, &tried.plan) {
                (Action::LetBack { region }, _) => Some(region.clone()),
                (_, Some(plan)) => plan.task.regions().first().map(ToString::to_string),
                _ => first.map(|one| one.region.to_string()),
            },
            plan_id: tried.plan.as_ref().map(|plan| plan.id),
            record,
            actor: Some(command.actor.name.clone()),
            from: command.actor.from.map(|from| from.to_string()),
            reason: command.reason.clone(),
            override_id: first.map(|one| one.id),
            lasted_secs: first
                .filter(|_| tried.ended)
                .map(|one| self.state.moment(clock::now()).since(one.since).as_secs_f64()),
            changes: changes.cloned().collect(),
            records_changed: done.records_changed,
            generation: done.generation,
            ..self.event()
        }
    }
}

fn override_views(seen: Seen<'_>, all: &[Override]) -> Vec<OverrideView> {
    all.iter().map(|one| views::override_view(seen, one)).collect()
}

/// A command in a sentence.
fn sentence(action: &Action, tried: &Tried) -> String {
    let time = |time: std::time::Duration| humantime::format_duration(time).to_string();
    match action {
        Action::Force { lasts, .. } => {
            let all = tried.touched.iter().map(|one| {
                let place = one.record.as_ref().map_or_else(String::new, |r| format!(" in {r}"));
                let what = match &one.force {
                    Force::Drain(drain) if drain.over_ms > 0 => {
                        let over = std::time::Duration::from_millis(drain.over_ms);
                        format!("is drained over {}", time(over))
                    }
                    Force::Drain(_) => "is drained".into(),
                    Force::Down => "is forced down".into(),
                    Force::Up => "is forced up".into(),
                    Force::Weight(weight) => format!("weighs {}", weight.0),
                    Force::Shift(to) => format!("is answered for by {to}"),
                };
                format!("{}{place} {what} (number {})", one.region, one.id)
            });
            let all: Vec<String> = all.collect();
            let lasts = lasts.map_or_else(String::new, |lasts| format!(", for {}", time(lasts)));
            all.join(", ") + &lasts
        }
        Action::LetBack { region } => format!("{region} is let back"),
        Action::Plan(order) => match &tried.plan {
            Some(plan) => plans::sentence(order, plan),
            None => String::new(),
        },
        Action::End { over, .. } => {
            let all: Vec<String> = tried.touched.iter().map(title).collect();
            let verb = if all.len() == 1 { "ends" } else { "end" };
            let over = over.map_or_else(String::new, |over| format!(" over {}", time(over)));
            format!("{} {verb}{over}", all.join(", "))
        }
    }
}

/// Refuses what would leave records with nothing but drained or down pools. What makes nothing worse
/// is not refused for how bad things are already.
fn refuse_nothing_left(before: &Snapshot, after: &Snapshot, tried: &Tried) -> Result<(), Refusal> {
    let restricts =
        |one: &Override| !tried.ended && matches!(one.force, Force::Drain(_) | Force::Down);
    let plans = tried.plan.as_ref().is_some_and(|plan| plan.ended.is_none());
    let restricts = plans || tried.touched.iter().any(restricts);
    let (mut records, mut count) = (Vec::new(), 0);
    for at in 0..after.assembly.bindings.len() as u32 {
        let id = BindingId(at);
        if !concerned(after, id, tried) {
            continue;
        }
        for family in Family::BOTH {
            let all_down = |snapshot: &Snapshot, id: BindingId| {
                let served = snapshot.bindings.get(id.index());
                served.is_some_and(|served| served.is_all_down(family))
            };
            let Some(first) = after.assembly.ids_of(id).first() else { continue };
            let Some(was) = before.assembly.records.get(first.index()).map(|r| r.binding) else {
                continue;
            };
            if !all_down(after, id) || (!restricts && all_down(before, was)) {
                continue;
            }
            let now = views::standing(before, was, family);
            let then = views::standing(after, id, family);
            let of_it = after.assembly.ids_of(id);
            count += of_it.len();
            let room = TOLD.saturating_sub(records.len());
            records.extend(of_it.iter().take(room).map(|record: &RecordId| LeftWithNothing {
                record: after.assembly.records[record.index()].name.to_string(),
                family: family.label().into(),
                now: now.up,
                then: then.up,
                pools: then.pools,
            }));
        }
    }
    if count == 0 {
        return Ok(());
    }
    let told = records.iter().take(KEPT).map(|left| {
        let LeftWithNothing { record, family, now, then, pools } = left;
        format!("{record} ({family}: {now} of {pools} pools left now, {then} then)")
    });
    let told: Vec<String> = told.collect();
    let more = match count.saturating_sub(told.len()) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let text = format!(
        "it would leave nothing but drained or down pools for {}{more}; it is done only if forced",
        told.join(", ")
    );
    Err(Refusal::NothingLeft { text, records, count })
}

/// Whether a binding depends on what a command touches.
fn concerned(snapshot: &Snapshot, id: BindingId, tried: &Tried) -> bool {
    let assembly = &snapshot.assembly;
    let binding = &assembly.bindings[id.index()];
    let slots = &assembly.trees[binding.tree.index()].slots;
    let touches = |touched: &str, within: Option<&Name>| {
        let mut records = assembly.records_of(id);
        slots.iter().zip(&binding.pools).any(|(region, pool)| {
            pool.is_some() && *assembly.regions[region.index()].name == *touched
        }) && within.is_none_or(|name| records.any(|record| record.name == *name))
    };
    let of_plan = |plan: &Plan| {
        let record = plan.task.record();
        plan.task.regions().into_iter().any(|region| touches(region, record))
    };
    tried.touched.iter().any(|one| touches(&one.region, one.record.as_ref()))
        || tried.plan.as_ref().is_some_and(of_plan)
}
