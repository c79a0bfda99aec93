//! What is said of mistakes, as snapshots.

use super::{index_with, name, read};
use crate::problem::{Place, Problems};
use crate::zone::{Names, load, synthesize};

/// A fixture, loaded and built; the reports.
fn reports(file: &str, apex: &str) -> String {
    let mut problems = Problems::default();
    let zone = load(format!("tests/fixtures/zones/{file}").as_ref(), &name(apex), &mut problems);
    Names::build(vec![zone], &[], &mut problems);
    problems.render(false)
}

#[test]
fn syntax() {
    insta::assert_snapshot!(reports("syntax.zone", "example.com"));
}

#[test]
fn rules() {
    insta::assert_snapshot!(reports("rules.zone", "example.com"));
}

#[test]
fn includes() {
    insta::assert_snapshot!(reports("includes.zone", "example.com"));
}

#[test]
fn nothing_in_it() {
    insta::assert_snapshot!(reports("empty.zone", "example.com"));
}

#[test]
fn several_soas() {
    insta::assert_snapshot!(reports("soas.zone", "example.com"));
}

#[test]
fn not_there() {
    let text = reports("absent.zone", "example.com");
    assert!(text.contains("absent.zone: No such file") || cfg!(not(unix)), "{text}");
    assert!(!text.contains("SOA"), "{text}");
}

#[test]
fn dynamic_names() {
    let zone = "\
www A 192.0.2.1
six AAAA ::1
alias CNAME www
sub NS ns.other.
d DNAME e
";
    let dynamic = [
        "www.example.com",
        "six.example.com",
        "alias.example.com",
        "sub.example.com",
        "x.sub.example.com",
        "x.d.example.com",
        "app.example.com",
        "App.example.com",
        "example.net",
    ];
    let (names, problems) = index_with(&[("example.com", zone), ("Example.com", "")], &dynamic);
    insta::assert_snapshot!(problems.render(false));
    // What is right is there all the same, so that more can be checked.
    assert_eq!(names.len(), 7);
}

#[test]
fn synthesised() {
    let mut problems = Problems::default();
    let place = Place::File("trimtab.toml".into());
    let zone = synthesize(&name("a.test"), &[], &name("nobody.test"), 60, 1, &place, &mut problems);
    let servers = [(name("ns.b.test"), vec![])];
    let other =
        synthesize(&name("b.test"), &servers, &name("a.b.test"), 60, 1, &place, &mut problems);
    Names::build(vec![zone, other], &[], &mut problems);
    insta::assert_snapshot!(problems.render(false));
}

#[test]
fn too_many_records_and_too_many_problems() {
    let many: String = (0..101).map(|n| format!("many A 192.0.2.{n}\n")).collect();
    let (zone, mut problems) = read("test", &many);
    assert_eq!(problems.errors(), 1);
    assert_eq!(problems.0[0].found, "101 records");
    let names = Names::build(vec![zone], &[], &mut problems);
    assert_eq!(names.len(), 2);
    let big: String = (0..9).map(|n| format!("big TYPE65280 \\# 8000 {n:016000}\n")).collect();
    let (_, problems) = read("test", &big);
    assert_eq!(problems.0[0].found, "72018 octets of data");
    let (_, problems) = read("test", &"what is this\n".repeat(5000));
    assert_eq!(problems.0.len(), 100);
}
