//! Every dependency has a licence that `deny.toml` allows.
//!
//! `cargo deny` checks this and more; this test is for machines that do not have it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Whether an SPDX expression can be satisfied with allowed licences alone. A `WITH` exception
/// only ever permits more, so the licence before it decides; `/` is an old way to write `OR`.
fn allowed(expression: &str, allow: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let result = any_of(&words, &mut at, allow);
    assert_eq!(at, words.len(), "{expression:?} is not an SPDX expression");
    result
}

fn any_of(words: &[&str], at: &mut usize, allow: &BTreeSet<String>) -> bool {
    let mut result = all_of(words, at, allow);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        result |= all_of(words, at, allow);
    }
    result
}

fn all_of(words: &[&str], at: &mut usize, allow: &BTreeSet<String>) -> bool {
    let mut result = one(words, at, allow);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        result &= one(words, at, allow);
    }
    result
}

fn one(words: &[&str], at: &mut usize, allow: &BTreeSet<String>) -> bool {
    let word = words.get(*at).expect("a licence is missing");
    *at += 1;
    if *word == "(" {
        let result = any_of(words, at, allow);
        assert_eq!(words.get(*at), Some(&")"), "a parenthesis is not closed");
        *at += 1;
        return result;
    }
    if words.get(*at) == Some(&"WITH") {
        *at += 2;
    }
    allow.contains(*word)
}

fn allow_list() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml");
    let deny: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let list = deny["licenses"]["allow"].as_array().unwrap();
    list.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// The packages that are compiled on this machine, as cargo lists them.
fn packages() -> Vec<serde_json::Value> {
    let version = output(Command::new("rustc").arg("-vV"));
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let metadata = output(
        Command::new(env!("CARGO"))
            .args(["metadata", "--offline", "--locked", "--format-version=1"])
            .args(["--filter-platform", host])
            .current_dir(env!("CARGO_MANIFEST_DIR")),
    );
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_dependency_has_an_allowed_licence() {
    let allow = allow_list();
    let packages = packages();
    assert!(packages.len() > 50, "cargo listed only {} packages", packages.len());
    let refused: Vec<_> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(|text| allowed(text, &allow)))
        .map(|package| format!("{} {}", package["name"], package["license"]))
        .collect();
    assert!(refused.is_empty(), "not allowed by deny.toml: {refused:#?}");
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    let allow = BTreeSet::from(["MIT".to_owned(), "Apache-2.0".to_owned()]);
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("MIT OR GPL-3.0-only", true),
        ("MIT AND GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT AND Apache-2.0", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", false),
        ("MIT AND (GPL-3.0-only OR Apache-2.0)", true),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0-only", true),
        ("GPL-3.0-only/MIT", true),
    ] {
        assert_eq!(allowed(expression, &allow), expected, "{expression}");
    }
}
