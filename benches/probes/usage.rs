//! What this process has used: CPU time of all its threads, memory.

use std::fs;
use std::time::Duration;

/// The CPU time of all threads that live. Threads that ended are not in it: measure where none ends.
pub(super) fn cpu() -> Duration {
    let threads = fs::read_dir("/proc/self/task").expect("Linux").flatten();
    let ns = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(ns.sum())
}

/// Resident memory now, and at most so far, in octets.
pub(super) fn memory() -> (u64, u64) {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().nth(1));
        kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a number of kB") * 1024
    };
    (field("VmRSS"), field("VmHWM"))
}
