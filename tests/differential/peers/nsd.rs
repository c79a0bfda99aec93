//! NSD, of Debian's package nsd.

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
        "server:\n ip-address: 127.0.0.1@{port}\n server-count: 1\n username: \"\"\n chroot: \"\"\n \
         zonesdir: \"\"\n database: \"\"\n pidfile: \"\"\n xfrdfile: \"{at}/xfrd\"\n \
         xfrdir: \"{at}\"\n zonelistfile: \"{at}/list\"\n rrl-ratelimit: 0\n \
         rrl-whitelist-ratelimit: 0\n minimal-responses: yes\n refuse-any: no\n \
         ipv4-edns-size: 1232\n tcp-timeout: 30\n verbosity: 1\n\
         remote-control:\n control-enable: no\n"
    );
    for (apex, file) in zones {
        let _ =
            writeln!(text, "zone:\n name: \"{}\"\n zonefile: \"{}\"", plain(apex), file.display());
    }
    let config = dir.join("nsd.conf");
    fs::write(&config, text).expect("a file");
    let mut command = Command::new("/usr/sbin/nsd");
    command.arg("-d").arg("-c").arg(config);
    Process::start("nsd", &command, dir, port)
}
