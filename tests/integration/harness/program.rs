//! The program run to its end.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use super::log::Log;
use super::site::Site;
use super::wait::until;

/// What became of a run.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Ended {
    /// The one line of standard error, but for warnings (of a small receive buffer, where the
    /// machine allows no other); panics when there are more or none.
    #[track_caller]
    pub(crate) fn sentence(&self) -> &str {
        let lines = self.stderr.lines().filter(|line| !line.contains(r#""level":"WARN""#));
        match lines.collect::<Vec<_>>()[..] {
            [line] => line,
            _ => panic!("one sentence, not:\n{}", self.stderr),
        }
    }
}

/// The program under test: the one that was built with the tests, unless TRIMTAB_PROGRAM names another
/// build of it.
fn program() -> OsString {
    let built = || env!("CARGO_BIN_EXE_trimtab").into();
    std::env::var_os("TRIMTAB_PROGRAM").filter(|path| !path.is_empty()).unwrap_or_else(built)
}

/// The program, its errors to be read, nothing inherited that could colour them.
pub(super) fn command(verb: &str, config: &Path) -> Command {
    let mut command = Command::new(program());
    command.arg(verb).arg("--config").arg(config);
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

/// `serve` with the configuration of a site, where https targets are trusted.
pub(crate) fn serve_command(site: &Site) -> Command {
    let mut command = command("serve", &site.config());
    command.env("SSL_CERT_FILE", site.authority());
    command
}

/// `serve` with a configuration that it cannot start with; panics when it goes on running.
#[track_caller]
pub(crate) fn serve_and_fail(config: &Path) -> Ended {
    fail(command("serve", config).stdout(Stdio::null()))
}

/// The same by a command that becomes `serve`.
#[track_caller]
pub(crate) fn fail(command: &mut Command) -> Ended {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut log = Log::read(child.stderr.take().unwrap());
    let status = until("the end of a server that cannot start", || {
        let status = child.try_wait().unwrap();
        if status.is_none() && log.count("answering on") > 0 {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it serves:\n{}", log.text());
        }
        status
    });
    log.finish();
    Ended { code: status.code(), stdout: String::new(), stderr: log.text() }
}

/// `resolve --json` with the configuration of a site.
pub(crate) fn resolve(site: &Site, arguments: &[&str]) -> Ended {
    let mut command = command("resolve", &site.config());
    let output = command.stdout(Stdio::piped()).arg("--json").args(arguments).output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// `simulate` with the configuration of a site.
pub(crate) fn simulate(site: &Site, arguments: &[&str]) -> Ended {
    let mut command = command("simulate", &site.config());
    let output = command.stdout(Stdio::piped()).args(arguments).output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// `check` with the configuration of a site.
pub(crate) fn check(site: &Site) -> Ended {
    let output = command("check", &site.config()).output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// An operator's command: its words, for the servers at these addresses, which are told who it is.
pub(crate) fn operate(words: &str, admins: &[&str]) -> Ended {
    let output = operator(words, admins).output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The same, not started yet. Words with spaces are in single quotes.
pub(crate) fn operator(words: &str, admins: &[&str]) -> Command {
    let mut command = Command::new(program());
    for (at, part) in words.split('\'').enumerate() {
        match at % 2 {
            0 => command.args(part.split_whitespace()),
            _ => command.arg(part),
        };
    }
    command.args(["--actor", "alice@ops"]);
    admins.iter().for_each(|admin| _ = command.args(["--admin", admin]));
    command.env_remove("TRIMTAB_ADMIN").env_remove("TRIMTAB_TOKEN_FILE").stdin(Stdio::null());
    command
}
