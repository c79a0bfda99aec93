//! Trimtab itself, with some of the addresses behind dynamic records.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use fastrand::Rng;
use tempfile::TempDir;
use trimtab::app::load;
use trimtab::problem::Severity;
use trimtab::wire::Name;

use super::Refused;
use super::process::Process;
use crate::zone::{Data, Family, Zone};

const HEAD: &str = r#"version = 1
[server]
listen = ["127.0.0.1:0"]
workers = 1
[server.rate_limit]
enabled = false
[admin]
listen = "127.0.0.1:0"
[state]
dir = "state"
[regions.all]
"#;

pub(super) fn start(dir: &Path, families: &[Family], rng: &mut Rng) -> Process {
    let dir = super::sub(dir, "trimtab");
    let config = configure(&dir, families, rng);
    let mut command = Command::new(env!("CARGO_BIN_EXE_trimtab"));
    command.args(["serve", "--config"]).arg(config);
    let mut process = Process::start("trimtab", &command, &dir, 0);
    while process.to.port() == 0 {
        process.must_run();
        let log = process.log();
        let line = log.lines().find_map(|line| Some(line.split_once("answering on ")?.1));
        let mut words = line.into_iter().flat_map(|line| line.split([' ', ',', ';']));
        match words.find_map(|word| word.parse().ok()) {
            Some(to) => process.to = to,
            None => sleep(Duration::from_millis(20)),
        }
    }
    process
}

pub(super) fn refused(family: &Family) -> Option<Refused> {
    let dir = TempDir::new().expect("a directory");
    let mut rng = Rng::with_seed(family.seed);
    let config = configure(dir.path(), std::slice::from_ref(family), &mut rng);
    let problems = load(&config, &Default::default(), &mut |_, _| 0).err()?;
    let first = problems.0.iter().find(|problem| problem.severity == Severity::Error)?;
    Some(Refused { by: "trimtab", apex: family.top.clone(), why: format!("{first:?}") })
}

/// Writes configuration and zones; returns where the configuration is.
fn configure(dir: &Path, families: &[Family], rng: &mut Rng) -> PathBuf {
    let (mut text, mut count) = (HEAD.to_owned(), 0);
    for family in families {
        for zone in &family.zones {
            count += 1;
            let file = format!("{count}.zone");
            let dynamic = family.dynamic_in(zone);
            fs::write(dir.join(&file), zone.file(&dynamic, rng)).expect("a file");
            let _ = write!(text, "[zones.'{}']\nfile = \"{file}\"\n", zone.apex);
            records(&mut text, &dynamic, zone);
        }
    }
    let config = dir.join("trimtab.toml");
    fs::write(&config, text).expect("a file");
    config
}

/// The dynamic records of a zone: all is always up, so each answer has every address.
fn records(text: &mut String, dynamic: &BTreeSet<Name>, zone: &Zone) {
    for name in dynamic {
        let mut addresses = BTreeSet::new();
        let mut ttl = 0;
        for record in zone.at(name) {
            let address = match record.data {
                Data::V4(address) => address.to_string(),
                Data::V6(address) => address.to_string(),
                _ => continue,
            };
            ttl = record.ttl;
            addresses.insert(address);
        }
        let addresses: Vec<_> = addresses.into_iter().collect();
        let _ = write!(
            text,
            "[[records]]\nname = '{name}'\npolicy = \"all\"\nttl = {ttl}\n\
             [records.endpoints]\nall = {addresses:?}\n"
        );
    }
}
