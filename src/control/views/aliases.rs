//! Names behind aliases: what is known of them, and since when.

use super::Seen;
use super::types::{AliasView, EndpointView};
use crate::control::aliases::Alias;
use crate::model::{BindingId, Endpoint};
use crate::wire::Name;

/// Those that cannot be looked up, then the others; at most `most` of them.
pub(super) fn aliases(seen: Seen<'_>, most: usize) -> Vec<AliasView> {
    let mut all: Vec<(&Name, &Alias)> = seen.state.aliases.all().collect();
    all.sort_by_key(|(_, alias)| alias.trouble.is_none());
    all.into_iter().take(most).map(|(name, alias)| one(seen, name, alias)).collect()
}

/// The endpoints of a binding that are names, by region.
pub(super) fn endpoints(seen: Seen<'_>, id: BindingId) -> Vec<EndpointView> {
    let assembly = &seen.snapshot.assembly;
    let pools = assembly.bindings[id.index()].pools.iter().flatten();
    let views = pools.filter_map(|pool| {
        let pool = &assembly.pools[pool.index()];
        let region = assembly.regions[pool.region.index()].name.to_string();
        let view = EndpointView { region, alias: None, cname: None };
        match &pool.endpoint {
            Endpoint::Given => None,
            Endpoint::Cname(name) => Some(EndpointView { cname: Some(name.to_string()), ..view }),
            Endpoint::Alias(name) => {
                let alias = seen.state.aliases.get(name).cloned().unwrap_or_default();
                Some(EndpointView { alias: Some(one(seen, name, &alias)), ..view })
            }
        }
    });
    views.collect()
}

fn one(seen: Seen<'_>, name: &Name, alias: &Alias) -> AliasView {
    let resolved = alias.resolved.clone().unwrap_or_default();
    AliasView {
        name: name.to_string(),
        ipv4: resolved.v4.iter().map(ToString::to_string).collect(),
        ipv6: resolved.v6.iter().map(ToString::to_string).collect(),
        ttl: alias.resolved.as_ref().map(|resolved| resolved.ttl_secs),
        found_secs: alias.found.map(|found| seen.moment().since(found).as_secs_f64()),
        trouble: alias.trouble.as_ref().map(ToString::to_string),
    }
}
