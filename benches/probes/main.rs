//! What probing costs at scale, beside what the same connections cost at least.
//!
//! 10,000 checks at 10 s, against targets on loopback that are healthy, hang or refuse. The targets,
//! the server's prober (with the single writer, the store and the metrics behind it) and the bare loop
//! are a process each; what is printed is of the prober's process alone: CPU time of a probe and its
//! ratio to the bare loop's, memory, how late probes started, whether there was a result for each.
//!
//! `cargo bench --bench probes [-- SECONDS] [CASE…]`; wants two cores and 5,000 open files

mod bare;
mod case;
mod ours;
mod targets;
mod usage;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio_rustls::rustls::pki_types::CertificateDer;

use case::{CHECKS, Case};
use ours::Report;

fn main() {
    // Cargo adds one of its own.
    let args: Vec<_> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("it is allowed");
    let texts: Vec<&str> = args.iter().map(String::as_str).collect();
    match texts.as_slice() {
        ["targets", case] => targets::run(named(case)),
        [role @ ("ours" | "bare"), case, port, certificate, secs] => {
            let (port, secs) = (port.parse().expect("a port"), secs.parse().expect("seconds"));
            let run = if *role == "ours" { ours::run } else { bare::run };
            run(named(case), port, read(certificate), Duration::from_secs(secs));
        }
        _ => table(&texts),
    }
}

fn named(name: &str) -> Case {
    let known = || Case::ALL.map(Case::name).join(", ");
    Case::named(name).unwrap_or_else(|| panic!("{name} is none of {}", known()))
}

fn table(args: &[&str]) {
    let secs = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(5);
    let wanted: Vec<Case> =
        args.iter().filter(|arg| arg.parse::<u64>().is_err()).map(|arg| named(arg)).collect();
    println!("{CHECKS} checks at {:?}, measured for {secs} s each", case::INTERVAL);
    println!(
        "| case | CPU µs a probe | bare | ratio | memory MB: idle, end, peak | late ms: p50, p99, max \
         | results | due | wrong | not made | scrape ms, MB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let mut healthy = [0.0; 3];
    for case in Case::ALL {
        if wanted.is_empty() || wanted.contains(&case) {
            let row = Row::measure(case, secs);
            row.print(&mut healthy[case.asks as usize]);
        }
    }
}

struct Row {
    case: Case,
    ours: Report,
    bare_ns: f64,
}

impl Row {
    fn measure(case: Case, secs: u64) -> Self {
        let (targets, line) = child(&["targets", &case.name()]);
        let (port, certificate) = line.split_once(' ').expect("port and certificate");
        let seconds = secs.to_string();
        let [bare, ours] = [("bare", "3"), ("ours", &*seconds)].map(|(role, secs)| {
            let (child, line) = child(&[role, &case.name(), port, certificate.trim(), secs]);
            drop(child);
            line
        });
        drop(targets);
        let each = bare.split_whitespace().nth(1).and_then(|ns| ns.parse().ok());
        Self { case, ours: Report::read(&ours), bare_ns: each.expect("a number") }
    }

    fn print(&self, healthy: &mut f64) {
        let Self { case, ours, bare_ns } = self;
        let cpu = ours.cpu_ns as f64;
        let beside = if *healthy > 0.0 {
            format!(" ({:.2} of healthy)", cpu / *healthy)
        } else {
            String::new()
        };
        if *healthy == 0.0 && case.passes() {
            *healthy = cpu;
        }
        let [idle, end, peak] = ours.memory.map(|octets| octets as f64 / 1e6);
        let [p50, p99, max] = ours.late_us.map(|us| us as f64 / 1e3);
        let [results, due] = ours.results;
        let [scrape, octets] = ours.scrape;
        println!(
            "| {} | {:.1}{beside} | {:.1} | {:.2} | {idle:.0}, {end:.0}, {peak:.0} \
             | {p50:.1}, {p99:.1}, {max:.1} | {results} | {due} | {} | {} | {:.1}, {:.1} |",
            case.name(),
            cpu / 1e3,
            bare_ns / 1e3,
            cpu / bare_ns,
            ours.wrong,
            ours.abstained,
            scrape as f64 / 1e3,
            octets as f64 / 1e6,
        );
    }
}

/// A process of this program, ended when it is dropped, and its first line.
fn child(args: &[&str]) -> (Running, String) {
    let mut child = Command::new(std::env::current_exe().expect("a program"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut line = String::new();
    let output = child.stdout.take().expect("a pipe");
    BufReader::new(output).read_line(&mut line).expect("text");
    assert!(!line.is_empty(), "{args:?} has failed");
    (Running(child), line)
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A certificate in hexadecimal; `-` is none.
fn read(text: &str) -> Option<CertificateDer<'static>> {
    let octet = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (text != "-").then(|| (0..text.len()).step_by(2).map(octet).collect::<Vec<u8>>().into())
}
