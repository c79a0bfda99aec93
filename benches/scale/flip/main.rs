//! From a change of health to the published snapshot, with 100,000 records.
//!
//! `cargo bench --bench flip`; with DB-IP's databases (`just fetch-databases`) a line more. The goals are
//! times on a thread that answers nobody and has a core to itself, so the time on a core is what counts.

mod world;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use trimtab::geo::{Database, Geo};
use world::{RECORDS, Rules};
use writer::{Took, Writer, assembly, end_to_end};

const TURNS: usize = 20;

fn main() {
    println!("{RECORDS} records; ms, the least and the median of {TURNS}");
    println!("{:58} {:>5} {:>15} {:>15}", "", "goal", "on a core", "by the clock");
    let world = assembly(world::shared(Rules::Networks), &Geo::default());
    shared("12 shared pools, 10 trees of 250 classes: a region", world.clone());
    let what = "  an address, from its check's result, in a running server";
    println!("{what:58} {:>5} {:>15} {}", "", "", ms(end_to_end(world, TURNS)));
    match databases() {
        Some(geo) => {
            let world = assembly(world::shared(Rules::Countries), &geo);
            shared("  the same, classes being countries of DB-IP city", world);
        }
        None => println!("  (DB-IP city is not there: just fetch-databases)"),
    }
    let mut writer = Writer::new(assembly(world::own(), &Geo::default()));
    let one = writer.targets(|at| at == 1000);
    line("200,000 pools of their own: one changes", "5", &writer.flips(TURNS, &one).1);
    // One pool of each record, which has two addresses.
    let half = writer.targets(|at| at % 4 < 2);
    let (judged, published) = writer.flips(TURNS / 4, &half);
    line("  one of each record changes", "100", &published);
    line("  judging the 200,000 results before that", "", &judged);
}

/// A region's addresses of both families go down and up.
fn shared(what: &str, world: Arc<trimtab::routing::Assembly>) {
    let mut writer = Writer::new(world);
    let both = writer.targets(|at| at < 2);
    line(what, "2", &writer.flips(TURNS, &both).1);
}

fn databases() -> Option<Geo> {
    let open = |family| {
        let file = format!("target/databases/dbip-city-{family}.mmdb");
        Database::open(Path::new(&file)).ok()
    };
    Some(Geo { databases: vec![open("ipv4")?, open("ipv6")?], ..Geo::default() })
}

fn line(what: &str, goal: &str, took: &[Took]) {
    let [cpu, wall] = [|took: &Took| took.cpu, |took: &Took| took.wall]
        .map(|time| ms(took.iter().map(time).collect()));
    println!("{what:58} {goal:>5} {cpu} {wall}");
}

/// The least and the median.
fn ms(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let ms = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
    format!("{:7.2} {:7.2}", ms(times.first()), ms(times.get(times.len() / 2)))
}
