//! Simulations of deaths of regions: of the running server, or from files, with all else up.

use std::sync::Arc;

use super::explain::{NoExplanation, assume, regions};
use crate::control::Foreseen;
use crate::model::RegionId;
use crate::routing::Assembly;
use crate::simulate::{Board, Mix, board};

/// What would come of the death of regions together, or of each, as things are in the running server.
///
/// # Errors
/// When there is no such region.
pub fn live(from: &Foreseen, down: &[String]) -> Result<Board, NoExplanation> {
    let Foreseen { snapshot, cells, over, known } = from;
    let down = each_once(regions(&snapshot.assembly, down)?);
    let mix = Mix::measured(&snapshot.assembly, cells, *over);
    Ok(board(snapshot, &mix, &down, Some(known)))
}

/// The same with all pools up.
///
/// # Errors
/// When there is no such region.
pub fn offline(
    assembly: &Arc<Assembly>,
    mix: &Mix,
    down: &[String],
) -> Result<Board, NoExplanation> {
    let down = each_once(regions(assembly, down)?);
    Ok(board(&assume(assembly, &[])?, mix, &down, None))
}

fn each_once(mut regions: Vec<RegionId>) -> Vec<RegionId> {
    regions.sort_unstable();
    regions.dedup();
    regions
}
