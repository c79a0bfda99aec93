//! Configurations that must be refused or warned of, each with its whole report.
//!
//! The files are in `tests/fixtures/config/`, the reports in `tests/snapshots/`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trimtab::app::networks;
use trimtab::app::resolve::{resolve, supplied};
use trimtab::config::{self, Config};
use trimtab::geo::{Geo, LatencyTable};
use trimtab::problem::{Problems, Source};
use trimtab::routing::Parts;

fn directory(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The stems of a directory's files that end so.
fn stems(relative: &str, end: &str) -> BTreeSet<String> {
    let files = std::fs::read_dir(directory(relative)).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(end).map(ToOwned::to_owned)).collect()
}

fn load(path: &str, text: String) -> (Config, Parts, Problems) {
    let (config, mut problems) = config::parse(&Arc::new(Source { path: path.into(), text }));
    let resolved = resolve(&config, &mut problems);
    // As a load does; files are none of this test's business.
    if config.geo.databases.is_empty() {
        let geo = Geo { networks: networks(&config), databases: Vec::new() };
        supplied(&config, &geo, &LatencyTable::default(), &mut problems);
        config::in_file_order(&mut problems);
    }
    (config, resolved, problems)
}

#[test]
fn every_mistake_has_its_report() {
    let fixtures = stems("tests/fixtures/config", ".toml");
    let reports = stems("tests/snapshots", ".snap");
    let reports = reports.iter().filter_map(|name| name.strip_prefix("config_reports__"));
    let stale: Vec<_> = reports.filter(|name| !fixtures.contains(*name)).collect();
    assert_eq!(stale, Vec::<&str>::new(), "reports without a configuration");
    for name in fixtures {
        let path = directory("tests/fixtures/config").join(&name).with_extension("toml");
        let text = std::fs::read_to_string(path).unwrap();
        let (_, _, problems) = load(&format!("{name}.toml"), text);
        assert_eq!(problems.any_error(), !name.starts_with("warnings"), "{name}");
        assert_ne!(problems, Problems::default(), "{name}");
        let count = format!("{} errors, {} warnings", problems.errors(), problems.warnings());
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!(name, format!("{}\n\n{count}", problems.render(false)));
        });
    }
}

#[test]
fn a_mistake_is_reported_whatever_else_is_wrong() {
    let path = directory("tests/fixtures/config/five_mistakes.toml");
    let (_, _, problems) = load("five_mistakes.toml", std::fs::read_to_string(path).unwrap());
    let keys: BTreeSet<_> = problems.0.iter().map(|p| p.key.as_str()).collect();
    let wanted = [
        "checks.web.port",
        "records.\"app.example.org\"",
        "regions.eu-west.addresses",
        "regions.us-east.check",
        "server.wokers",
    ];
    assert_eq!(keys.into_iter().collect::<Vec<_>>(), wanted);
}

#[test]
fn any_part_of_a_configuration_is_judged_without_panic() {
    for name in stems("tests/fixtures/config", ".toml") {
        let path = directory("tests/fixtures/config").join(&name).with_extension("toml");
        let text = std::fs::read_to_string(path).unwrap();
        for (at, _) in text.char_indices().step_by(23) {
            let (_, _, problems) = load("cut.toml", text[..at].into());
            let _ = problems.to_string();
            let without_line = text.lines().enumerate().filter(|(n, _)| *n != at / 23);
            let without_line = without_line.map(|(_, line)| format!("{line}\n")).collect();
            let (_, _, problems) = load("torn.toml", without_line);
            let _ = problems.render(true);
        }
    }
}

#[test]
fn what_is_shipped_has_no_problem() {
    for name in ["minimal.toml", "trimtab.toml", "demo.toml"] {
        let text = std::fs::read_to_string(directory("config").join(name)).unwrap();
        let (_, _, problems) = load(name, text);
        assert_eq!(problems, Problems::default(), "{}", problems.render(false));
    }
}
