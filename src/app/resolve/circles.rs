//! Policies that lead back to themselves, and nesting without end.

use std::fmt::Write as _;

use super::Resolver;
use super::names::Named;

/// How deep policies may be nested: what derives shares goes as deep.
const DEPTH_MAX: usize = 32;

/// How many regions and policies there may be below one, each counted as often as it is reached:
/// what derives shares goes every way.
const WAYS_MAX: u64 = 1_000_000;

impl Resolver<'_> {
    /// Reports policies that lead back to themselves, or too far.
    pub(super) fn circles(&mut self) {
        Walk { state: vec![State::New; self.plans.len()], path: Vec::new() }.all(self);
    }
}

#[derive(Clone, Copy)]
enum State {
    New,
    /// On the path.
    Open,
    /// Has been walked, and leads so many policies deep, to so many nodes.
    Done(usize, u64),
}

/// A walk over everything that policies lead to.
struct Walk {
    state: Vec<State>,
    path: Vec<usize>,
}

impl Walk {
    fn all(mut self, r: &mut Resolver<'_>) {
        for policy in 0..self.state.len() {
            let State::New = self.state[policy] else { continue };
            let (depth, ways) = self.depth(policy, r);
            let (found, wanted) = if depth > DEPTH_MAX {
                let wanted = format!("policies nested at most {DEPTH_MAX} deep");
                ("policies within policies, deeper than that", wanted)
            } else if ways > WAYS_MAX {
                let wanted = format!("at most {WAYS_MAX}, each counted as often as it is reached");
                ("too many regions and policies below it", wanted)
            } else {
                continue;
            };
            let name = &r.config.policies[policy].name;
            r.error(&name.place, format!("policies.{}", name.value), found, wanted, None);
            r.buildable = false;
        }
    }

    /// How many policies deep `policy` leads, itself included, and to how many nodes; stops where it
    /// is too deep anyway.
    fn depth(&mut self, policy: usize, r: &mut Resolver<'_>) -> (usize, u64) {
        match self.state[policy] {
            State::Done(depth, ways) => return (depth, ways),
            State::Open => {
                self.circle(policy, r);
                return (0, 0);
            }
            State::New if self.path.len() > DEPTH_MAX => return (0, 0),
            State::New => {}
        }
        self.state[policy] = State::Open;
        self.path.push(policy);
        let (mut below, mut ways) = (0, 1_u64);
        for member in r.plans[policy].members() {
            let (deep, many) = match member {
                Named::Policy(member) => self.depth(member, r),
                Named::Region(_) => (0, 1),
            };
            below = below.max(deep);
            ways = ways.saturating_add(many);
        }
        self.path.pop();
        self.state[policy] = State::Done(below + 1, ways);
        (below + 1, ways)
    }

    /// Reports the part of the path that leads from a policy back to itself.
    fn circle(&self, policy: usize, r: &mut Resolver<'_>) {
        let start = self.path.iter().position(|&p| p == policy).unwrap_or(0);
        let name = |at: usize| &r.config.policies[at].name;
        let mut circle = String::from("the circle ");
        for &at in &self.path[start..] {
            let _ = write!(circle, "{} → ", name(at).value);
        }
        circle += name(policy);
        let (place, key) = (name(policy).place.clone(), format!("policies.{}", name(policy).value));
        r.error(&place, key, circle, "policies that do not lead back to themselves", None);
        r.buildable = false;
    }
}
