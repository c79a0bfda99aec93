//! BIND, of Debian's package bind9.

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
        "options {{ directory \"{at}\"; listen-on port {port} {{ 127.0.0.1; }}; \
         listen-on-v6 {{ none; }}; pid-file none; session-keyfile none; lock-file none; \
         managed-keys-directory \"{at}\"; recursion no; minimal-responses yes; minimal-any no; \
         notify no; check-names primary ignore; check-integrity no; check-sibling no; \
         check-wildcard no; empty-zones-enable no; dnssec-validation no; edns-udp-size 1232; \
         max-udp-size 1232; nocookie-udp-size 1232; answer-cookie no; zero-no-soa-ttl no; }};\n\
         controls {{ }};\n"
    );
    for (apex, file) in zones {
        let (apex, file) = (plain(apex), file.display());
        let _ = writeln!(text, "zone \"{apex}\" {{ type primary; file \"{file}\"; }};");
    }
    let config = dir.join("named.conf");
    fs::write(&config, text).expect("a file");
    let mut command = Command::new("/usr/sbin/named");
    command.args(["-g", "-4", "-n", "1", "-c"]).arg(config);
    Process::start("bind", &command, dir, port)
}
