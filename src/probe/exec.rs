//! exec checks: a program of this host says whether a target works. 0 is a pass, any other code a failure.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::attempt::{Attempt, Failure};
use super::program::{Ended, Program};
use crate::model::{ExecProbe, Target};

/// Where programs are looked for, and what they are given as PATH.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The file of a program: an absolute path as it is, a bare name in [`PATH`].
///
/// # Errors
/// It is not there, or no program, in words.
pub fn find(program: &str) -> Result<PathBuf, String> {
    let is_program = |path: &Path| {
        std::fs::metadata(path).is_ok_and(|at| at.is_file() && at.permissions().mode() & 0o111 != 0)
    };
    if program.starts_with('/') {
        return match std::fs::metadata(program) {
            Err(error) => Err(format!("{program}: {error}")),
            Ok(_) if is_program(program.as_ref()) => Ok(program.into()),
            Ok(_) => Err(format!("{program}: not a file that can be run")),
        };
    }
    let mut candidates = PATH.split(':').map(|dir| Path::new(dir).join(program));
    candidates.find(|path| is_program(path)).ok_or_else(|| format!("no {program} in {PATH}"))
}

/// Runs the program, and kills it with all that it started if it takes too long.
///
/// # Errors
/// `exit 2: disk full`, `killed by signal 11`, `program: timed out after 2 s`; that it cannot be started is
/// this host's fault.
pub(super) async fn run(
    probe: &ExecProbe,
    target: &Target,
    attempt: &Attempt,
) -> Result<(), Failure> {
    let mut program = Program::start(command(probe, target)?).map_err(Failure::local)?;
    let ended = attempt.within(|| "program", program.end()).await;
    let ended = match ended {
        Ok(ended) => ended,
        Err(late) => {
            program.kill().await;
            return Err(late);
        }
    };
    let path = probe.program();
    let ended =
        ended.map_err(|error| Failure::local(format_args!("{path} cannot be started: {error}")))?;
    judge(&ended)
}

fn command(probe: &ExecProbe, target: &Target) -> Result<Command, Failure> {
    let mut command = Command::new(find(probe.program()).map_err(Failure::local)?);
    command.args(probe.arguments(&target.destination)).current_dir("/").env_clear();
    command.env("PATH", PATH).env("TRIMTAB_CHECK", &*target.check.name);
    if let Some(region) = target.destination.region() {
        command.env("TRIMTAB_REGION", region);
    }
    if let Some(address) = target.destination.address() {
        command.env("TRIMTAB_ADDRESS", address.to_string());
    }
    Ok(command)
}

fn judge(ended: &Ended) -> Result<(), Failure> {
    let how = match (ended.status.exit_status(), ended.status.terminating_signal()) {
        (Some(0), _) => return Ok(()),
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "ended in a way that is not known".into(),
    };
    match first_line(&ended.stdout).or_else(|| first_line(&ended.stderr)) {
        Some(said) => Err(Failure::in_phase(&how, said)),
        None => Err(Failure::target(&how)),
    }
}

/// The first line that says anything.
fn first_line(output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(Into::into)
}
