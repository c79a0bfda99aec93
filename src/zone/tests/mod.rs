//! Tests of the whole module: text in, lookups and reports out.

mod lookup;
mod problems;
mod property;
mod reading;
mod whole;

use crate::model::RecordId;
use crate::problem::{Place, Problems};
use crate::wire::{Key, Name};

use super::master::load_text;
use super::{EntryId, Found, Loaded, Names};

/// SOA and NS of a zone, for texts that are about something else.
const HEAD: &str = "@ 3600 SOA ns.other. host.other. 1 7200 900 1209600 60\n@ 3600 NS ns.other.\n";

fn name(text: &str) -> Name {
    Name::from_text(text).unwrap()
}

/// A zone with a head and this text, and what is wrong with it.
fn read(apex: &str, text: &str) -> (Loaded, Problems) {
    let mut problems = Problems::default();
    let loaded = load_text(&format!("{HEAD}{text}"), &name(apex), &mut problems);
    (loaded, problems)
}

/// An index of these zones and dynamic names, which must be free of errors.
fn index(zones: &[(&str, &str)], dynamic: &[&str]) -> Names {
    let (names, problems) = index_with(zones, dynamic);
    assert!(!problems.any_error(), "{problems}");
    names
}

/// An index, and what is wrong with it. Dynamic names count as records 0, 1 and so on.
fn index_with(zones: &[(&str, &str)], dynamic: &[&str]) -> (Names, Problems) {
    let mut problems = Problems::default();
    let mut loaded = Vec::new();
    for (apex, text) in zones {
        let (zone, found) = read(apex, text);
        loaded.push(zone);
        problems.extend(found);
    }
    let place = Place::File("trimtab.toml".into());
    let dynamic: Vec<_> =
        (0..).zip(dynamic).map(|(n, text)| (name(text), RecordId(n), place.clone())).collect();
    let names = Names::build(loaded, &dynamic, &mut problems);
    (names, problems)
}

fn find(names: &Names, asked: &str) -> Found {
    let mut key = Key::ROOT;
    let wire = name(asked);
    assert_eq!(key.read(wire.as_wire()), Some(wire.as_wire().len()));
    names.prefetch(key.hash());
    names.find(&key)
}

/// The entry of a name that must exist.
fn exact(names: &Names, asked: &str) -> EntryId {
    match find(names, asked) {
        Found::Exact(id) => id,
        other => panic!("{asked}: {other:?}"),
    }
}

fn show(names: &Names, id: EntryId) -> String {
    Name::from_wire(names.owner(id)).unwrap().to_string()
}
