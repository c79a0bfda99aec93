//! Trimtab against NSD, Knot and BIND: random zones, every name that could matter, and no
//! difference without a reason that is named in `reasons.rs`.
//!
//! Not part of `cargo test`, which needs nothing but the toolchain: `just differential` runs it.
//! `TRIMTAB_DIFFERENTIAL_ZONES` says how many zones (100 unless set), and
//! `TRIMTAB_DIFFERENTIAL_SEED` repeats a run, whose seed is printed.

mod compare;
mod exchange;
mod facts;
mod generate;
mod peers;
mod questions;
mod reasons;
mod reply;
mod report;
mod zone;

use fastrand::Rng;
use tempfile::TempDir;
use trimtab::wire::Name;

use generate::family;
use peers::{Servers, refused_by_trimtab};
use report::Report;
use zone::Family;

/// Families that are served at once.
const BATCH: usize = 50;
/// One in so many batches is a family at the root, which leaves room for no other.
const ROOT_EVERY: usize = 3;

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var_os(name).filter(|text| !text.is_empty())?;
    Some(
        text.to_str()
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| panic!("{name}: a number")),
    )
}

#[test]
fn no_answer_differs_without_a_reason() {
    let wanted = setting("TRIMTAB_DIFFERENTIAL_ZONES").unwrap_or(100) as usize;
    let seed = setting("TRIMTAB_DIFFERENTIAL_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("TRIMTAB_DIFFERENTIAL_SEED={seed} TRIMTAB_DIFFERENTIAL_ZONES={wanted}");
    let mut rng = Rng::with_seed(seed);
    let mut report = Report::default();
    for batch in 0.. {
        if report.zones >= wanted {
            break;
        }
        let is_root = batch % ROOT_EVERY == 1;
        let count = if is_root { 1 } else { BATCH.min(wanted) };
        run(count, is_root, wanted, &mut rng, &mut report);
        println!("{} of {wanted} zones", report.zones);
    }
    print!("{report}");
    assert!(report.is_clean(), "seed {seed}: differences without a reason");
}

/// Serves so many families and compares what is answered about them.
fn run(count: usize, is_root: bool, wanted: usize, rng: &mut Rng, report: &mut Report) {
    let mut families: Vec<Family> = Vec::new();
    let mut zones = report.zones;
    while families.len() < count && zones < wanted {
        let top = if is_root { ".".to_owned() } else { format!("f{}.test", families.len()) };
        let family = family(rng.u64(..), &Name::from_text(&top).expect("a name"));
        match refused_by_trimtab(&family) {
            Some(refused) => report.refused(&refused),
            None => {
                zones += family.zones.len();
                families.push(family);
            }
        }
    }
    let dir = TempDir::new().expect("a directory");
    let (servers, refused) = Servers::start(dir.path(), &families, rng);
    for refused in &refused {
        report.refused(refused);
    }
    for family in &families {
        if !refused.iter().any(|refused| family.zones.iter().any(|zone| zone.apex == refused.apex))
        {
            compare::family(&servers, family, rng, report);
        }
    }
}
