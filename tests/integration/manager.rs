//! A service manager is told how things are: by a real socket, in the order in which they happen.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::Stdio;
use std::time::Duration;

use hickory_proto::rr::RecordType::A;
use rstest::rstest;

use crate::harness::{Kind, Mode, Server, Signal, Site, quick, serve_command, targets};

/// Whoever starts the server, and listens to it.
struct Manager {
    socket: UnixDatagram,
    name: String,
    site: Site,
}

/// Where its socket is.
#[derive(Debug, Clone, Copy)]
enum Named {
    Path,
    Abstract,
}

impl Manager {
    fn new(named: Named, body: &str) -> Self {
        let site = Site::new(body);
        let (name, address) = match named {
            Named::Path => {
                let path = site.path("notify");
                (path.display().to_string(), SocketAddr::from_pathname(&path).unwrap())
            }
            Named::Abstract => {
                let name = format!("trimtab-test-{}", site.path("").display());
                (format!("@{name}"), SocketAddr::from_abstract_name(&name).unwrap())
            }
        };
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self { socket, name, site }
    }

    /// Starts a server with more in its environment.
    fn start(&self, more: &[(&str, &str)]) -> Server {
        let mut command = serve_command(&self.site);
        command.stdout(Stdio::null()).env("NOTIFY_SOCKET", &self.name).envs(more.iter().copied());
        Server::spawn_by(&mut command)
    }

    /// The next message; panics when none comes.
    #[track_caller]
    fn heard(&self) -> String {
        let mut buffer = [0; 4096];
        let len = self.socket.recv(&mut buffer).expect("the service manager is told");
        String::from_utf8(buffer[..len].to_vec()).unwrap()
    }

    /// The next message that is none of the watchdog.
    #[track_caller]
    fn news(&self) -> String {
        std::iter::repeat_with(|| self.heard()).find(|text| text != "WATCHDOG=1\n").unwrap()
    }
}

const BODY: &str = "[regions.a]\naddresses = [\"192.0.2.1\"]\n\
                    [[records]]\nname = \"app.site.test\"\npolicy = \"a\"\n";

#[rstest]
#[case::at_a_path(Named::Path)]
#[case::at_an_abstract_name(Named::Abstract)]
fn start_reloads_and_end_are_told_in_their_order(#[case] named: Named) {
    let manager = Manager::new(named, BODY);
    let mut server = manager.start(&[]).answering();
    let addresses = format!("on {}, {}", server.v4, server.v6);
    let status = format!("STATUS=answering for 1 zone and 1 dynamic record {addresses}");
    assert_eq!(manager.heard(), format!("READY=1\n{status}\n"));
    assert_eq!(server.ask("app.site.test", A).addresses().len(), 1);

    let reloading = || {
        let text = manager.heard();
        let rest = text.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("a reload");
        let (micros, rest) = rest.split_once('\n').unwrap();
        assert!(micros.parse::<u64>().unwrap() > 0, "{text}");
        assert_eq!(rest, "STATUS=reloading the configuration\n");
    };
    manager.site.configure(
        &BODY.replace("app.", "b.site.test\"\npolicy = \"a\"\n[[records]]\nname = \"app."),
    );
    assert!(server.reload());
    reloading();
    let status = status.replace("1 dynamic record", "2 dynamic records");
    assert_eq!(manager.heard(), format!("READY=1\n{status}\n"));

    // A reload that is refused has ended as well, or the service manager would wait for ever.
    manager.site.configure(&BODY.replace("policy", "polcy"));
    assert!(!server.reload());
    reloading();
    assert_eq!(manager.heard(), format!("READY=1\n{status}; the last reload was refused\n"));

    server.signal(Signal::Stop);
    assert_eq!(manager.heard(), "STOPPING=1\nSTATUS=stopping\n");
    assert_eq!(server.wait().code(), Some(0));
    manager.socket.set_nonblocking(true).unwrap();
    assert!(manager.socket.recv(&mut [0; 64]).is_err(), "nothing else was told, nor by a watchdog");
}

#[test]
fn a_watchdog_hears_that_all_is_well() {
    let manager = Manager::new(Named::Path, BODY);
    let server = manager.start(&[("WATCHDOG_USEC", "200000")]).answering();
    let start = trimtab::clock::now();
    assert!(manager.heard().starts_with("READY=1\n"), "it is asked for from then on");
    for _ in 0..10 {
        assert_eq!(manager.heard(), "WATCHDOG=1\n");
    }
    // The first is at once, the others each half of the time apart.
    assert!(trimtab::clock::now() - start >= Duration::from_millis(850), "no more than are wanted");
    assert!(server.reload());
    assert!(manager.news().starts_with("RELOADING=1\n"));
    assert!(manager.news().starts_with("READY=1\n"));
    assert_eq!(manager.heard(), "WATCHDOG=1\n", "it goes on after a reload");
}

#[test]
fn a_watchdog_of_another_process_hears_nothing() {
    let manager = Manager::new(Named::Path, BODY);
    let server = manager.start(&[("WATCHDOG_USEC", "1000"), ("WATCHDOG_PID", "1")]).answering();
    assert!(manager.heard().starts_with("READY=1\n"));
    // Long enough for hundreds of them.
    assert!(server.reload());
    assert!(manager.heard().starts_with("RELOADING=1\n"));
    assert!(manager.heard().starts_with("READY=1\n"));
}

#[test]
fn a_start_that_waits_for_probes_asks_for_time() {
    let (port, targets) = targets::<1>(Kind::Http);
    targets[0].set(Mode::Hang);
    let check = quick(Kind::Http, port, &targets)
        .replace("interval = \"200ms\"", "interval = \"100s\"")
        .replace("fall = 2", "fall = 100");
    let manager = Manager::new(Named::Path, &check);
    let mut server = manager.start(&[]);
    let text = manager.heard();
    assert!(text.starts_with("EXTEND_TIMEOUT_USEC=130000000\nSTATUS=waiting for "), "{text}");
    assert_eq!(server.log.count("answering on"), 0);
    server.signal(Signal::Stop);
    assert_eq!(manager.heard(), "STOPPING=1\nSTATUS=stopping\n", "it was never ready");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_service_manager_that_is_not_there_is_told_of_and_missed_by_nobody() {
    let manager = Manager::new(Named::Path, BODY);
    std::fs::remove_file(manager.site.path("notify")).unwrap();
    let server = manager.start(&[]).answering();
    server.log.wait_for("the service manager cannot be told \"READY=1");
    assert_eq!(server.ask("app.site.test", A).addresses().len(), 1);
}

#[test]
fn a_name_that_is_no_socket_is_refused() {
    let site = Site::new(BODY);
    let ended = crate::harness::fail(serve_command(&site).env("NOTIFY_SOCKET", "vsock:2:1234"));
    assert_eq!(ended.code, Some(1));
    assert!(ended.sentence().contains("NOTIFY_SOCKET=vsock:2:1234: "), "{}", ended.stderr);
}
