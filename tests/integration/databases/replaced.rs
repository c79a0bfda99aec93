//! Files that are replaced while the server answers. `swap.rs` does it a hundred times.

use std::fs;

use super::clients::{DATABASES, NAME, built, database, site, stream};
use crate::harness::{Site, goes_to, regions};

/// What the log says of a file that cannot be used.
const REFUSED: &str = "was replaced, but cannot be used";

#[test]
fn a_database_is_replaced_by_a_rename_and_in_place() {
    let site = site(DATABASES, &database("DE", 1_700_000_000));
    let server = site.serve();
    goes_to(&server, NAME, "81.2.3.0/24", "a");
    assert_eq!(server.metrics().value(&built(&site)), 1_700_000_000.0);
    let generation = server.metrics().value("trimtab_table_generation");

    let watched = stream(&server, "ab");
    site.write("new.mmdb", &database("FR", 1_700_000_001));
    fs::rename(site.path("new.mmdb"), site.path("clients.mmdb")).unwrap();
    goes_to(&server, NAME, "81.2.3.0/24", "b");
    watched.finish();
    server.metric_becomes(&built(&site), 1_700_000_001.0);
    let told = server.log.wait_for("which was replaced");
    assert!(told.contains("clients.mmdb") && told.contains("2023-11-14T22:13:21Z"), "{told}");

    let watched = stream(&server, "bc");
    site.write("clients.mmdb", &database("US", 1_700_000_002));
    goes_to(&server, NAME, "81.2.3.0/24", "c");
    watched.finish();
    server.metric_becomes(&built(&site), 1_700_000_002.0);
    server.log.wait_for_count("which was replaced", 2);
    let now = server.metrics().value("trimtab_table_generation");
    assert_eq!(now, generation + 2.0, "one each");
}

/// Cut off, emptied, another thing altogether, gone: each is told once, and changes nothing.
#[test]
fn a_broken_database_changes_nothing_until_it_is_whole() {
    let (old, new) = (database("DE", 1_700_000_000), database("FR", 1_700_000_001));
    let site = site(DATABASES, &old);
    let server = site.serve();
    let watched = stream(&server, "a");
    let generation = server.metrics().value("trimtab_table_generation");
    // The tree runs in circles.
    let mut circle = new.clone();
    circle[..6].fill(0);
    let half = &new[..new.len() / 2];
    let last_half = &new[new.len() / 2..];
    let broken = [&circle, b"<html>".as_slice(), b"", last_half, half];
    for (count, octets) in (1..).zip(broken) {
        site.write("clients.mmdb", octets);
        server.log.wait_for_count(REFUSED, count);
    }
    fs::remove_file(site.path("clients.mmdb")).unwrap();
    server.log.wait_for_count(REFUSED, broken.len() + 1);
    site.write("clients.mmdb", half);
    server.log.wait_for_count(REFUSED, broken.len() + 2);

    watched.wait_for(10);
    watched.finish();
    let metrics = server.metrics();
    assert_eq!(metrics.value(&built(&site)), 1_700_000_000.0);
    assert_eq!(metrics.value("trimtab_table_generation"), generation);
    assert_eq!(server.log.count("which was replaced"), 0);
    let told = server.log.wait_for("clients.mmdb: is broken");
    assert!(told.contains("geo.databases"), "where it is configured: {told}");

    // The second half comes at last.
    let watched = stream(&server, "ab");
    site.append("clients.mmdb", last_half);
    goes_to(&server, NAME, "81.2.3.0/24", "b");
    watched.finish();
    server.metric_becomes(&built(&site), 1_700_000_001.0);
    server.log.wait_for_count("which was replaced", 1);
    assert_eq!(server.log.count(REFUSED), broken.len() + 2, "each once");
}

#[test]
fn a_latency_table_is_replaced_and_a_broken_one_changes_nothing() {
    let body = regions(&[""; 3])
        + "[latency]\ntable = \"latency.csv\"\n\
           [[records]]\nname = \"app.site.test\"\npolicy = \"latency\"\n";
    let table = |a: u32, b: u32| format!("*,a,{a}\n*,b,{b}\n81.2.0.0/16,a,200\n*,c,100\n");
    let site = Site::new(&body);
    site.write("latency.csv", &table(10, 30));
    let server = site.serve();
    goes_to(&server, NAME, "9.0.0.0/24", "a");
    goes_to(&server, NAME, "81.2.3.0/24", "b");

    let watched = stream(&server, "b");
    site.write("latency.csv", &table(40, 20));
    goes_to(&server, NAME, "9.0.0.0/24", "b");
    site.write("latency.csv", "*,a,10\n*,nowhere,fast\n");
    server.log.wait_for(REFUSED);
    server.log.wait_for("nowhere");
    site.write("new.csv", &(table(50, 20) + "9.0.0.0/8,c,1\n"));
    fs::rename(site.path("new.csv"), site.path("latency.csv")).unwrap();
    goes_to(&server, NAME, "9.0.0.0/24", "c");
    goes_to(&server, NAME, "11.0.0.0/24", "b");
    watched.finish();
    server.log.wait_for_count("which was replaced", 2);
    assert_eq!(server.log.count(REFUSED), 1, "once");
}
