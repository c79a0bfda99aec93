//! This program, run once more under callgrind.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::counts::Counts;

/// The argument of a run that is counted.
pub(crate) const COUNTED: &str = "--counted";

/// The function whose calls are counted, each by itself.
const MEASURED: &str = "instructions::subjects::measured";

/// Variants of functions of the C library that not every processor has: without them, counts are the
/// same on all.
const TUNABLES: &str = "glibc.cpu.hwcaps=-AVX2,-AVX512VL,-ERMS,-FSRM,-AVX_Fast_Unaligned_Load";

/// Counts every subject; or tells why that cannot be.
pub(crate) fn count() -> Result<Counts, String> {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let out = dir.path().join("out");
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--error-exitcode=1"])
        .arg(format!("--toggle-collect={MEASURED}"))
        .arg(format!("--dump-after={MEASURED}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .arg(COUNTED)
        .env("GLIBC_TUNABLES", TUNABLES)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("valgrind (Debian's package of that name): {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let subjects = String::from_utf8_lossy(&output.stdout);
    let mut counts = Counts { compiler: compiler()?, instructions: Default::default() };
    for (number, subject) in (1..).zip(subjects.lines()) {
        let instructions = total(&out.with_extension(number.to_string()))
            .filter(|&count| count > 0)
            .ok_or_else(|| format!("callgrind has not counted {subject:?}"))?;
        if counts.instructions.insert(subject.to_owned(), instructions).is_some() {
            return Err(format!("{subject:?} is counted twice"));
        }
    }
    Ok(counts)
}

/// The sum of one dump, which callgrind writes for each call.
fn total(dump: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(dump).ok()?;
    let line = |name| text.lines().find_map(|line: &str| line.strip_prefix(name));
    // The last dump is that of the end, and no subject's.
    line("desc: Trigger: --dump-after=")?;
    line("totals: ")?.trim().parse().ok()
}

/// Compiler and target: "1.90.0 x86_64-unknown-linux-gnu".
fn compiler() -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |name| text.lines().find_map(|line| line.strip_prefix(name));
    match (line("release: "), line("host: ")) {
        (Some(release), Some(host)) => Ok(format!("rustc {release}, {host}")),
        _ => Err(format!("rustc -vV says {text:?}, {:?}", String::from_utf8_lossy(&output.stderr))),
    }
}
