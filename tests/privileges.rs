//! The start by root: a port below 1024, then another user, for good. And sockets by systemd's own tool.
//!
//! Not part of `cargo test`: it wants root, and Debian's packages util-linux and systemd:
//! `just privileges`.

#[allow(dead_code, unused_imports, reason = "the harness of the integration tests")]
#[path = "integration/harness/mod.rs"]
mod harness;
#[path = "support/mod.rs"]
mod support;

use std::fs::{self, Permissions};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::{Client, Question, Server, Site, fail, serve_command, until};

/// Whom every system has, and who has no groups but one.
const USER: &str = "nobody";
/// Another such.
const OTHER: &str = "daemon";
/// Where nobody else listens.
const ADDRESS: &str = "127.0.53.1";
/// Low enough to need root or a capability.
const PORT: u16 = 853;

/// The numbers of a user and its group.
fn ids(user: &str) -> (u32, u32) {
    let text = fs::read_to_string("/etc/passwd").unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("{user}:"))).unwrap();
    let fields: Vec<_> = line.split(':').collect();
    (fields[2].parse().unwrap(), fields[3].parse().unwrap())
}

/// A site that becomes `user`, which may enter its directory; `listen` is its address of IPv4.
fn site(user: &str, listen: &str, more: &str) -> Site {
    let site = Site::of_server(
        &format!("user = \"{user}\""),
        &format!(
            "[regions.a]\naddresses = [\"192.0.2.1\"]\n\
             [[records]]\nname = \"app.site.test\"\npolicy = \"a\"\n{more}"
        ),
    );
    let text = fs::read_to_string(site.config()).unwrap();
    site.write(
        "trimtab.toml",
        &text.replace("\"127.0.0.1:0\", \"[", &format!("\"{listen}\", \"[")),
    );
    fs::set_permissions(site.path(""), Permissions::from_mode(0o755)).unwrap();
    assert!(rustix::process::geteuid().is_root(), "these tests are for root");
    site
}

/// What the system says of each thread of a process.
fn threads(server: &Server) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
    let paths = tasks.map(|task| task.unwrap().path().join("status"));
    paths.map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// The words behind a key of such a text.
fn words<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("{key}: {text}")).split_whitespace().collect()
}

fn one_answer(at: SocketAddr) {
    let reply = Client::new(at).ask(&Question::a("app.site.test"));
    assert_eq!(reply.addresses(), [IpAddr::from([192, 0, 2, 1])]);
}

#[test]
fn nothing_of_root_is_left_in_any_thread_and_all_works() {
    let (uid, gid) = ids(USER);
    let site = site(USER, &format!("{ADDRESS}:{PORT}"), "");
    let server = site.serve();
    assert_eq!(server.v4.port(), PORT);
    one_answer(server.v4);
    let all = threads(&server);
    assert!(all.len() >= 4, "the threads of answers, of the admin pages, of probes: {}", all.len());
    for status in &all {
        assert_eq!(words(status, "Uid"), vec![uid.to_string(); 4]);
        assert_eq!(words(status, "Gid"), vec![gid.to_string(); 4]);
        assert_eq!(words(status, "Groups"), [gid.to_string()]);
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            let left = u64::from_str_radix(words(status, set)[0], 16).unwrap();
            assert_eq!(left, 0, "{set}: {status}");
        }
    }
    // The state is the user's, and nobody else's.
    let state = fs::metadata(site.path("state")).unwrap();
    assert_eq!((state.uid(), state.gid(), state.mode() & 0o777), (uid, gid, 0o700));
    for file in site.list("state") {
        let file = fs::metadata(file).unwrap();
        assert_eq!((file.uid(), file.gid()), (uid, gid));
    }
    // What the process tells of itself does not want root.
    assert!(server.metrics().value("process_open_fds") > 3.0);
    server.log.wait_for(&format!("now running as the user {USER} ({uid})"));
    assert!(server.reload());
    one_answer(server.v4);
    assert_eq!(server.stop().code(), Some(0));
}

#[test]
fn a_restart_goes_on_with_the_state_of_the_user() {
    let site = site(USER, "127.0.0.1:0", "");
    for _ in 0..2 {
        assert_eq!(site.serve().stop().code(), Some(0));
    }
}

#[test]
fn a_file_that_the_user_cannot_read_is_warned_of_and_refuses_a_reload_with_a_hint() {
    let site = site(USER, "127.0.0.1:0", "");
    let text = fs::read_to_string(site.config()).unwrap();
    let keys = "user = \"nobody\"\ncookies.secret_file = \"secret\"";
    site.write("trimtab.toml", &text.replace("user = \"nobody\"", keys));
    site.write("secret", "e5e973e5a6b2a43f48e7dc849e37bfcf\n");
    let secret = site.path("secret");
    fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    let server = site.serve();
    let warned = server.log.wait_for("cannot be read by the user nobody");
    assert!(warned.contains("/secret"), "{warned}");
    assert!(!server.reload());
    let told = server.log.wait_for("server.cookies.secret_file: found ");
    assert!(told.contains("Permission denied"), "{told}");
    assert!(told.contains("the user that the server runs as"), "{told}");
    chown(&secret, None, Some(ids(USER).1)).unwrap();
    fs::set_permissions(&secret, Permissions::from_mode(0o640)).unwrap();
    assert!(server.reload());
}

#[test]
fn a_configuration_that_the_user_cannot_read_refuses_a_reload_with_a_hint() {
    let site = site(USER, "127.0.0.1:0", "");
    let server = site.serve();
    fs::set_permissions(site.config(), Permissions::from_mode(0o600)).unwrap();
    assert!(!server.reload());
    let told = server.log.wait_for("configuration: found ");
    assert!(told.contains("the user that the server runs as"), "{told}");
    one_answer(server.v4);
}

#[test]
fn another_user_wants_a_restart() {
    let site = site(USER, "127.0.0.1:0", "");
    let server = site.serve();
    let text = fs::read_to_string(site.config()).unwrap();
    site.write("trimtab.toml", &text.replace(USER, OTHER));
    assert!(!server.reload());
    let told = server.log.wait_for("server.user: found daemon, wanted nobody");
    assert!(told.contains("restart the server"), "{told}");
}

#[test]
fn a_state_directory_of_root_is_told_of() {
    let site = site(USER, "127.0.0.1:0", "");
    fs::create_dir(site.path("state")).unwrap();
    fs::set_permissions(site.path("state"), Permissions::from_mode(0o700)).unwrap();
    let ended = fail(&mut serve_command(&site));
    assert_eq!(ended.code, Some(1));
    let told = ["/state cannot be used", "must belong to the user that the server runs as"];
    assert!(told.iter().all(|part| ended.stderr.contains(part)), "{}", ended.stderr);
    assert_eq!(fs::metadata(site.path("state")).unwrap().uid(), 0, "what is there is left alone");
}

/// A copy of the program where everybody may run it.
fn program(site: &Site) -> PathBuf {
    let path = site.path("trimtab");
    fs::copy(env!("CARGO_BIN_EXE_trimtab"), &path).unwrap();
    path
}

/// The program run by somebody who is not root.
fn as_user(user: &str, program: &Path, site: &Site) -> Command {
    let (uid, gid) = ids(user);
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={uid}"), &format!("--regid={gid}"), "--clear-groups", "--"]);
    command.arg(program).args(["serve", "--config"]).arg(site.config()).stdout(Stdio::null());
    command
}

#[test]
fn who_is_not_root_cannot_become_another() {
    let site = site(USER, "127.0.0.1:0", "");
    let ended = fail(&mut as_user(OTHER, &program(&site), &site));
    assert_eq!(ended.code, Some(1));
    let told = format!("only root can become the user {USER}, and this is user {}", ids(OTHER).0);
    assert!(ended.stderr.contains(&told), "{}", ended.stderr);
    assert!(!site.path("state").exists());
}

#[test]
fn who_is_the_user_already_stays_so() {
    let site = site(USER, "127.0.0.1:0", "");
    let (uid, gid) = ids(USER);
    fs::create_dir(site.path("state")).unwrap();
    chown(site.path("state"), Some(uid), Some(gid)).unwrap();
    let server = Server::spawn_by(&mut as_user(USER, &program(&site), &site)).answering();
    one_answer(server.v4);
    assert_eq!(server.log.count("now running as"), 0);
}

#[test]
fn systemd_passes_a_socket_and_the_first_query_starts_the_server() {
    let free = UdpSocket::bind((ADDRESS, 0)).unwrap().local_addr().unwrap();
    let site = site(USER, &free.to_string(), "");
    let mut command = Command::new("systemd-socket-activate");
    command.args(["--datagram", &format!("--listen={free}")]).arg(program(&site));
    command.args(["serve", "--config"]).arg(site.config()).stdout(Stdio::null());
    let server = Server::spawn_by(&mut command);
    server.log.wait_for("Listening on");
    let client = Client::new(free);
    client.send(&Question::a("app.site.test").wire(1));
    assert_eq!(client.receive().addresses().len(), 1);
    let server = server.answering();
    assert_eq!(server.v4, free);
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    assert_eq!(words(&status, "Name"), ["trimtab"], "it has become the server");
    until("it runs as the user", || {
        let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
        (words(&status, "Uid")[0] == ids(USER).0.to_string()).then_some(())
    });
    assert_eq!(server.stop().code(), Some(0));
}
