//! Random small zones: the index agrees with a walk over a plain set of names.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{find, index_with, show};
use crate::zone::{Found, Names, ZoneId};

/// A name as its labels, the top first, below the implied root.
type Labels = Vec<&'static str>;

/// A delegation, a DNAME, an address, a text, or a dynamic record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Ns,
    Dname,
    A,
    Txt,
    Dynamic,
}

/// The zones: `t` always, `a.t` and `b.a.t` perhaps.
#[derive(Debug, Clone)]
struct World {
    zones: Vec<Labels>,
    /// Each with the zone in whose file it stands; a dynamic one is in the deepest.
    data: BTreeSet<(usize, Labels, Kind)>,
}

fn labels() -> impl Strategy<Value = Labels> {
    let label = prop::sample::select(vec!["a", "b", "*"]);
    prop::collection::vec(label, 0..4)
        .prop_map(|rest| std::iter::once("t").chain(rest).collect::<Labels>())
}

fn world() -> impl Strategy<Value = World> {
    let kind = prop::sample::select(vec![
        Kind::Ns,
        Kind::Dname,
        Kind::A,
        Kind::A,
        Kind::Txt,
        Kind::Dynamic,
    ]);
    let data = prop::collection::vec((0_usize..3, labels(), kind), 0..12);
    (0_usize..4, data).prop_map(|(nested, data)| {
        let mut zones = vec![vec!["t"]];
        if nested & 1 > 0 {
            zones.push(vec!["t", "a"]);
        }
        if nested & 2 > 0 {
            zones.push(vec!["t", "a", "b"]);
        }
        let data = data
            .into_iter()
            .filter(|(zone, name, _)| zones.get(*zone).is_some_and(|apex| name.starts_with(apex)))
            .collect();
        World { zones, data }
    })
}

fn text(labels: &[&str]) -> String {
    labels.iter().rev().copied().collect::<Vec<_>>().join(".")
}

/// What is true of one name in the plain set.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fact {
    zone: usize,
    cut: Option<String>,
    wildcard: Option<String>,
    is_dynamic: bool,
    is_dname: bool,
}

impl World {
    fn deepest(&self, name: &[&str]) -> Option<usize> {
        (0..self.zones.len())
            .filter(|&zone| name.starts_with(&self.zones[zone]))
            .max_by_key(|&zone| self.zones[zone].len())
    }

    fn has(&self, zone: usize, name: &[&'static str], kind: Kind) -> bool {
        self.data.contains(&(zone, name.to_vec(), kind))
    }

    /// The topmost of delegations at or above a name, and DNAMEs above it, within its zone.
    fn obstacle(&self, zone: usize, name: &[&'static str]) -> Option<(Labels, Kind)> {
        let apex = self.zones[zone].len();
        (apex..=name.len()).find_map(|len| {
            let above = &name[..len];
            if len > apex && self.has(zone, above, Kind::Ns) {
                return Some((above.to_vec(), Kind::Ns));
            }
            (len < name.len() && self.has(zone, above, Kind::Dname))
                .then(|| (above.to_vec(), Kind::Dname))
        })
    }

    /// What the rules refuse must not be generated; what they only warn of may.
    fn is_allowed(&self) -> bool {
        self.data.iter().all(|(zone, name, kind)| {
            let is_apex = *name == self.zones[*zone];
            let has = |kind| self.has(*zone, name, kind);
            match kind {
                Kind::Ns if is_apex => true,
                Kind::Ns => name.last() != Some(&"*") && !has(Kind::Dname),
                Kind::Dynamic => {
                    let deepest = self.deepest(name);
                    deepest == Some(*zone) && !has(Kind::A) && self.obstacle(*zone, name).is_none()
                }
                Kind::Dname | Kind::A | Kind::Txt => true,
            }
        })
    }

    /// All names that exist.
    fn facts(&self) -> BTreeMap<Labels, Fact> {
        let mut names: BTreeSet<(usize, Labels)> = BTreeSet::new();
        for (number, apex) in self.zones.iter().enumerate() {
            names.insert((number, apex.clone()));
        }
        for (zone, name, kind) in &self.data {
            let is_seen = self.deepest(name) == Some(*zone)
                && match self.obstacle(*zone, name) {
                    None => true,
                    Some((_, Kind::Dname)) => false,
                    Some((cut, _)) => *kind == Kind::A || (cut == *name && *kind == Kind::Ns),
                };
            if is_seen {
                names.insert((*zone, name.clone()));
            }
        }
        let mut facts = BTreeMap::new();
        for (zone, name) in names {
            let is_apex = name == self.zones[zone];
            // Names above it up to its apex; above an apex up to that of the zone around it.
            let home = if is_apex { self.deepest(&name[..name.len() - 1]) } else { Some(zone) };
            if let Some(home) = home
                && (!is_apex
                    || self.obstacle(home, &name[..name.len() - 1]).is_none() && {
                        let above = &name[..name.len() - 1];
                        !self.has(home, above, Kind::Dname)
                    })
            {
                for len in self.zones[home].len()..name.len() {
                    facts.insert(name[..len].to_vec(), home);
                }
            }
            facts.insert(name, zone);
        }
        let known: BTreeSet<Labels> = facts.keys().cloned().collect();
        facts
            .into_iter()
            .map(|(name, zone)| {
                let star: Labels = name.iter().copied().chain(["*"]).collect();
                let is_star = known.contains(&star) && !self.zones.contains(&star);
                let cut = self.obstacle(zone, &name).filter(|(_, kind)| *kind == Kind::Ns);
                let has = |kind| self.has(zone, &name, kind);
                let fact = Fact {
                    zone,
                    wildcard: is_star.then(|| text(&star)),
                    is_dynamic: has(Kind::Dynamic),
                    is_dname: has(Kind::Dname) && cut.is_none(),
                    cut: cut.map(|(cut, _)| text(&cut)),
                };
                (name, fact)
            })
            .collect()
    }

    fn build(&self) -> Names {
        let mut texts = vec![String::new(); self.zones.len()];
        let mut dynamic = Vec::new();
        for (zone, name, kind) in &self.data {
            let owner = text(name);
            texts[*zone] += &match kind {
                Kind::Ns => format!("{owner}. NS n.other.\n"),
                Kind::Dname => format!("{owner}. DNAME d.other.\n"),
                Kind::A => format!("{owner}. A 192.0.2.1\n"),
                Kind::Txt => format!("{owner}. TXT x\n"),
                Kind::Dynamic => {
                    dynamic.push(owner);
                    continue;
                }
            };
        }
        let apexes: Vec<String> = self.zones.iter().map(|apex| text(apex)).collect();
        let zones: Vec<_> =
            apexes.iter().zip(&texts).map(|(a, t)| (a.as_str(), t.as_str())).collect();
        let dynamic: Vec<&str> = dynamic.iter().map(String::as_str).collect();
        let (names, problems) = index_with(&zones, &dynamic);
        assert!(!problems.any_error(), "{problems}");
        names
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1034),
        ..ProptestConfig::default()
    })]

    #[test]
    fn lookups_agree_with_a_plain_walk(
        world in world().prop_filter("allowed", World::is_allowed),
        asked in prop::collection::vec(labels(), 1..20),
    ) {
        let (names, facts) = (world.build(), world.facts());
        prop_assert_eq!(names.len(), facts.len());
        for asked in asked.iter().chain(facts.keys()) {
            let expected = (1..=asked.len()).rev().find_map(|len| facts.get_key_value(&asked[..len]));
            let (at, fact) = match (find(&names, &text(asked)), expected) {
                (Found::Exact(id), Some((name, fact))) if name == asked => (id, fact),
                (Found::Below { encloser, labels }, Some((name, fact))) if name.len() < asked.len() => {
                    prop_assert_eq!(usize::from(labels), name.len());
                    prop_assert_eq!(show(&names, encloser), text(name));
                    (encloser, fact)
                }
                (found, expected) => panic!("{asked:?}: {found:?}, expected {expected:?}"),
            };
            let entry = names.entry(at);
            let told = Fact {
                zone: entry.zone().0 as usize,
                cut: entry.cut().map(|id| show(&names, id)),
                wildcard: entry.wildcard().map(|id| show(&names, id)),
                is_dynamic: entry.record().is_some(),
                is_dname: entry.has_dname(),
            };
            prop_assert_eq!(&told, fact, "{:?}", asked);
            let apex = names.zone(ZoneId(entry.zone().0)).apex;
            prop_assert_eq!(entry.is_apex(), apex == at);
        }
        prop_assert_eq!(find(&names, "other"), Found::Outside);
    }
}
