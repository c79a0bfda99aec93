//! The overrides in force, and what a command makes of them. Pure: a command is tried on a copy, which
//! takes the place of the list once it is stored.

use std::time::Duration;

use super::command::{Action, Command, OverrideKind, Refusal, Wanted, Which};
use super::plans::Plans;
use crate::model::{Force, Moment, Move, Override, Plan, RecordId, RegionId, Shifted, Weight};
use crate::problem::nearest;
use crate::routing::{Assembly, Forces};
use crate::wire::Name;

/// How many overrides there may be.
pub(super) const MOST: usize = 1000;

/// All overrides, the oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Overrides {
    pub(super) list: Vec<Override>,
    /// The number of the next one.
    next: u64,
}

/// What a command would make of the overrides.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tried {
    pub(super) overrides: Overrides,
    /// Those that it made, changed or ended, as they are or were.
    pub(super) touched: Vec<Override>,
    /// Whether what it touched has ended.
    pub(super) ended: bool,
    /// The region whose pools are let back.
    pub(super) let_back: Option<RegionId>,
    pub(super) plans: Plans,
    /// The plan that it made or changed.
    pub(super) plan: Option<Plan>,
}

impl Tried {
    /// What changes nothing yet.
    pub(super) fn nothing(overrides: &Overrides, plans: &Plans) -> Self {
        Self {
            overrides: overrides.clone(),
            touched: Vec::new(),
            ended: false,
            let_back: None,
            plans: plans.clone(),
            plan: None,
        }
    }
}

/// An override that has come to its end by itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lapsed {
    pub(super) what: Override,
    /// It returns gradually from now on; else it is gone.
    pub(super) returns: bool,
}

impl Default for Overrides {
    fn default() -> Self {
        Self::new(Vec::new(), 1)
    }
}

impl Overrides {
    /// Those that an earlier process has left. `next` is at least the number of its next one.
    #[must_use]
    pub fn new(mut list: Vec<Override>, next: u64) -> Self {
        list.sort_unstable_by_key(|one| one.id);
        let beyond = list.last().map_or(1, |last| last.id.saturating_add(1));
        Self { list, next: next.max(beyond) }
    }

    /// The number of the next override.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// What a command would make of them.
    pub(super) fn attempt(
        &self,
        command: &Command,
        plans: &Plans,
        assembly: &Assembly,
        now: Moment,
    ) -> Result<Tried, Refusal> {
        let mut tried = Tried::nothing(self, plans);
        match &command.action {
            Action::Force { region, record, what, lasts } => {
                let region = known_region(assembly, region)?;
                if let Some(record) = record {
                    has_part(assembly, region, record)?;
                }
                if self.list.len() >= MOST {
                    return Err(Refusal::TooMany(self.list.len()));
                }
                let made = Override {
                    id: self.next,
                    region: assembly.regions[region.index()].name.clone(),
                    record: record.clone(),
                    force: force(*what, now),
                    actor: command.actor.name.clone(),
                    reason: command.reason.clone(),
                    since: now,
                    until: lasts.map(|lasts| now.after(lasts)),
                };
                tried.overrides.push(made.clone());
                tried.touched.push(made);
            }
            Action::LetBack { region } => {
                tried.let_back = Some(known_region(assembly, region)?);
            }
            Action::End { which, over } => {
                for id in self.chosen(which)? {
                    let ended = tried.overrides.end(id, over.unwrap_or_default(), now);
                    tried.touched.extend(ended);
                }
                tried.ended = true;
            }
            // For who knows of them.
            Action::Plan(_) => {}
        }
        Ok(tried)
    }

    /// Takes one in that has the next number.
    pub(super) fn push(&mut self, made: Override) {
        self.next = self.next.max(made.id.saturating_add(1));
        self.list.push(made);
    }

    /// The numbers of those that are meant.
    fn chosen(&self, which: &Which) -> Result<Vec<u64>, Refusal> {
        let chosen: Vec<u64> = match which {
            Which::Id(id) => self.list.iter().map(|one| one.id).filter(|own| own == id).collect(),
            Which::Of { region, record, kinds } => {
                let meant = |one: &&Override| {
                    *one.region == **region
                        && one.record == *record
                        && (kinds.is_empty() || kinds.contains(&OverrideKind::of(&one.force)))
                };
                self.list.iter().filter(meant).map(|one| one.id).collect()
            }
        };
        if chosen.is_empty() {
            return Err(Refusal::NothingToEnd(self.nothing(which)));
        }
        Ok(chosen)
    }

    /// Why nothing is meant, with what there is instead.
    fn nothing(&self, which: &Which) -> String {
        let text = match which {
            Which::Id(id) => format!("there is no override {id}"),
            Which::Of { region, record, kinds } => {
                let words: Vec<&str> = kinds.iter().map(|kind| kind.label()).collect();
                let kind = if words.is_empty() { "override".into() } else { words.join(" or ") };
                let place = record.as_ref().map_or_else(String::new, |name| format!(" in {name}"));
                format!("there is no {kind} on {region}{place}")
            }
        };
        let others: Vec<String> = match which {
            Which::Of { region, .. } => {
                let same = self.list.iter().filter(|one| *one.region == **region);
                same.take(5).map(title).collect()
            }
            Which::Id(_) => Vec::new(),
        };
        match others.as_slice() {
            [] => text,
            others => format!("{text}; there is {}", others.join(", ")),
        }
    }

    /// Ends one: a drain over a time, if there is one and anything is drained yet.
    fn end(&mut self, id: u64, over: Duration, now: Moment) -> Option<Override> {
        let at = self.list.iter().position(|one| one.id == id)?;
        let one = &mut self.list[at];
        match &mut one.force {
            Force::Drain(drain) if !over.is_zero() && drain.at(now) > 0.0 => {
                *drain = Move::new(drain.at(now), 0.0, now, over);
                one.until = None;
                Some(one.clone())
            }
            _ => Some(self.list.remove(at)),
        }
    }

    /// Lets those end whose time has come.
    pub(super) fn lapse(&mut self, now: Moment) -> Vec<Lapsed> {
        let mut lapsed = Vec::new();
        self.list.retain_mut(|one| {
            let over = one.until.is_some_and(|until| until <= now);
            match &mut one.force {
                // A return that is done.
                Force::Drain(drain) if drain.to == 0.0 && drain.is_done(now) => {
                    lapsed.push(Lapsed { what: one.clone(), returns: false });
                    false
                }
                Force::Drain(drain) if over && drain.over_ms > 0 => {
                    let time = Duration::from_millis(drain.over_ms);
                    // It began when its time had come, be it that nobody was there to see.
                    let began = one.until.take().unwrap_or(now);
                    *drain = Move::new(drain.at(began), 0.0, began, time);
                    let returns = !drain.is_done(now);
                    lapsed.push(Lapsed { what: one.clone(), returns });
                    returns
                }
                _ if over => {
                    lapsed.push(Lapsed { what: one.clone(), returns: false });
                    false
                }
                _ => true,
            }
        });
        lapsed
    }

    /// Those that stand on a region where something is about it: in a record, or in all.
    pub(super) fn on<'a>(
        &'a self,
        region: &'a str,
        record: Option<&'a Name>,
    ) -> impl Iterator<Item = &'a Override> {
        let there = move |one: &&Override| {
            let own = one.record.as_ref();
            *one.region == *region && (own.is_none() || record.is_none() || own == record)
        };
        self.list.iter().filter(there)
    }

    /// Adds what they come to at a moment, by the positions of an assembly that has a binding for each of
    /// [`super::arrangement::Arrangement::records`].
    pub(super) fn add(&self, forces: &mut Forces, assembly: &Assembly, now: Moment) {
        for one in &self.list {
            let Some(region) = find_region(assembly, &one.region) else { continue };
            let forcing = match &one.record {
                None => forces.on_region(region),
                Some(name) => {
                    let Some(record) = find_record(assembly, name) else { continue };
                    let binding = assembly.records[record.index()].binding;
                    forces.in_binding(binding, region)
                }
            };
            forcing.add(&one.force, now);
            if let Force::Shift(to) = &one.force
                && let Some(to) = find_region(assembly, to)
            {
                forcing.shifted = Some(Shifted { to, part: 1.0 });
            }
        }
    }

    /// Whether an override stands on something that is configured.
    pub(super) fn dangles(one: &Override, assembly: &Assembly) -> bool {
        let Some(region) = find_region(assembly, &one.region) else { return true };
        one.record.as_ref().is_some_and(|record| has_part(assembly, region, record).is_err())
    }
}

impl OverrideKind {
    /// That of what is forced.
    #[must_use]
    pub const fn of(force: &Force) -> Self {
        match force {
            Force::Drain(_) => Self::Drain,
            Force::Down => Self::ForceDown,
            Force::Up => Self::ForceUp,
            Force::Weight(_) => Self::Weight,
            Force::Shift(_) => Self::Shift,
        }
    }

    /// The word of the command line and the API.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::ForceDown => "force-down",
            Self::ForceUp => "force-up",
            Self::Weight => "weight",
            Self::Shift => "shift",
        }
    }
}

fn force(what: Wanted, now: Moment) -> Force {
    match what {
        Wanted::Drain(over) => Force::Drain(Move::new(0.0, 1.0, now, over.unwrap_or_default())),
        Wanted::Down => Force::Down,
        Wanted::Up => Force::Up,
        Wanted::Weight(weight) => Force::Weight(Weight(weight)),
    }
}

/// An override as sentences name it: `drain 7 on eu-west in app.example.com`.
pub(super) fn title(one: &Override) -> String {
    let place = one.record.as_ref().map_or_else(String::new, |name| format!(" in {name}"));
    let value = match &one.force {
        Force::Weight(weight) => format!(" {}", weight.0),
        Force::Shift(to) => format!(" to {to}"),
        _ => String::new(),
    };
    format!("{}{value} (number {}) on {}{place}", one.force.label(), one.id, one.region)
}

pub(super) fn find_region(assembly: &Assembly, name: &str) -> Option<RegionId> {
    let at = assembly.regions.iter().position(|region| &*region.name == name)?;
    u16::try_from(at).ok().map(RegionId)
}

pub(super) fn find_record(assembly: &Assembly, name: &Name) -> Option<RecordId> {
    let at = assembly.records.iter().position(|record| record.name == *name)?;
    u32::try_from(at).ok().map(RecordId)
}

pub(super) fn known_region(assembly: &Assembly, name: &str) -> Result<RegionId, Refusal> {
    find_region(assembly, name).ok_or_else(|| {
        let names = || assembly.regions.iter().map(|region| &*region.name);
        let hint = match nearest(name, names()) {
            Some(near) => format!("; did you mean {near}?"),
            None if assembly.regions.is_empty() => "; there are none".into(),
            None => {
                format!("; there are {}", names().take(10).collect::<Vec<_>>().join(", "))
            }
        };
        Refusal::UnknownRegion { region: name.into(), hint }
    })
}

pub(super) fn known_record(assembly: &Assembly, name: &Name) -> Result<RecordId, Refusal> {
    find_record(assembly, name).ok_or_else(|| {
        let names: Vec<String> =
            assembly.records.iter().map(|record| record.name.to_string()).collect();
        let near = nearest(&name.to_string(), names.iter().map(String::as_str));
        let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
        Refusal::UnknownRecord { record: name.to_string(), hint }
    })
}

pub(super) fn has_part(assembly: &Assembly, region: RegionId, name: &Name) -> Result<(), Refusal> {
    let record = known_record(assembly, name)?;
    let binding = &assembly.bindings[assembly.records[record.index()].binding.index()];
    let slots = &assembly.trees[binding.tree.index()].slots;
    let taking = slots.iter().zip(&binding.pools).filter(|(_, pool)| pool.is_some());
    let mut regions = taking.map(|(slot, _)| *slot);
    if regions.clone().any(|slot| slot == region) {
        return Ok(());
    }
    let of = |id: RegionId| assembly.regions[id.index()].name.to_string();
    let all: Vec<String> = regions.by_ref().map(of).collect();
    Err(Refusal::NoPart {
        region: of(region),
        record: name.to_string(),
        regions: if all.is_empty() { "no region".into() } else { all.join(", ") },
    })
}
