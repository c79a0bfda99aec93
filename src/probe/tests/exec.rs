//! exec checks with real programs: scripts that are run directly.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rstest::rstest;

use super::*;
use crate::model::ExecProbe;

/// Writes a script. It is another process that does: while this one has the file open for writing, a
/// program that another test starts just then would inherit it, and the script could not be run.
fn script(dir: &Path, body: &str) -> PathBuf {
    let path = dir.join("check");
    let mut writer = Command::new("/bin/sh")
        .args(["-c", r#"cat >"$0" && chmod 755 "$0""#])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    writer.stdin.take().unwrap().write_all(format!("#!/bin/sh\n{body}\n").as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success());
    path
}

fn command(words: &[&str]) -> Probe {
    Probe::Exec(ExecProbe::new(words.iter().map(|&word| word.into()).collect()))
}

fn member() -> Destination {
    Destination::Member { region: "us-east".into(), address: [192, 0, 2, 1].into() }
}

async fn run(body: &str, arguments: &[&str], timeout: Duration) -> (Outcome, Phases) {
    let dir = tempfile::tempdir().unwrap();
    let path = script(dir.path(), body);
    let words = [&[path.to_str().unwrap()], arguments].concat();
    match probe_at(command(&words), member(), timeout).await {
        Verdict::Seen(outcome, _, phases) => (outcome, phases),
        Verdict::Abstained(why) => panic!("abstained: {why}"),
    }
}

#[rstest]
#[case::pass("exit 0", None)]
#[case::pass_and_say_so("echo all well", None)]
#[case::code("exit 7", Some("exit 7"))]
#[case::first_line("echo; echo '  disk full '; echo more; exit 2", Some("exit 2: disk full"))]
#[case::warning_of_nagios(
    "echo 'DISK WARNING - 5% left | /=95%'; exit 1",
    Some("exit 1: DISK WARNING - 5% left | /=95%")
)]
#[case::standard_error("echo broken >&2; exit 3", Some("exit 3: broken"))]
#[case::output_before_error("echo second >&2; echo first; exit 3", Some("exit 3: first"))]
#[case::signal("kill -SEGV $$", Some("killed by signal 11"))]
#[case::hostile(r"printf 'a\033[31mb\377'; exit 1", Some("exit 1: a [31mb\u{fffd}"))]
#[tokio::test]
async fn exits(#[case] body: &str, #[case] reason: Option<&str>) {
    let (outcome, phases) = run(body, &[], PATIENT).await;
    assert_eq!(outcome, reason.map_or(Outcome::Pass, failed));
    assert_eq!((phases.connect, phases.tls, phases.first_byte), (None, None, None));
    assert!(phases.total > Duration::ZERO);
}

#[tokio::test]
async fn placeholders_are_filled_in_and_there_is_no_shell() {
    let arguments = ["{address}", "--at={region}/{address}", "$(id); *", "{x}"];
    let body = r#"printf '%s|' "$#" "$@"; exit 1"#;
    let (outcome, _) = run(body, &arguments, PATIENT).await;
    let wanted = "exit 1: 4|192.0.2.1|--at=us-east/192.0.2.1|$(id); *|{x}|";
    assert_eq!(outcome, failed(wanted));
}

#[tokio::test]
async fn the_environment_is_ours_alone() {
    let body = r"echo $(env | grep -v -e ^PWD= -e ^OLDPWD= -e ^SHLVL= -e ^_= | sort); exit 1";
    let (outcome, _) = run(body, &[], PATIENT).await;
    let path = crate::probe::PATH;
    let wanted = format!(
        "exit 1: PATH={path} TRIMTAB_ADDRESS=192.0.2.1 TRIMTAB_CHECK=web TRIMTAB_REGION=us-east"
    );
    assert_eq!(outcome, failed(&wanted));
}

/// The descriptors that this process was given by whoever started it: any program has those.
fn inherited() -> BTreeSet<u32> {
    let all = std::fs::read_dir("/proc/self/fdinfo").unwrap();
    let kept = all.filter_map(|entry| {
        let entry = entry.unwrap();
        let text = std::fs::read_to_string(entry.path()).ok()?;
        let flags = text.lines().find_map(|line| line.strip_prefix("flags:"))?.trim();
        let flags = u32::from_str_radix(flags, 8).ok()?;
        (flags & libc::O_CLOEXEC as u32 == 0).then_some(entry.file_name())
    });
    kept.map(|name| name.to_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn it_gets_nothing_that_this_process_has_opened() {
    // This process has these open, and whatever other tests have.
    let _held = (TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await, tempfile::tempfile());
    let body = "read line; echo [$line] $(pwd) $(ls /proc/self/fd); exit 1";
    let (outcome, _) = run(body, &[], PATIENT).await;
    let Outcome::Fail(why) = outcome else { panic!("{outcome:?}") };
    let numbers = why.strip_prefix("exit 1: [] / ").unwrap_or_else(|| panic!("{why}"));
    let found: BTreeSet<u32> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
    let mut wanted = &inherited() | &BTreeSet::from([0, 1, 2]);
    // The directory that ls reads has the first that is free.
    wanted.extend((3..).find(|number| !wanted.contains(number)));
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn a_flood_is_read_and_not_kept() {
    let body = "yes | head -c 10000000; echo; echo >&2; head -c 1000000 /dev/zero >&2; exit 5";
    assert_eq!(run(body, &[], PATIENT).await.0, failed("exit 5: y"));
    // Without an end, and without a line.
    let (outcome, phases) = run("exec cat /dev/zero", &[], BRIEF).await;
    assert_eq!(outcome, failed("program: timed out after 150 ms"));
    assert!(phases.total < PATIENT);
}

/// Whether a process is there: its state, a zombie's included.
fn state(pid: &str) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

/// Waits until a file has so many lines.
async fn lines(path: &Path, count: usize) -> Vec<String> {
    loop {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if text.ends_with('\n') && text.lines().count() == count {
            return text.lines().map(Into::into).collect();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until a process that is nobody's child here has ended; who inherits it may leave it a zombie.
async fn ended(pid: &str) {
    while !matches!(state(pid), None | Some('Z' | 'X')) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[rstest]
#[case::hanging(
    "sleep 1000 & echo $! >>PIDS; trap '' TERM; sleep 1000 & echo $! >>PIDS; wait",
    "program: timed out after 150 ms"
)]
#[case::leaving_others_behind(
    "sleep 1000 & echo $! >>PIDS; sleep 1000 & echo $! >>PIDS; exit 4",
    "exit 4"
)]
#[tokio::test]
async fn nothing_is_left(#[case] body: &str, #[case] reason: &str) {
    let dir = tempfile::tempdir().unwrap();
    let pids = dir.path().join("pids");
    let body = format!("echo $$ >>PIDS; {body}").replace("PIDS", pids.to_str().unwrap());
    let timeout = if reason.starts_with("exit") { PATIENT } else { BRIEF * 10 };
    let reason = reason.replace("150 ms", "1.5 s");
    let (outcome, _) = run(&body, &[], timeout).await;
    assert_eq!(outcome, failed(&reason));
    let pids = lines(&pids, 3).await;
    assert_eq!(state(&pids[0]), None, "it is reaped when the verdict is in");
    for pid in &pids[1..] {
        ended(pid).await;
    }
}

#[tokio::test]
async fn a_probe_that_is_given_up_takes_its_program_along() {
    let dir = tempfile::tempdir().unwrap();
    let pids = dir.path().join("pids");
    let file = pids.to_str().unwrap();
    let path =
        script(dir.path(), &format!("echo $$ >>{file}; sleep 1000 & echo $! >>{file}; wait"));
    let probe = command(&[path.to_str().unwrap()]);
    let task = tokio::spawn(probe_at(probe, member(), PATIENT));
    let pids = lines(&pids, 2).await;
    task.abort();
    while state(&pids[0]).is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    ended(&pids[1]).await;
}

#[tokio::test]
async fn what_cannot_be_started_says_nothing_of_the_target() {
    let dir = tempfile::tempdir().unwrap();
    let broken = script(dir.path(), "exit 0");
    let broken = broken.to_str().unwrap();
    let overwritten =
        Command::new("/bin/sh").args(["-c", r##"echo "#!/no/such/shell" >"$0""##, broken]).status();
    assert!(overwritten.unwrap().success());
    for (program, why) in [
        ("/no/such/program", "/no/such/program: No such file or directory (os error 2)"),
        ("/etc/passwd", "/etc/passwd: not a file that can be run"),
        ("/etc", "/etc: not a file that can be run"),
        (broken, "cannot be started: No such file or directory (os error 2)"),
        ("no-such-program", "no no-such-program in /usr/local/sbin:"),
    ] {
        let verdict = probe_at(command(&[program]), member(), PATIENT).await;
        let Verdict::Abstained(told) = verdict else { panic!("{verdict:?}") };
        assert!(told.contains(why), "{told}");
    }
    let verdict = probe_at(command(&["true"]), member(), PATIENT).await;
    assert!(matches!(verdict, Verdict::Seen(Outcome::Pass, ..)), "found in PATH: {verdict:?}");
}
