//! Knot DNS, of Debian's package knot.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use trimtab::wire::Name;

use super::plain;
use super::process::{Process, free_port};

pub(super) fn start(dir: &Path, zones: &[(Name, PathBuf)]) -> Process {
    let (at, port) = (dir.display(), free_port());
    let mut text = format!(
        "server:\n    rundir: \"{at}\"\n    listen: 127.0.0.1@{port}\n    udp-workers: 1\n    \
         tcp-workers: 1\n    background-workers: 1\n    udp-max-payload: 1232\n    \
         tcp-io-timeout: 0\n\
         log:\n  - target: stderr\n    any: info\n\
         database:\n    storage: \"{at}\"\n\
         template:\n  - id: default\n    semantic-checks: off\n    journal-content: none\n    \
         zonefile-sync: -1\n\
         zone:\n"
    );
    for (apex, file) in zones {
        let _ = writeln!(text, "  - domain: \"{}\"\n    file: \"{}\"", plain(apex), file.display());
    }
    let config = dir.join("knot.conf");
    fs::write(&config, text).expect("a file");
    let mut command = Command::new("/usr/sbin/knotd");
    command.arg("-c").arg(config);
    Process::start("knot", &command, dir, port)
}
