//! Files that are missing or broken from the start.

use super::clients::{DATABASES, configured, database};
use crate::harness::{Site, check, regions, serve_and_fail};

#[test]
fn a_missing_or_broken_database_is_reported_and_nothing_starts() {
    let whole = database("DE", 1);
    let cut = &whole[..1000];
    let cases: [(Option<&[u8]>, &str); 5] = [
        (None, "No such file or directory"),
        (Some(cut), "no MMDB file, or cut off"),
        (Some(b""), "is empty"),
        (Some(&[0x1f, 0x8b, 8, 0]), "compressed with gzip"),
        (Some(b"PK\x03\x04"), "zip archive"),
    ];
    for (octets, part) in cases {
        let site = Site::new(&configured(DATABASES));
        if let Some(octets) = octets {
            site.write("clients.mmdb", octets);
        }
        for ended in [check(&site), serve_and_fail(&site.config())] {
            assert_eq!(ended.code, Some(2), "{part}: {}", ended.stderr);
            assert_eq!(ended.stdout, "", "{part}");
            let wanted = ["error: geo.databases", "trimtab.toml:", "clients.mmdb", part, "1 error"];
            for part in wanted {
                assert!(ended.stderr.contains(part), "{part:?} is missing:\n{}", ended.stderr);
            }
        }
    }
    let site = Site::new(&configured(DATABASES));
    site.write("clients.mmdb", &whole);
    let ended = check(&site);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn a_missing_or_broken_latency_table_likewise() {
    let body = regions(&[""; 2])
        + "[latency]\ntable = \"latency.csv\"\n\
           [[records]]\nname = \"app.site.test\"\npolicy = \"latency\"\n";
    let cases = [
        (None, "No such file or directory"),
        (Some("*,a,10\nDE,b,-1\n"), "latency.csv:2:"),
        (Some("*,a,10\nDE,e,20\n"), "latency.csv:2:"),
    ];
    for (text, part) in cases {
        let site = Site::new(&body);
        if let Some(text) = text {
            site.write("latency.csv", text);
        }
        for ended in [check(&site), serve_and_fail(&site.config())] {
            assert_eq!(ended.code, Some(2), "{part}: {}", ended.stderr);
            assert!(ended.stderr.contains(part), "{part:?} is missing:\n{}", ended.stderr);
        }
    }
}
