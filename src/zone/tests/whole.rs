//! What a transfer is made from: all of a file, what is never answered too.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::problem::Problems;
use crate::wire::Name;
use crate::zone::{Names, ZoneId};

use super::{index, read};

/// Owner, type and data.
type Row = (String, u16, Vec<u8>);

fn show(owner: &[u8]) -> String {
    Name::from_wire(owner).unwrap().to_string()
}

/// Every record that the index has for a zone; each once.
fn rows(names: &Names, zone: u32) -> BTreeSet<Row> {
    let mut rows = BTreeSet::new();
    let mut add = |owner: &[u8], rtype, data: &[u8]| {
        let row = (show(owner), rtype, data.to_vec());
        assert!(rows.insert(row.clone()), "{row:?} twice");
    };
    for id in names.of_zone(ZoneId(zone)) {
        for tail in names.rrsets(id) {
            tail.rdata().for_each(|data| add(names.owner(id), tail.rtype, data));
        }
    }
    for (owner, rrsets) in names.hidden(ZoneId(zone)) {
        for tail in rrsets {
            tail.rdata().for_each(|data| add(owner, tail.rtype, data));
        }
    }
    rows
}

/// Every record of a text.
fn written(apex: &str, text: &str) -> BTreeSet<Row> {
    let (zone, _) = read(apex, text);
    let row = |r| (show(zone.owner(r)), r.rtype, zone.rdata(r).to_vec());
    zone.records.iter().map(row).collect()
}

#[test]
fn rfc5936_3_5_occluded_names_and_glue_are_kept() {
    let parent = "\
www A 192.0.2.1
www TXT a
sub NS ns.sub
sub TXT beside
sub DS 1 8 2 00
ns.sub A 192.0.2.2
ns.sub TXT below
deep.ns.sub MX 1 mail
d DNAME www
x.d A 192.0.2.3
child NS ns.child
child DS 1 8 2 01
ns.child A 192.0.2.4
a.b.child TXT deeper
x.ent A 192.0.2.5
";
    let child = "www A 192.0.2.6\n";
    let names = index(
        &[("test", parent), ("child.test", child)],
        &["app.test", "new.x.ent.test", "d.test"],
    );
    assert_eq!(rows(&names, 0), written("test", parent));
    assert_eq!(rows(&names, 1), written("child.test", child));
    let has = [0, 1].map(|zone| names.zone(ZoneId(zone)).has_dynamic);
    assert_eq!(has, [true, false]);
    let dynamic = names.of_zone(ZoneId(0)).filter(|id| names.entry(*id).record().is_some());
    assert_eq!(dynamic.count(), 3);
}

const LABELS: [&str; 5] = ["a", "b", "*", "a.b", "b.a.a"];

proptest! {
    #[test]
    fn whatever_is_in_a_file_is_in_its_transfer(
        lines in prop::collection::vec((0_usize..5, 0_usize..5, 0_usize..6), 0..30),
        nested in prop::option::of(0_usize..5),
    ) {
        let data = ["A 192.0.2.1", "TXT x", "NS ns.elsewhere.", "DNAME c", "AAAA ::1", "DS 1 8 2 00"];
        let mut text = String::new();
        for (first, second, kind) in lines {
            text += &format!("{}.{} {}\n", LABELS[first], LABELS[second], data[kind]);
        }
        let (zone, mut problems) = read("test", &text);
        let mut zones = vec![zone];
        if let Some(at) = nested {
            zones.push(read(&format!("b.{}.test", LABELS[at]), "").0);
        }
        // What breaks a rule is an error, which refuses the zone; all of it is kept even so.
        let names = Names::build(zones, &[], &mut problems);
        prop_assert_eq!(rows(&names, 0), written("test", &text));
        let _: Problems = problems;
    }
}
