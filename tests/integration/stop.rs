//! SIGTERM: what was received is answered, then the process ends with 0.
//!
//! The server is paused while the queries are sent, so that they wait in its sockets when it finds
//! the signal.

use rstest::rstest;

use crate::harness::{Client, Question, Server, Signal, Site, TcpClient};

/// As many answers as a client's socket surely has room for.
const BURST: u16 = 150;

/// Sends while the server stands still, and has it find SIGTERM when it goes on.
fn just_before_the_end(server: &Server, send: impl FnOnce()) {
    server.signal(Signal::Pause);
    send();
    server.signal(Signal::Stop);
    server.signal(Signal::Resume);
}

fn site() -> Site {
    Site::new(
        "[regions.a]\naddresses = [\"192.0.2.1\"]\n\
         [[records]]\nname = \"app.site.test\"\npolicy = \"a\"\n",
    )
}

#[rstest]
#[case::ipv4(false)]
#[case::ipv6(true)]
fn a_burst_over_udp_just_before_sigterm_is_answered(#[case] v6: bool) {
    let mut server = site().serve();
    let to = if v6 { server.v6 } else { server.v4 };
    let clients = [0, 1, 2].map(|_| Client::new(to));
    let requests: Vec<_> = (0..BURST).map(|id| Question::a("app.site.test").wire(id)).collect();
    just_before_the_end(&server, || {
        for client in &clients {
            requests.iter().for_each(|request| client.send(request));
        }
    });
    for client in &clients {
        let mut answered = vec![false; usize::from(BURST)];
        for _ in 0..BURST {
            let reply = client.receive();
            assert_eq!(reply.addresses().len(), 1, "{}", reply.text());
            answered[usize::from(reply.message.metadata.id)] = true;
        }
        assert!(answered.iter().all(|answered| *answered));
    }
    let status = server.wait();
    assert_eq!(status.code(), Some(0), "{status}");
}

#[test]
fn a_burst_over_tcp_just_before_sigterm_is_answered() {
    let mut server = site().serve();
    let mut client = TcpClient::new(server.v4);
    // One answer first: the connection has been accepted.
    let question = |id| Question::a("app.site.test").wire(id);
    client.send(&[&question(9999)]);
    assert!(client.receive().is_some());
    let requests: Vec<_> = (0..BURST).map(question).collect();
    just_before_the_end(&server, || {
        client.send(&requests.iter().map(Vec::as_slice).collect::<Vec<_>>());
    });
    for id in 0..BURST {
        let reply = client.receive().expect("what was received is answered");
        assert_eq!(reply.message.metadata.id, id);
    }
    assert!(client.receive().is_none(), "then the connection is closed");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn an_idle_connection_does_not_hold_up_the_end() {
    let mut server = site().serve();
    let mut client = TcpClient::new(server.v4);
    client.send(&[&Question::a("app.site.test").wire(1)]);
    assert!(client.receive().is_some());
    let start = trimtab::clock::now();
    server.signal(Signal::Stop);
    assert_eq!(server.wait().code(), Some(0));
    let took = trimtab::clock::now() - start;
    assert!(took < std::time::Duration::from_secs(5), "idle connections are closed: {took:?}");
    assert!(client.receive().is_none());
}

#[test]
fn queries_on_connections_opened_just_before_sigterm_are_answered() {
    let mut server = site().serve();
    let mut clients = Vec::new();
    just_before_the_end(&server, || {
        for id in 0..40 {
            let mut client = TcpClient::new(if id % 2 == 0 { server.v4 } else { server.v6 });
            client.send(&[&Question::a("app.site.test").wire(id)]);
            clients.push(client);
        }
    });
    for (id, client) in clients.iter_mut().enumerate() {
        let reply = client.receive().unwrap_or_else(|| panic!("{id} was cut off"));
        assert_eq!(reply.addresses().len(), 1, "{}", reply.text());
    }
    assert_eq!(server.wait().code(), Some(0));
}
