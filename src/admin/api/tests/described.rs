//! The description and the routes are of one another.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::Server;
use crate::admin::Access;

async fn description() -> (Server, Value) {
    let mut server = Server::start(Access::default()).await;
    // Nobody is there to run them.
    server.errands.close();
    let json = server.get("/openapi.json").await.json();
    (server, json)
}

/// Each method and path.
fn operations(description: &Value) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            all.push((method.to_uppercase(), path.clone()));
        }
    }
    all
}

#[tokio::test]
async fn the_routes_are_these() {
    let (_, description) = description().await;
    let mut list = String::new();
    for (method, path) in operations(&description) {
        let _ = writeln!(list, "{method} {path}");
    }
    insta::assert_snapshot!("routes", list);
}

#[tokio::test]
async fn what_is_described_answers_and_says_how() {
    let (server, description) = description().await;
    for (method, path) in operations(&description) {
        let asked = path.replace("{id}", "7").replace("{name}", "x").replace("{code}", "internal");
        let reply = server.ask(&format!("{method} {asked}"), "", "").await;
        let code = reply.json()["code"].as_str().unwrap_or_default().to_owned();
        assert!(
            code != "method_not_allowed" && !reply.body.contains("openapi.json has all"),
            "{method} {path}: {reply:?}"
        );
        let operation = &description["paths"][&path][method.to_lowercase()];
        let problem = &operation["responses"]["default"]["content"]["application/problem+json"];
        assert!(problem["schema"]["$ref"].is_string(), "{method} {path}");
        assert!(operation["responses"].as_object().unwrap().len() > 1, "{method} {path}");
        let said = operation["summary"].as_str().or(operation["description"].as_str());
        assert!(said.is_some(), "{method} {path} says nothing of itself");
    }
}

#[tokio::test]
async fn other_methods_are_refused_with_those_that_there_are() {
    let (server, description) = description().await;
    let operations = operations(&description);
    let paths: BTreeSet<_> = operations.iter().map(|(_, path)| path).collect();
    for path in paths {
        let asked = path.replace("{id}", "7").replace("{name}", "x").replace("{code}", "internal");
        let reply = server.ask(&format!("PATCH {asked}"), "", "").await;
        assert_eq!((reply.status, &*reply.code()), (405, "method_not_allowed"), "{path}");
        let allow = reply.head.lines().find_map(|line| line.strip_prefix("allow: "));
        let allowed: BTreeSet<_> = allow.unwrap_or_default().split(',').map(str::trim).collect();
        for (method, _) in operations.iter().filter(|(_, other)| other == path) {
            assert!(allowed.contains(&*method.to_lowercase()), "{path}: {method} of {allow:?}");
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let (_, description) = description().await;
    let text = description.to_string();
    let references: BTreeSet<_> = text
        .match_indices("\"$ref\":\"#")
        .map(|(at, start)| text[at + start.len()..].split('"').next().unwrap())
        .collect();
    assert!(references.len() > 10, "{references:?}");
    for reference in references {
        assert!(description.pointer(reference).is_some(), "{reference}");
    }
}

#[test]
fn no_route_goes_past_the_description() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/admin/api");
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains(".route("), "{}: use routes!", path.display());
        }
    }
}
