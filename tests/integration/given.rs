//! Socket activation: sockets that were opened before the server ran.
//!
//! A shell stands for the service manager: it has them as standard input and output, passes them on
//! from descriptor 3, says so in the environment, and becomes the server.

use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use hickory_proto::rr::RecordType::A;

use crate::harness::{Client, Question, Server, Site, Via, exchange, fail, get};

/// A command that becomes a server with two sockets, which are for the process `pid`.
fn passing(site: &Site, sockets: [OwnedFd; 2], pid: &str) -> Command {
    let script = format!(
        "export LISTEN_PID={pid} LISTEN_FDS=2 LISTEN_FDNAMES=one:two; \
         exec \"$0\" \"$@\" 3<&0 4<&1 0</dev/null 1>/dev/null"
    );
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_trimtab"), "serve", "--config"]);
    let [first, second] = sockets.map(Stdio::from);
    command.arg(site.config()).stdin(first).stdout(second);
    command
}

/// A UDP and a TCP socket at the same port.
fn pair(ip: &str) -> (UdpSocket, TcpListener) {
    crate::harness::until("a port that is free over UDP and TCP", || {
        let tcp = TcpListener::bind((ip, 0)).unwrap();
        Some((UdpSocket::bind(tcp.local_addr().unwrap()).ok()?, tcp))
    })
}

/// One record; `listen` in place of the usual addresses, and as many workers.
fn site(listen: &str, workers: u32) -> Site {
    let site = Site::new(
        "[regions.a]\naddresses = [\"192.0.2.1\"]\n\
         [[records]]\nname = \"app.site.test\"\npolicy = \"a\"\n",
    );
    let text = std::fs::read_to_string(site.config()).unwrap();
    let usual = "listen = [\"127.0.0.1:0\", \"[::1]:0\"]\nworkers = 1";
    assert!(text.contains(usual));
    site.write(
        "trimtab.toml",
        &text.replace(usual, &format!("listen = [{listen}]\nworkers = {workers}")),
    );
    site
}

#[test]
fn what_is_given_is_used_and_what_is_missing_is_bound() {
    let (udp, tcp) = pair("127.0.0.1");
    let address = udp.local_addr().unwrap();
    let site = site(&format!("\"{address}\", \"[::1]:0\""), 2);
    // Sent before there is a server: the sockets are there.
    let early = Client::new(address);
    early.send(&Question::a("app.site.test").wire(7));
    let server = Server::spawn_by(&mut passing(&site, [udp.into(), tcp.into()], "$$")).answering();
    assert_eq!(server.v4, address);
    assert_eq!(early.receive().addresses().len(), 1);
    for (via, to) in
        [(Via::Udp, server.v4), (Via::Tcp, server.v4), (Via::Udp, server.v6), (Via::Tcp, server.v6)]
    {
        let reply = exchange(via, to, &Question::a("app.site.test").wire(1));
        assert_eq!(reply.addresses().len(), 1, "{via:?} {to}");
    }
    // Both workers answer from the one socket: none of many is lost.
    let mut client = Client::new(address);
    for _ in 0..200 {
        assert_eq!(client.ask(&Question::a("app.site.test")).addresses().len(), 1);
    }
    assert_eq!(server.stop().code(), Some(0));
}

#[test]
fn replies_of_a_given_socket_for_any_address_leave_from_the_one_that_was_asked() {
    let (udp, tcp) = pair("0.0.0.0");
    let port = udp.local_addr().unwrap().port();
    let site = site(&format!("\"0.0.0.0:{port}\", \"[::1]:0\""), 1);
    let _server = Server::spawn_by(&mut passing(&site, [udp.into(), tcp.into()], "$$")).answering();
    // A client hears only whom it has asked.
    let mut client = Client::new(([127, 0, 0, 9], port).into());
    assert_eq!(client.ask(&Question::a("app.site.test")).addresses().len(), 1);
}

#[test]
fn the_admin_pages_take_theirs() {
    let (admin, metrics) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = [&admin, &metrics].map(|socket| socket.local_addr().unwrap());
    let site = site("\"127.0.0.1:0\", \"[::1]:0\"", 1);
    let text = std::fs::read_to_string(site.config()).unwrap();
    let [at, also] = addresses;
    let both = format!("[admin]\nlisten = \"{at}\"\nmetrics_listen = \"{also}\"");
    site.write("trimtab.toml", &text.replace("[admin]\nlisten = \"127.0.0.1:0\"", &both));
    let server =
        Server::spawn_by(&mut passing(&site, [metrics.into(), admin.into()], "$$")).answering();
    assert_eq!(server.admin, at);
    for address in addresses {
        assert_eq!(get(address, "/readyz").unwrap().0, 200, "{address}");
    }
}

#[test]
fn sockets_for_another_process_are_left_alone() {
    let (udp, tcp) = pair("127.0.0.1");
    let site = site("\"127.0.0.1:0\", \"[::1]:0\"", 1);
    let server = Server::spawn_by(&mut passing(&site, [udp.into(), tcp.into()], "1")).answering();
    assert_eq!(server.ask("app.site.test", A).addresses().len(), 1);
}

#[test]
fn one_that_the_configuration_does_not_name_is_an_error_that_names_it() {
    for swap in [false, true] {
        let (udp, tcp) = pair("127.0.0.1");
        let (other, _) = pair("127.0.0.1");
        let (site, wanted) = match swap {
            false => (site(&format!("\"{}\"", tcp.local_addr().unwrap()), 1), other.local_addr()),
            true => (site(&format!("\"{}\"", other.local_addr().unwrap()), 1), tcp.local_addr()),
        };
        let kind = if swap { "TCP" } else { "UDP" };
        drop(udp);
        let ended = fail(&mut passing(&site, [other.into(), tcp.into()], "$$"));
        assert_eq!(ended.code, Some(1));
        let told = format!("passed a {kind} socket for {}, and server.listen", wanted.unwrap());
        assert!(ended.sentence().contains(&told), "{}", ended.stderr);
    }
}

#[test]
fn one_that_takes_both_families_is_an_error_that_says_what_to_do() {
    let [udp, tcp] = [socket2::Type::DGRAM, socket2::Type::STREAM].map(|kind| {
        let socket = socket2::Socket::new(socket2::Domain::IPV6, kind, None).unwrap();
        socket.set_only_v6(false).unwrap();
        socket.bind(&"[::]:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
        socket
    });
    tcp.listen(1).unwrap();
    let port = udp.local_addr().unwrap().as_socket().unwrap().port();
    let site = site(&format!("\"[::]:{port}\""), 1);
    let ended = fail(&mut passing(&site, [udp.into(), tcp.into()], "$$"));
    assert_eq!(ended.code, Some(1));
    assert!(ended.sentence().contains("BindIPv6Only=ipv6-only"), "{}", ended.stderr);
}

#[test]
fn what_is_no_socket_is_an_error_with_its_number() {
    let (udp, _) = pair("127.0.0.1");
    let site = site(&format!("\"{}\"", udp.local_addr().unwrap()), 1);
    let file = std::fs::File::open(site.config()).unwrap();
    let ended = fail(&mut passing(&site, [udp.into(), file.into()], "$$"));
    assert_eq!(ended.code, Some(1));
    assert!(ended.sentence().contains("descriptor 4, which was passed"), "{}", ended.stderr);
}
