//! The whole generator against a server of a few lines, which answers, or does not.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::thread;

use clap::Parser;
use serde_json::Value;

use crate::load;

/// What the server makes of a query, told by its number: none, one or more replies.
type Answer = fn(usize, &[u8]) -> Vec<Vec<u8>>;

/// The query as its reply: NOERROR, and no records.
fn reply(query: &[u8]) -> Vec<u8> {
    let mut reply = query.to_vec();
    reply[2] |= 0x84;
    reply
}

/// A UDP server that ends with the test.
fn udp(answer: Answer) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 512];
        for number in 0.. {
            let (len, from) = socket.recv_from(&mut buffer).unwrap();
            for reply in answer(number, &buffer[..len]) {
                socket.send_to(&reply, from).unwrap();
            }
        }
    });
    address
}

/// A TCP server that closes each connection after so many queries.
fn tcp(most: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            thread::spawn(move || {
                for _ in 0..most {
                    let mut len = [0; 2];
                    if stream.read_exact(&mut len).is_err() {
                        return;
                    }
                    let mut query = vec![0; usize::from(u16::from_be_bytes(len))];
                    stream.read_exact(&mut query).unwrap();
                    // In two parts, as a network may bring them.
                    stream.write_all(&len[..1]).unwrap();
                    stream.write_all(&[&len[1..], &reply(&query)].concat()).unwrap();
                }
            });
        }
    });
    address
}

/// Runs with these arguments, and reads the report.
fn load(server: SocketAddr, arguments: &str) -> Value {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "www.example.test A\nexample.test AAAA\n").unwrap();
    let all = format!("load --json --server {server} {arguments} --questions");
    let all = all.split(' ').map(Into::into).chain([file.path().as_os_str().to_owned()]);
    let args = load::args::Args::try_parse_from(all).unwrap();
    serde_json::from_str(&load::run(&args).unwrap()).unwrap()
}

/// These keys of a report.
fn counts<const N: usize>(report: &Value, keys: [&str; N]) -> [u64; N] {
    keys.map(|key| report[key].as_u64().unwrap_or_else(|| panic!("{key} in {report}")))
}

const ALL: [&str; 4] = ["sent", "received", "lost", "wrong"];

#[test]
fn every_query_is_answered_in_either_loop() {
    let server = udp(|_, query| vec![reply(query)]);
    // No more at once than the server's socket surely has room for.
    for (queries, how) in [
        (3000, "--closed 10"),
        (3000, "--closed 100 --burst 50 --sockets 3"),
        (150, "--open 100000"),
        (150, "--open 1e6 --burst 77 --sockets 2 --order zipf:1 --subdomain --ecs random24"),
    ] {
        let report = load(server, &format!("{how} --queries {queries} --expect NOERROR"));
        assert_eq!(counts(&report, ALL), [queries, queries, 0, 0], "{how}: {report}");
        assert_eq!(report["rcodes"]["NOERROR"], queries);
        let latency = ["min", "p50", "p90", "p99", "p999", "max"]
            .map(|key| report["latency_us"][key].as_f64().unwrap());
        assert!(latency.is_sorted() && latency[0] > 0.0, "{report}");
    }
}

#[test]
fn what_is_not_answered_is_lost_and_what_is_not_expected_wrong() {
    let server = udp(|number, query| match number % 5 {
        0 => vec![],
        _ => vec![reply(query)],
    });
    let arguments = "--closed 20 --queries 1000 --timeout 50 --expect-answers 1..2";
    let report = load(server, arguments);
    assert_eq!(counts(&report, ALL), [1000, 800, 200, 800], "{report}");
}

#[test]
fn answers_to_something_else_are_not_taken_for_answers() {
    let server = udp(|number, query| {
        let (mut question, mut id) = (reply(query), reply(query));
        question[14] ^= 1;
        id[0] ^= 0x80;
        match number % 4 {
            0 => vec![question, reply(query)],
            1 => vec![id, reply(query)],
            2 => vec![reply(query), reply(query)],
            _ => vec![vec![1], reply(query)],
        }
    });
    // The last is answered with what is counted before.
    let report = load(server, "--closed 1 --queries 400");
    assert_eq!(counts(&report, ALL), [400, 400, 0, 200], "{report}");
    assert_eq!(counts(&report, ["stray", "duplicate", "late"]), [100, 100, 0], "{report}");
}

#[test]
fn a_server_that_is_not_there_loses_everything() {
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let report = load(nobody, "--open 1000 --queries 100 --timeout 20");
    assert_eq!(counts(&report, ALL), [100, 0, 100, 0], "{report}");
}

#[test]
fn connections_are_kept_and_opened_again() {
    let report = load(tcp(usize::MAX), "--closed 50 --tcp 3 --queries 3000");
    assert_eq!(counts(&report, ALL), [3000, 3000, 0, 0], "{report}");
    assert_eq!(report["renewed"], 0);

    // One at a time, so that the end comes when nothing waits, or with one query under way.
    let report = load(tcp(100), "--closed 1 --tcp 1 --queries 1000 --timeout 1000");
    let [sent, received, lost, wrong] = counts(&report, ALL);
    assert_eq!((sent, received + lost, wrong), (1000, 1000, 0), "{report}");
    assert!(report["renewed"].as_u64() >= Some(9), "{report}");
}

#[test]
fn there_are_sockets_enough_for_all_that_may_be_outstanding() {
    let channels = |arguments: &str| {
        let all = format!("load --server 127.0.0.1:53 --questions file {arguments}");
        load::args::Args::try_parse_from(all.split(' ')).unwrap().channels().ok()
    };
    assert_eq!(channels("--closed 1000 --seconds 1"), Some(1));
    assert_eq!(channels("--closed 50000 --seconds 1"), Some(2));
    assert_eq!(channels("--open 100000 --timeout 2000 --seconds 9"), Some(5));
    assert_eq!(channels("--open 100000 --timeout 2000 --queries 9"), Some(1));
    assert_eq!(channels("--open 100000 --timeout 2000 --seconds 9 --sockets 7"), Some(7));
    assert_eq!(channels("--open 100000 --timeout 2000 --seconds 1"), Some(3));
    assert_eq!(channels("--open 100000 --timeout 2000 --seconds 9 --sockets 4"), None);
    assert_eq!(channels("--closed 50000 --tcp 1 --seconds 1"), None);
}

#[test]
fn wrong_usage_is_told() {
    for wrong in [
        "--queries 1",
        "--closed 1",
        "--closed 1 --open 1 --queries 1",
        "--closed 0 --queries 1",
        "--open -1 --seconds 1",
        "--closed 1 --queries 1 --tcp 1 --sockets 2",
        "--closed 1 --queries 1 --expect-answers 2..1",
        "--closed 1 --queries 1 --ecs everyone",
    ] {
        let all = format!("load --server 127.0.0.1:53 --questions file {wrong}");
        let parsed = load::args::Args::try_parse_from(all.split(' '));
        assert_eq!(parsed.unwrap_err().exit_code(), 2, "{wrong}");
    }
}
