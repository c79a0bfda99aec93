//! Who the client is: what is known of it and by whom, its class, and the scope of its answers.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::geo::{DatabaseError, Geo, LatencyTable};
use crate::model::TreeId;
use crate::routing::offer::Class;
use crate::routing::places::{self, Asker, Classified, Classifier};
use crate::routing::snapshot::Snapshot;

use super::explanation::Client;

/// A client, and what it is to one tree.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) client: Client,
    /// The position of its class.
    pub(super) at: usize,
    pub(super) class: Class,
    /// What led to the class, unless that differs within the client's prefix.
    pub(super) classified: Option<Classified>,
}

/// Looks a client up as a query's is, and then asks the sources what they say of it.
pub(super) fn look_up(
    snapshot: &Snapshot,
    geo: &Geo,
    latency: &LatencyTable,
    tree: TreeId,
    asker: &Asker,
) -> Result<Known, DatabaseError> {
    let assembly = &snapshot.assembly;
    let (class, classes, at, scope) = match snapshot.places.table(tree) {
        Some(table) => {
            let at = table.find(asker).class as usize;
            let class = table.classes().get(at).cloned().unwrap_or_default();
            (class, table.classes().len(), at, table.find(&as_subnet(asker)).scope)
        }
        None => (Class::default(), 1, 0, 0),
    };
    let places::Client { prefix, attributed: found, covering, .. } =
        places::Client::of(asker, &assembly.trees, geo, latency)?;
    let classified = assembly.trees.get(tree.index()).map(|tree| {
        Classifier::new(assembly, tree, latency).classify(&found.attributes, &covering)
    });
    let classified = classified.filter(|classified| classified.class == class);
    let name = |source: Option<_>| source.map(|source| geo.source_name(source));
    let attributes = found.attributes;
    let client = Client {
        looked_up: text(prefix),
        continent: attributes.continent.map(|continent| continent.code().into()),
        country: attributes.country.map(|country| country.to_string()),
        subdivision: attributes.subdivision.map(|subdivision| subdivision.to_string()),
        latitude: attributes.location.map(|at| at.latitude),
        longitude: attributes.location.map(|at| at.longitude),
        asn: attributes.asn,
        located_by: name(found.located_by),
        asn_by: name(found.asn_by),
        class: (classes > 1).then(|| u32::try_from(at).unwrap_or(u32::MAX)),
        classes,
        mixed: classified.is_none(),
        scope: snapshot.options.client_subnet.then_some(scope),
    };
    Ok(Known { client, at, class, classified })
}

/// The same client, as Client Subnet would name it in full: what scope its answer would have.
fn as_subnet(asker: &Asker) -> Asker {
    match asker.subnet {
        Some((_, len)) if len > 0 => *asker,
        _ => Asker { subnet: Some((asker.source, full(asker.source))), ..*asker },
    }
}

const fn full(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// A prefix, or the address when it is a single one.
fn text(prefix: IpNet) -> String {
    if prefix.prefix_len() == full(prefix.addr()) {
        prefix.addr().to_string()
    } else {
        prefix.to_string()
    }
}
