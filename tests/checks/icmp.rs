//! icmp checks by root, who may, and by somebody who may only where the kernel lets everybody.

use std::fs::{Permissions, read_to_string, set_permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::seen;
use crate::harness::Site;

/// Whom every system has: the group of that name on Debian.
const NOBODY: &str = "nobody";
const GROUP: u32 = 65_534;

const BODY: &str = "[checks.echo]\ntype = \"icmp\"\ncount = 3\ninterval = \"300ms\"\ntimeout = \"250ms\"\n\
    [checks.echo6]\ntype = \"icmp\"\ntarget = \"::1\"\ninterval = \"300ms\"\ntimeout = \"250ms\"\n\
    [regions.a]\naddresses = [\"127.0.0.1\"]\ncheck = [\"echo\", \"echo6\"]\n\
    [[records]]\nname = \"app.site.test\"\npolicy = \"a\"\n";

#[test]
fn loopback_answers_root() {
    assert!(rustix::process::geteuid().is_root(), "these tests are for root");
    let server = Site::new(BODY).serve();
    for check in ["echo", "echo6"] {
        let up = seen(&server, check, "up", |check| check["state"] == "up");
        let last = &up["last"];
        assert!(last["first_byte_ms"].as_f64().unwrap() <= last["total_ms"].as_f64().unwrap());
        assert_eq!(up["port"], 0);
    }
}

#[test]
fn who_may_not_is_told_so_and_nothing_is_said_of_the_target() {
    assert!(rustix::process::geteuid().is_root(), "these tests are for root");
    let site = Site::of_server(&format!("user = \"{NOBODY}\""), BODY);
    set_permissions(site.path(""), Permissions::from_mode(0o755)).unwrap();
    let server = site.serve();
    let range = read_to_string("/proc/sys/net/ipv4/ping_group_range").unwrap();
    let range: Vec<u32> = range.split_whitespace().map(|word| word.parse().unwrap()).collect();
    if (range[0]..=range[1]).contains(&GROUP) {
        seen(&server, "echo", "up without privileges", |check| check["state"] == "up");
        return;
    }
    server.log.wait_for("this host may not send ICMP: ");
    let check = seen(&server, "echo", "not asked", |check| check["last"].is_object());
    assert_eq!((&check["state"], &check["failures"]), (&"unknown".into(), &0.into()), "{check}");
}
