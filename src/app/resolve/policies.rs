//! Policies with their references followed.

use std::time::Duration;

use super::Resolver;
use super::names::{AllDown, Named};
use crate::config::{Policy, PolicyKind, Rule, Sharing, Spanned};
use crate::model::{GeoKeys, MissingFamily, RegionId, Weight};

/// A policy whose references are followed. What they did not find is left out.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    Weighted {
        members: Vec<(Named, Weight)>,
        sticky: bool,
    },
    Failover {
        tiers: Vec<Vec<(Named, Weight)>>,
        spill: bool,
        missing: MissingFamily,
    },
    Geolocation {
        rules: Vec<(GeoKeys, Named)>,
        default: Option<Named>,
        fence: bool,
        missing: MissingFamily,
    },
    Latency {
        members: Vec<RegionId>,
        tolerance: Duration,
        missing: MissingFamily,
    },
    Geoproximity {
        members: Vec<(RegionId, i8)>,
        tolerance_km: f64,
        missing: MissingFamily,
    },
    Multivalue {
        members: Vec<RegionId>,
        max_answers: Option<u8>,
    },
}

impl Plan {
    /// How these regions share by a word alone.
    pub(super) fn plain(sharing: Sharing, regions: &[(RegionId, Weight)]) -> Self {
        let missing = MissingFamily::default();
        let members = || regions.iter().map(|(region, _)| *region).collect();
        match sharing {
            Sharing::Weighted => {
                let members = regions.iter().map(|(id, weight)| (Named::Region(*id), *weight));
                Self::Weighted { members: members.collect(), sticky: false }
            }
            Sharing::Latency => {
                Self::Latency { members: members(), tolerance: Policy::TOLERANCE, missing }
            }
            Sharing::Geoproximity => {
                let members = regions.iter().map(|(region, _)| (*region, 0)).collect();
                Self::Geoproximity { members, tolerance_km: Policy::TOLERANCE_KM, missing }
            }
            Sharing::Multivalue => Self::Multivalue { members: members(), max_answers: None },
        }
    }

    /// What it leads to, in the order of the configuration.
    pub(super) fn members(&self) -> Vec<Named> {
        match self {
            Self::Weighted { members, .. } => members.iter().map(|(named, _)| *named).collect(),
            Self::Failover { tiers, .. } => {
                tiers.iter().flatten().map(|(named, _)| *named).collect()
            }
            Self::Geolocation { rules, default, .. } => {
                rules.iter().map(|(_, named)| *named).chain(*default).collect()
            }
            Self::Latency { members, .. } | Self::Multivalue { members, .. } => {
                members.iter().copied().map(Named::Region).collect()
            }
            Self::Geoproximity { members, .. } => {
                members.iter().map(|(region, _)| Named::Region(*region)).collect()
            }
        }
    }
}

impl Resolver<'_> {
    /// Follows the references of all policies.
    pub(super) fn policies(&mut self) {
        let config = self.config;
        for policy in &config.policies {
            let plan = self.plan(policy);
            let members = plan.members().len();
            if usize::from(policy.min_up) > members && !self.unknown {
                let key = format!("policies.{}.min_up", policy.name.value);
                let found = format!("{}, and it has {members} members", policy.min_up);
                self.error(&policy.name.place, key, found, "as many as it has at most", None);
            }
            self.plans.push(plan);
        }
        self.circles();
        if self.buildable {
            self.vain_ramps();
        }
    }

    /// Warns of ramps that nobody notices: a tier of a failover that does not spill takes all, however
    /// little its members offer.
    fn vain_ramps(&mut self) {
        let mut vain: Vec<(RegionId, usize)> = Vec::new();
        for (at, plan) in self.plans.iter().enumerate() {
            let Plan::Failover { tiers, spill: false, .. } = plan else { continue };
            // Within a tier of several the others take what one leaves.
            let alone = tiers.iter().filter_map(|tier| match tier.as_slice() {
                [(Named::Region(region), _)] => Some(*region),
                _ => None,
            });
            let ramps = |region: &RegionId| self.config.regions[region.index()].calm.ramp.is_some();
            vain.extend(alone.filter(ramps).map(|region| (region, at)));
        }
        for (region, at) in vain {
            let region = &self.config.regions[region.index()].name;
            let policy = &self.config.policies[at].name.value;
            let key = format!("regions.{}.ramp", region.value);
            let found = format!("a ramp of a region that is a tier of policies.{policy} by itself");
            let wanted = format!(
                "spill = true in policies.{policy}: without it that tier takes all answers at once, \
                 and the ramp has no effect there"
            );
            self.warn(&region.place.clone(), key, found, wanted);
        }
    }

    fn plan(&mut self, policy: &Policy) -> Plan {
        let key = format!("policies.{}", policy.name.value);
        match &policy.kind {
            PolicyKind::Weighted { weights, sticky } => {
                let members = match weights {
                    None => self.every_region_named(),
                    Some(weights) => self.weighted(weights, &format!("{key}.weights")),
                };
                Plan::Weighted { members, sticky: *sticky }
            }
            PolicyKind::Failover { order, spill, missing_family } => {
                let key = format!("{key}.order");
                let tiers = order.iter().map(|tier| {
                    tier.iter().filter_map(|name| self.own_weight(name, &key)).collect()
                });
                let tiers = tiers.collect();
                Plan::Failover { tiers, spill: *spill, missing: *missing_family }
            }
            PolicyKind::Geolocation { rules, default, fence, missing_family } => {
                self.ties(rules, &format!("{key}.rules"));
                let to = |rule: &Rule| {
                    let named = self.named(&rule.to, &format!("{key}.rules.to"), &[])?;
                    Some((rule.keys.clone(), named))
                };
                let rules = rules.iter().filter_map(to).collect();
                let key = format!("{key}.default");
                let default = default.as_ref().and_then(|to| self.named(to, &key, &["nodata"]));
                Plan::Geolocation { rules, default, fence: *fence, missing: *missing_family }
            }
            PolicyKind::Latency { to, tolerance, missing_family } => {
                let members = self.taking_part(to.as_deref(), &key);
                Plan::Latency { members, tolerance: *tolerance, missing: *missing_family }
            }
            PolicyKind::Geoproximity { to, bias, tolerance_km, missing_family } => {
                let members = self.taking_part(to.as_deref(), &key);
                self.unplaced(&members, &policy.name.place, &key);
                let members = self.biased(members, bias, &format!("{key}.bias"));
                let (tolerance_km, missing) = (*tolerance_km, *missing_family);
                Plan::Geoproximity { members, tolerance_km, missing }
            }
            PolicyKind::Multivalue { to, max_answers } => {
                let members = self.taking_part(to.as_deref(), &key);
                Plan::Multivalue { members, max_answers: *max_answers }
            }
        }
    }

    /// Every region at its own weight.
    pub(super) fn every_region(&self) -> Vec<(RegionId, Weight)> {
        let regions = (0..=u16::MAX).zip(&self.config.regions);
        regions.map(|(id, region)| (RegionId(id), region.weight)).collect()
    }

    fn every_region_named(&self) -> Vec<(Named, Weight)> {
        let regions = self.every_region().into_iter();
        regions.map(|(region, weight)| (Named::Region(region), weight)).collect()
    }

    fn weighted(
        &mut self,
        weights: &[(Spanned<String>, Weight)],
        key: &str,
    ) -> Vec<(Named, Weight)> {
        let member = |(name, weight): &(Spanned<String>, Weight)| {
            Some((self.named(name, key, &[])?, *weight))
        };
        weights.iter().filter_map(member).collect()
    }

    /// A member with the region's own weight, or the one that any policy has as a member.
    fn own_weight(&mut self, name: &Spanned<String>, key: &str) -> Option<(Named, Weight)> {
        let named = self.named(name, key, &[])?;
        let weight = match named {
            Named::Region(id) => self.config.regions.get(id.index())?.weight,
            Named::Policy(_) => Weight::DEFAULT,
        };
        Some((named, weight))
    }

    /// The regions of a policy that takes nothing else; without a list, every region.
    fn taking_part(&mut self, to: Option<&[Spanned<String>]>, key: &str) -> Vec<RegionId> {
        let Some(to) = to else {
            return self.every_region().into_iter().map(|(region, _)| region).collect();
        };
        let key = format!("{key}.to");
        to.iter().filter_map(|name| self.region_named(name, &key)).collect()
    }

    /// Regions with their bias. A bias for any other region is reported.
    fn biased(
        &mut self,
        members: Vec<RegionId>,
        bias: &[(Spanned<String>, i8)],
        key: &str,
    ) -> Vec<(RegionId, i8)> {
        let mut biased: Vec<_> = members.into_iter().map(|region| (region, 0)).collect();
        for (name, percent) in bias {
            let Some(region) = self.region_named(name, key) else { continue };
            match biased.iter_mut().find(|(member, _)| *member == region) {
                Some((_, bias)) => *bias = *percent,
                None => {
                    let found = format!("\"{}\", which takes no part", name.value);
                    let hint = format!("add \"{}\" to \"to\"", name.value);
                    self.error(&name.place, key, found, "a region of \"to\"", Some(hint));
                }
            }
        }
        biased
    }

    /// Reports regions that distances cannot be measured to.
    pub(super) fn unplaced(
        &mut self,
        members: &[RegionId],
        place: &crate::problem::Place,
        key: &str,
    ) {
        let config = self.config;
        let regions = members.iter().filter_map(|region| config.regions.get(region.index()));
        let unplaced = regions.filter(|region| region.location.is_none());
        let names: Vec<_> = unplaced.map(|region| &*region.name.value).collect();
        // A location that could not be read is reported already.
        if names.is_empty() || config.incomplete.locations {
            return;
        }
        let found = format!("no location of {}", names.join(", "));
        let wanted = "a location of every region that takes part: distances decide";
        let hint = format!("[regions.{}] location = \"aws:us-east-1\", for one", names[0]);
        self.error(place, key, found, wanted, Some(hint));
    }

    /// What records do when all is down, where they say nothing else.
    pub(super) fn default_all_down(&mut self) {
        let all_down = &self.config.defaults.on_all_down;
        if let Some(all_down) = self.all_down(all_down, "defaults.on_all_down") {
            if let AllDown::Instead(named) = all_down {
                self.used.note(named);
            }
            self.default_all_down = all_down;
        }
    }
}
