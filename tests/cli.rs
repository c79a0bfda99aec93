//! The command line as its users see it: transcripts with exit codes, and what is too long or too
//! much the program's own business for a transcript.
//!
//! `TRYCMD=overwrite cargo test --test cli` writes the transcripts anew; look at the difference.

use std::process::{Command, Output, Stdio};

#[test]
fn transcripts() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd");
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trimtab")).args(args).output().unwrap()
}

/// Standard output of a run that must succeed and have no complaints.
fn stdout(args: &[&str]) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{args:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_schema_is_json_and_names_every_section() {
    let schema: serde_json::Value = serde_json::from_str(&stdout(&["schema"])).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let keys = schema["properties"].as_object().unwrap();
    for section in
        ["version", "server", "admin", "checks", "regions", "policies", "zones", "records"]
    {
        assert!(keys.contains_key(section), "{section} is missing from {keys:#?}");
    }
}

/// One object, whatever is asked, and shares that make a whole.
#[test]
fn what_resolve_tells_programs_is_json() {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/config/demo.toml");
    let told = |name: &str, more: &[&str]| -> serde_json::Value {
        let args = [&["resolve", name, "--json", "--config", config], more].concat();
        serde_json::from_slice(&run(&args).stdout).unwrap()
    };
    for name in ["app", "www", "tiers", "canary"] {
        let told = told(&format!("{name}.demo.test"), &["--down", "eu-west", "--from", "::1"]);
        assert_eq!(told["from"]["as"], "source");
        let explanation = &told["explanation"];
        for list in ["answers", "regions"] {
            let shares = explanation[list].as_array().unwrap().iter();
            let sum: f64 = shares.map(|one| one["share"].as_f64().unwrap()).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{list} of {name}: {explanation:#}");
        }
        assert_eq!(explanation["path"]["share"], 1.0);
        assert!(told["reply"].is_null());
    }
    assert_eq!(told("nope.demo.test", &[])["reply"]["rcode"], "NXDOMAIN");
    assert_eq!(told("www.elsewhere.test", &[])["reply"]["rcode"], "REFUSED");
}

#[test]
fn completions_know_the_verbs() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = stdout(&["completions", shell]);
        for verb in ["serve", "check", "resolve", "status", "drain", "events", "schema"] {
            assert!(script.contains(verb), "{verb} for {shell}");
        }
    }
}

#[test]
fn the_manual_has_every_verb() {
    let page = stdout(&["man"]);
    assert!(page.contains(".TH trimtab 1"), "{page}");
    for verb in [
        "SERVE",
        "CHECK",
        "RESOLVE",
        "STATUS",
        "DRAIN",
        "UNDRAIN",
        "FORCE",
        "WEIGHT",
        "END",
        "RELOAD",
        "EVENTS",
        "WATCH",
        "DEMO",
        "SCHEMA",
        "COMPLETIONS",
    ] {
        assert!(page.contains(&format!("TRIMTAB {verb}")), "{verb}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_trimtab"))
        .arg("schema")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // As `trimtab schema | true` does: nobody reads.
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_trimtab"))
        .arg("schema")
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!output.stderr.is_empty());
}
