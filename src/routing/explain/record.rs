//! One record explained for one client and one address family.

use crate::geo::{DatabaseError, Geo, LatencyTable};
use crate::model::{Endpoint, Family, Forced, OnAllDown, PoolId, RecordId, Slot, Tree};
use crate::routing::classes::{Walked, deciding, flatten};
use crate::routing::distribution::RingOf;
use crate::routing::levels::Stands;
use crate::routing::places::Asker;
use crate::routing::sight::{Side, Sight};
use crate::routing::snapshot::Snapshot;
use crate::wire::Key;
use crate::zone::{Found, Names};

use super::client::look_up;
use super::explanation::{Drained, Explanation, InPlace};
use super::finished::Finished;
use super::path::Path;
use super::recorder::{Asked, Recorder};

/// Explains what a snapshot answers for a record to a client: the shares, answers, TTLs and scopes
/// that it serves, and the walk that led to them, done once more with a trace.
///
/// `None`: the snapshot has no such record.
///
/// # Errors
/// When a database is broken.
pub fn explain(
    snapshot: &Snapshot,
    geo: &Geo,
    latency: &LatencyTable,
    record: RecordId,
    family: Family,
    asker: &Asker,
) -> Result<Option<Explanation>, DatabaseError> {
    let assembly = &snapshot.assembly;
    let (Some((served, side)), Some(configured)) =
        (snapshot.side(record, family), assembly.records.get(record.index()))
    else {
        return Ok(None);
    };
    let Some(tree) = assembly.trees.get(served.tree.index()) else { return Ok(None) };
    let known = look_up(snapshot, geo, latency, served.tree, asker)?;
    let Some(class) = u32::try_from(known.at).ok().and_then(|at| side.class(at)) else {
        return Ok(None);
    };

    let inputs = snapshot.inputs();
    let sight = Sight::new(assembly, served.binding, &inputs);
    let sides = sight.sides(family);
    debug_assert_eq!(
        flatten(tree, family, &known.class, &sides).shares,
        class.distribution.shares,
        "the same walk serves"
    );
    let pools = &assembly.bindings[served.binding.index()].pools;
    let endpoint = |pool: &Option<PoolId>| Some(&assembly.pools.get((*pool)?.index())?.endpoint);
    let endpoints: Vec<Option<&Endpoint>> = pools.iter().map(endpoint).collect();
    let as_it_is = Stands::default();
    let path = Path {
        tree,
        family,
        class: &known.class,
        classified: known.classified.as_ref(),
        endpoints: &endpoints,
        pools: &sight.pools,
        rtts: &snapshot.rtts,
        forcings: &sight.forcings,
        cut: 0.0,
        stands: &as_it_is,
        rings: &class.distribution.rings,
        regions: &assembly.regions,
    };
    let mut paths = paths(&sides, &path);
    let rest = paths.split_off(paths.len().min(1));
    let first = paths.pop().unwrap_or_default();
    let negative_ttl = negative_ttl(&assembly.names, configured.name.as_wire());
    let finished =
        Finished { record: served, side, class, negative_ttl, scope: known.client.scope };
    let reason = class.distribution.reason;
    Ok(Some(Explanation {
        record: configured.name.to_string(),
        family: family.label().into(),
        reason,
        all_down: reason.is_all_down(),
        on_all_down: on_all_down(tree),
        sticky: tree.sticky,
        path: first.path,
        drained: rest,
        regions: finished.regions(&path, |region| assembly.only_stands_in(served.tree, region)),
        answers: finished.answers(&path),
        client: known.client,
    }))
}

/// One side, walked: whether it is all down, what its rings hold, and the way.
struct Told<'a> {
    side: &'a Side,
    all_down: bool,
    rings: Vec<RingOf>,
    asked: Asked,
}

/// The path of each side that decides a part of the answers, the one with least drained and shifted
/// first.
fn paths<'a>(sides: &'a [Side], path: &Path<'_>) -> Vec<Drained> {
    let walk = |side: &'a Side| {
        let mut recorder = Recorder::new();
        let walked = Walked::new(path.tree, path.family, path.class, &side.health, &mut recorder);
        let (all_down, rings) = (walked.is_all_down(), walked.rings());
        Told { side, all_down, rings, asked: recorder.finish() }
    };
    let walked = sides.iter().map(|side| (side.share, walk(side))).collect();
    let told = |(share, Told { side, rings, asked, .. }): (f64, Told<'_>)| {
        let slots = path.forcings.iter().enumerate();
        let drained = slots.filter(|(_, forcing)| forcing.forced(side.cut) == Forced::Drained);
        let stands = &side.health.stands;
        let in_place = |(of, by): &(Slot, Slot)| InPlace {
            region: path.slot_name(*by),
            of: path.slot_name(*of),
        };
        Drained {
            share,
            regions: drained.map(|(slot, _)| path.slot_name(Slot(slot as u16))).collect(),
            shifted: stands.pairs().iter().map(in_place).collect(),
            path: Path { rings: &rings, cut: side.cut, stands, ..*path }.root(&asked, share),
        }
    };
    deciding(walked, |told: &Told<'_>| told.all_down).into_iter().map(told).collect()
}

fn on_all_down(tree: &Tree) -> String {
    match tree.on_all_down {
        OnAllDown::Open => "open".into(),
        OnAllDown::Closed => "closed".into(),
        OnAllDown::LastGood => "last_good".into(),
        OnAllDown::Instead(node) => tree
            .nodes
            .get(node.0 as usize)
            .and_then(|node| Some(node.name.as_ref()?.to_string()))
            .unwrap_or_default(),
    }
}

/// The TTL of negative answers in the zone of a name.
fn negative_ttl(names: &Names, owner: &[u8]) -> u32 {
    let mut key = Key::ROOT;
    match key.read(owner).map(|_| names.find(&key)) {
        Some(Found::Exact(id)) => names.zone(names.entry(id).zone()).negative_ttl,
        _ => u32::MAX,
    }
}
