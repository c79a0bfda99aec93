//! Who keeps a connection, and who gives his up.

use super::crowd::Habit;
use super::{Polite, accepted, body, closed, gather, open, serve, site};
use crate::harness::{Question, TcpClient, until};

#[test]
fn a_client_that_opens_too_many_displaces_itself() {
    let server = serve("max_per_client = 3\n");
    let ask = |client: &mut TcpClient, id| {
        client.send(&[&Question::a("app.example.test").wire(id)]);
        client.receive().is_some()
    };
    let mut clients: Vec<_> = (0..3).map(|_| TcpClient::new(server.v4)).collect();
    assert!(clients.iter_mut().all(|client| ask(client, 1)));
    let mut fourth = TcpClient::new(server.v4);
    assert!(ask(&mut fourth, 2), "a newcomer is served");
    until("one has given way", || (closed(&server, "per_client") == 1.0).then_some(()));
    assert_eq!(open(&server), 3.0);
    // All within a tick: the oldest.
    assert!(clients[0].receive().is_none());
    assert!(ask(&mut clients[1], 3) && ask(&mut clients[2], 3) && ask(&mut fourth, 3));
    // The other family is another client.
    let mut sixth = TcpClient::new(server.v6);
    assert!(ask(&mut sixth, 4));
    assert_eq!((open(&server), closed(&server, "per_client")), (4.0, 1.0));
}

#[test]
fn when_all_places_are_taken_the_network_that_has_most_gives_one_up() {
    let server = serve("max_connections = 10\n");
    let mut polite = Polite::meet(&server);
    let crowd = gather(&server, 40, 40, &[Habit::Chatty]);
    accepted(&server, 41.0);
    // Chatty clients have never been idle for as long as this one, and yet it stays.
    polite.ask_beside(&crowd, 1, 10);
    assert!(closed(&server, "pressure") >= 30.0);
    assert_eq!(closed(&server, "per_client"), 0.0);
    drop(crowd);
    until("only the polite one is left", || (open(&server) == 1.0).then_some(()));
}

#[test]
fn a_reload_changes_how_many_places_there_are() {
    let site = site("max_connections = 2\n");
    let server = site.serve();
    let connect = |count: usize| -> Vec<_> {
        (0..count)
            .map(|_| {
                let mut client = TcpClient::new(server.v4);
                client.send(&[&Question::a("app.example.test").wire(1)]);
                assert!(client.receive().is_some());
                client
            })
            .collect()
    };
    let first = connect(3);
    until("there are two", || (open(&server) == 2.0).then_some(()));
    site.configure(&body("max_connections = 5\n"));
    assert!(server.reload());
    let second = connect(3);
    assert_eq!(open(&server), 5.0);
    site.configure(&body("max_connections = 1\n"));
    assert!(server.reload());
    assert_eq!(open(&server), 5.0, "those that are open stay");
    drop((first, second));
    until("all have ended", || (open(&server) == 0.0).then_some(()));
    let _third = connect(2);
    until("there is one", || (open(&server) == 1.0).then_some(()));
}

#[test]
fn there_are_no_more_places_than_leave_files_for_probes() {
    let site = site("max_per_client = 1000\n");
    let server = site.serve();
    // 256 are kept for everything but connections and probes, and a quarter of all is for connections
    // in any case.
    server.limit_files(400);
    assert!(server.reload());
    assert_eq!(server.log.count("there will be no more than 128 connections"), 1);
    let mut polite = Polite::meet(&server);
    let crowd = gather(&server, 300, 100, &[Habit::Silent]);
    accepted(&server, 302.0);
    polite.ask_beside(&crowd, 20, 2);
    assert!(closed(&server, "pressure") >= 170.0);
    assert_eq!(server.metrics().value("trimtab_dns_tcp_accept_errors_total"), 0.0);
}
