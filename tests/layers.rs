//! The layer rule of ARCHITECTURE.md, enforced: imports go strictly downward.
//!
//! Reads every path that starts at the crate's root (`crate::x`, `trimtab::x`, `super::…::x`) in
//! `src/`, tests within it included, and fails on an edge that goes up or sideways, and on a
//! module that stands in no layer.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module's layer. Modules of one layer do not import each other.
const LAYERS: &[&[&str]] = &[
    &["clock", "wire", "problem"],
    &["atlas"],
    &["model"],
    &["admission", "config", "zone", "health", "geo", "metrics", "tap"],
    &["routing"],
    &["simulate"],
    &["control", "probe", "dns", "notify", "querylog", "alias", "webhook"],
    &["admin"],
    &["app"],
    &["cli"],
    &["main"],
];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// The code alone: comments gone, strings and characters empty, lines kept.
fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else {
            literal(rest, out.chars().last())
        };
        if skipped == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            out.extend(rest[..skipped].chars().filter(|&c| c == '\n'));
            out.push(' ');
            rest = &rest[skipped..];
        }
    }
    out
}

/// The length of the string or character that `rest` starts with, or 0.
fn literal(rest: &str, before: Option<char>) -> usize {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if let Some(raw) = rest.strip_prefix('r').filter(|_| !in_word || before == Some('b')) {
        let hashes = raw.bytes().take_while(|&b| b == b'#').count();
        if raw[hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let body = &raw[hashes + 1..];
            let end = body.find(&close).expect("a raw string ends");
            return 1 + hashes + 1 + end + close.len();
        }
    }
    let quote = match rest.as_bytes() {
        [b'"', ..] => '"',
        // A character, not a lifetime: '\…' or 'x'.
        [b'\'', b'\\', ..] => '\'',
        [b'\'', ..] if rest.chars().nth(2) == Some('\'') => '\'',
        _ => return 0,
    };
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// An import: the line, and the top-level module that the path leads to.
type Import = (usize, String);

/// The imports of a file that is `depth` modules below the crate's root.
fn imports(text: &str, depth: usize) -> Vec<Import> {
    let code = code(text);
    let mut found = Vec::new();
    for root in ["crate", "trimtab", "super"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || "_:".contains(c)) {
                continue;
            }
            let mut rest = code[at + root.len()..].trim_start();
            if !rest.starts_with("::") {
                continue;
            }
            let mut ups = usize::from(root == "super");
            while let Some(next) = rest.strip_prefix("::").map(str::trim_start) {
                rest = next;
                let Some(next) = rest.strip_prefix("super") else { break };
                (ups, rest) = (ups + 1, next.trim_start());
            }
            // A `super` that stays within the file's own top-level module is no import.
            if root == "super" && ups < depth || rest.is_empty() {
                continue;
            }
            let line = code[..at].matches('\n').count() + 1;
            for name in heads(rest) {
                if root != "super" || layer(&name).is_some() {
                    found.push((line, name));
                }
            }
        }
    }
    found.sort();
    found
}

/// The first names of `a::b`, or of each member of `{a::b, c}`.
fn heads(path: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.trim_start().chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect()
    };
    let Some(group) = path.strip_prefix('{') else {
        return Some(word(path)).filter(|word| !word.is_empty()).into_iter().collect();
    };
    let (mut names, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(word(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// What is wrong with the imports of one file, `path` being relative to `src/`.
fn faults(path: &str, text: &str) -> Vec<String> {
    let parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    let module = parts[0];
    if module == "lib" {
        return Vec::new();
    }
    let Some(own) = layer(module) else {
        return vec![format!("src/{path}: the module {module} stands in no layer")];
    };
    let depth = parts.len() - usize::from(parts.last() == Some(&"mod"));
    let fault = |(line, to): Import| {
        let reason = match layer(&to) {
            _ if to == module => return None,
            None => "which stands in no layer",
            Some(layer) if layer > own => "which is above it",
            Some(layer) if layer == own => "which is beside it",
            Some(_) => return None,
        };
        Some(format!("src/{path}:{line}: {module} imports {to}, {reason}"))
    };
    imports(text, depth).into_iter().filter_map(fault).collect()
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn imports_go_strictly_downward() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut report, mut seen) = (String::new(), 0);
    for file in sources(&src) {
        let text = fs::read_to_string(&file).unwrap();
        let path = file.strip_prefix(&src).unwrap().display().to_string();
        seen += imports(&text, usize::MAX).len();
        for fault in faults(&path, &text) {
            writeln!(report, "{fault}").unwrap();
        }
    }
    assert!(seen > 10, "only {seen} imports were found: the reader is broken");
    assert!(report.is_empty(), "imports go strictly downward:\n{report}");
}

#[test]
fn bad_edges_are_caught() {
    for (path, text, expected) in [
        ("wire/name.rs", "use crate::model::Family;", "src/wire/name.rs:1: wire imports model"),
        ("clock.rs", "fn f() {\n  crate::dns::serve()\n}", "src/clock.rs:2: clock imports dns"),
        ("dns/udp.rs", "use crate::{model::Family, probe::{Http, Tcp}};", "dns imports probe"),
        ("dns/udp.rs", "use crate::{\n    control::State,\n};", "dns imports control"),
        ("dns/engine/mod.rs", "pub(super) use super::super::probe::Http;", "dns imports probe"),
        ("geo/mod.rs", "use super::zone::Zone;", "geo imports zone, which is beside it"),
        ("model/mod.rs", "mod tests { use crate::routing::compile; }", "which is above it"),
        ("app/run.rs", "use crate::util::Thing;", "util, which stands in no layer"),
        ("util.rs", "", "the module util stands in no layer"),
        ("wire/a.rs", "fn f<'a>(x: &'a u8) -> char { ':' }\nuse crate::app::X;", "a.rs:2: wire"),
        ("wire/a.rs", "const A: &str = \"\\\"\"; use crate::app::X;", "wire imports app"),
        ("wire/a.rs", "const A: &str = r#\"\"\"#; use crate :: app::X;", "wire imports app"),
    ] {
        let faults = faults(path, text);
        assert_eq!(faults.len(), 1, "{path}: {text}: {faults:?}");
        assert!(faults[0].contains(expected), "{expected:?} is not in {faults:?}");
    }
}

#[test]
fn good_edges_pass() {
    for (path, text) in [
        ("dns/udp.rs", "use crate::routing::draw; use crate::model::*; use super::tcp;"),
        ("dns/udp.rs", "use crate::dns::engine; mod tests { use super::super::tcp::probe; }"),
        ("dns/udp.rs", "// use crate::app::run;\n/* crate::cli */ //! [`crate::app`]"),
        ("dns/udp.rs", "const A: &str = \"crate::app\"; const B: &str = r\"crate::cli\";"),
        ("dns/udp.rs", "use hyper_crate::app; let crate_app = trimtab_cli::x(); mycrate::app();"),
        ("dns/udp.rs", "pub(crate) fn f() {} pub(in crate::dns) fn g() {} pub(super) fn h() {}"),
        ("main.rs", "use trimtab::cli;"),
        ("lib.rs", "pub mod anything;"),
    ] {
        assert_eq!(faults(path, text), [""; 0], "{text}");
    }
}

#[test]
fn every_file_opens_by_saying_what_it_is() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in sources(&src).iter().filter(|file| !file.ends_with("src/main.rs")) {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.starts_with("//!"), "{} does not open with //!", file.display());
    }
}
