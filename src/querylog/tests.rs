//! Lines and messages that somebody else reads, and sinks that are slow, full or gone.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::frames::{Control, control, expect};
use super::json;
use super::{Client, Lines, QueryLog, Sender, Settings, Socket, To};
use crate::clock;
use crate::metrics::Metrics;
use crate::tap::{Asked, Dynamic, End, Exchange, Line, Moment, QUEUE, Sink, Taps, Transport};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

#[track_caller]
fn until<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let end: Instant = clock::now() + PATIENCE;
    loop {
        if let Some(done) = done() {
            return done;
        }
        assert!(clock::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn line<'a>(name: &'a [u8]) -> Line<'a> {
    Line {
        at: Moment { unix_secs: 1_700_000_000, nanos: 7_000_000 },
        generation: 12,
        transport: Transport::Udp,
        client: "192.0.2.77".parse().unwrap(),
        subnet: None,
        by_subnet: false,
        opcode: 0,
        asked: Some(Asked { name, qtype: 1, class: 1 }),
        rcode: 0,
        truncated: false,
        ttl: Some(60),
        dynamic: None,
    }
}

/// The line as another reader of JSON takes it.
fn read(line: &Line<'_>, regions: &[&str], client: Client) -> Value {
    let (mut record, mut text) = (Vec::new(), Vec::new());
    line.write(regions.iter().copied(), &mut record);
    let (line, regions) = Line::read(&record).unwrap();
    json::write(&line, regions, client, &mut text);
    assert_eq!(text.iter().filter(|octet| **octet == b'\n').count(), 1, "one line");
    serde_json::from_slice(&text).unwrap()
}

const APP: &[u8] = b"\x03app\x07example\x04test\x00";

#[test]
fn a_line_has_what_there_is_and_nothing_else() {
    assert_eq!(
        read(&line(APP), &[], Client::Subnet),
        json!({
            "time": "2023-11-14T22:13:20.007Z", "transport": "udp", "client": "192.0.2.0/24",
            "name": "app.example.test", "type": "A", "rcode": "NOERROR", "ttl": 60,
            "generation": 12,
        })
    );
    let full = Line {
        transport: Transport::Tcp,
        client: "2001:db8:1:2345::7".parse().unwrap(),
        subnet: Some(("198.51.100.128".parse().unwrap(), 25)),
        by_subnet: true,
        opcode: 4,
        asked: Some(Asked { name: APP, qtype: 65_280, class: 3 }),
        rcode: 23,
        truncated: true,
        dynamic: Some(Dynamic { record: b"\x01*\x04test\x00", reason: "last_good" }),
        ..line(APP)
    };
    let wanted = |client, subnet| {
        json!({
            "time": "2023-11-14T22:13:20.007Z", "transport": "tcp", "client": client,
            "subnet": subnet, "decided_by": "subnet", "opcode": 4, "name": "app.example.test",
            "type": "TYPE65280", "class": "CH", "rcode": "BADCOOKIE", "truncated": true,
            "record": "*.test", "regions": ["eu", "us"], "reason": "last_good", "ttl": 60,
            "generation": 12,
        })
    };
    let regions = &["eu", "us"];
    let whole = wanted("2001:db8:1:2345::7", "198.51.100.128/25");
    assert_eq!(read(&full, regions, Client::Address), whole);
    let cut = wanted("2001:db8:1:2300::/56", "198.51.100.0/24");
    assert_eq!(read(&full, regions, Client::Subnet), cut);
}

#[test]
fn a_name_of_any_octets_is_a_text_that_leads_back_to_it() {
    for octet in 0..=255_u8 {
        let wire = [4, octet, b'a', octet, b'.', 0];
        let value = read(&line(&wire), &[], Client::Address);
        let name = crate::wire::Name::from_text(value["name"].as_str().unwrap()).unwrap();
        assert_eq!(name.as_wire(), wire.to_ascii_lowercase(), "{octet}");
    }
    assert_eq!(read(&line(&[0]), &[], Client::Address)["name"], ".");
}

#[test]
fn codes_have_their_names() {
    for (code, name) in [(0, "NOERROR"), (1, "FORMERR"), (3, "NXDOMAIN"), (5, "REFUSED")] {
        let line = Line { rcode: code, ..line(APP) };
        assert_eq!(read(&line, &[], Client::Address)["rcode"], name);
    }
}

/// A log under way.
struct Desk {
    dir: TempDir,
    metrics: Arc<Metrics>,
    end: End,
    log: QueryLog,
}

impl Desk {
    fn new() -> Self {
        let (taps, metrics) = (Arc::new(Taps::default()), Metrics::new());
        let end = taps.end();
        let log = QueryLog::new(taps, metrics.query_log());
        Self { dir: tempfile::tempdir().unwrap(), metrics, end, log }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn lines_to(&mut self, path: &Path) {
        let lines = Lines { to: To::File(path.into()), client: Client::Address };
        self.log.set(&Settings { lines: Some(lines), socket: None }).unwrap();
    }

    fn socket_to(&mut self, path: &Path) {
        let sender = Sender {
            identity: Some("ns1".into()),
            version: Some("trimtab".into()),
            client: Client::Address,
        };
        let socket = Some(Socket { path: path.into(), sender });
        self.log.set(&Settings { lines: None, socket }).unwrap();
    }

    /// Says that a name of a number was asked for; whether there was room for it.
    fn say(&mut self, number: u32) -> bool {
        let text = format!("n{number}");
        let wire = [&[text.len() as u8], text.as_bytes(), &[0]].concat();
        self.end.push(Sink::Json, |to| line(&wire).write(std::iter::empty(), to)).is_ok()
    }

    fn exchange(&mut self, query: &[u8], reply: &[u8]) -> bool {
        let exchange = Exchange {
            at: Moment { unix_secs: 1_700_000_000, nanos: 8 },
            transport: Transport::Tcp,
            client: "192.0.2.7:4321".parse().unwrap(),
            server: "[2001:db8::1]:53".parse().ok(),
            query,
            reply,
        };
        self.end.push(Sink::Dnstap, |to| exchange.write(to)).is_ok()
    }

    fn count(&self, series: &str) -> u64 {
        let text = self.metrics.text();
        let value = text.lines().find_map(|line| line.strip_prefix(series)).unwrap();
        value.trim().parse().unwrap()
    }

    fn written(&self) -> u64 {
        self.count(r#"trimtab_query_log_written_total{sink="json"}"#)
    }

    fn lost(&self) -> u64 {
        self.count(r#"trimtab_query_log_dropped_total{sink="json",reason="lost"}"#)
    }

    /// Waits until a file has lines of these numbers, and no others.
    #[track_caller]
    fn wait_for(&self, path: &Path, numbers: std::ops::Range<u32>) {
        let wanted: Vec<_> = numbers.collect();
        until(&format!("{wanted:?} in {}", path.display()), || {
            (numbers_of(&fs::read_to_string(path).ok()?) == wanted).then_some(())
        });
    }
}

/// The numbers of the names in lines, all but the last of which are whole.
fn numbers_of(text: &str) -> Vec<u32> {
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let value = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let number = |line: &str| value(line)["name"].as_str().unwrap()[1..].parse().unwrap();
    whole.lines().map(number).collect()
}

#[test]
fn lines_are_appended_and_those_of_the_end_come_too() {
    let mut desk = Desk::new();
    let path = desk.path("log");
    // Of somebody who did not come to the end of a line.
    fs::write(&path, "{\"name\":\"n0\"}\n{\"name\":\"n1\"}").unwrap();
    desk.lines_to(&path);
    assert!(desk.say(2));
    desk.wait_for(&path, 0..3);
    (3..5000).for_each(|number| assert!(desk.say(number)));
    let Desk { log, end, metrics, dir } = desk;
    drop(end);
    log.stop();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(numbers_of(&text), (0..5000).collect::<Vec<_>>());
    assert!(metrics.text().contains("trimtab_query_log_written_total{sink=\"json\"} 4998\n"));
    drop(dir);
}

#[test]
fn a_file_that_is_renamed_or_removed_is_made_again() {
    let mut desk = Desk::new();
    let (path, old) = (desk.path("log"), desk.path("log.1"));
    desk.lines_to(&path);
    assert!(desk.say(0));
    desk.wait_for(&path, 0..1);
    fs::rename(&path, &old).unwrap();
    // It is noticed within a second.
    until("a new file", || path.exists().then_some(()));
    assert!(desk.say(1));
    desk.wait_for(&path, 1..2);
    fs::remove_file(&path).unwrap();
    until("another file", || path.exists().then_some(()));
    assert!(desk.say(2));
    desk.wait_for(&path, 2..3);
    // Told to, it does not wait for that second.
    fs::rename(&path, desk.path("log.2")).unwrap();
    desk.lines_to(&path);
    until("a file at once", || path.exists().then_some(()));
    assert_eq!(numbers_of(&fs::read_to_string(&old).unwrap()), [0]);
    assert_eq!((desk.written(), desk.lost()), (3, 0));
    desk.log.stop();
}

#[test]
fn it_goes_to_another_file_or_to_none_when_told_to() {
    let mut desk = Desk::new();
    let (one, two) = (desk.path("one"), desk.path("two"));
    desk.lines_to(&one);
    (0..10).for_each(|number| assert!(desk.say(number)));
    desk.wait_for(&one, 0..10);
    desk.lines_to(&two);
    until("another file", || two.exists().then_some(()));
    (10..20).for_each(|number| assert!(desk.say(number)));
    desk.wait_for(&two, 10..20);
    // What is said by those who do not know yet belongs to it.
    desk.log.set(&Settings::default()).unwrap();
    assert!(desk.say(20));
    desk.wait_for(&two, 10..21);
    desk.log.stop();
    assert_eq!(numbers_of(&fs::read_to_string(&one).unwrap()), (0..10).collect::<Vec<_>>());
}

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Says names until there is no room for one; returns how many there was room for, and how long a
/// call took at most.
fn say_until_full(desk: &mut Desk, first: u32) -> (u32, Duration) {
    let mut longest = Duration::ZERO;
    for number in first.. {
        let start = clock::now();
        let took = desk.say(number);
        longest = longest.max(clock::now() - start);
        if !took {
            return (number, longest);
        }
    }
    unreachable!("a queue without end");
}

#[test]
fn a_pipe_that_nobody_reads_holds_nothing_up_and_goes_on_when_somebody_does() {
    let mut desk = Desk::new();
    let path = desk.path("pipe");
    mkfifo(&path);
    desk.lines_to(&path);
    // Nobody has opened it.
    let (full, _) = say_until_full(&mut desk, 0);
    assert!(full > 5000, "{full}");
    assert_eq!(desk.written(), 0);
    // Somebody has, but does not read.
    let mut options = fs::OpenOptions::new();
    let reader = options.read(true).custom_flags(libc::O_NONBLOCK).open(&path).unwrap();
    until("lines in the pipe", || (desk.written() > 0).then_some(()));
    let in_pipe = until("a pipe that is full", || {
        let written = desk.written();
        std::thread::sleep(Duration::from_millis(300));
        (desk.written() == written).then_some(written)
    });
    let (last, longest) = say_until_full(&mut desk, full);
    assert!(u64::from(last) > in_pipe && !desk.say(last));
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    // Now all that there was room for comes, each line whole and in order.
    let reading = std::thread::spawn(move || {
        // The mode is that of this end alone.
        blocking(&reader);
        let mut numbers = Vec::new();
        for text in BufReader::new(reader).lines().map(Result::unwrap) {
            numbers.extend(numbers_of(&(text + "\n")));
        }
        numbers
    });
    until("all of them", || (desk.written() == u64::from(last)).then_some(()));
    desk.log.stop();
    assert_eq!(reading.join().unwrap(), (0..last).collect::<Vec<_>>());
}

fn blocking(file: &fs::File) {
    let socket = socket2::SockRef::from(file);
    socket.set_nonblocking(false).unwrap();
}

#[test]
fn a_reader_that_goes_costs_no_more_than_the_line_in_hand() {
    let mut desk = Desk::new();
    let path = desk.path("pipe");
    mkfifo(&path);
    let open = || {
        let mut options = fs::OpenOptions::new();
        options.read(true).custom_flags(libc::O_NONBLOCK).open(&path).unwrap()
    };
    let mut first = open();
    desk.lines_to(&path);
    assert!(desk.say(0));
    until("the first", || (desk.written() == 1).then_some(()));
    let mut text = String::new();
    until("the first line", || {
        let _ = first.read_to_string(&mut text);
        text.ends_with('\n').then_some(())
    });
    drop(first);
    assert!(desk.say(1));
    std::thread::sleep(Duration::from_millis(50));
    let mut second = open();
    assert!(desk.say(2));
    until("the others", || (desk.written() + desk.lost() == 3).then_some(()));
    let mut text = String::new();
    until("the third line", || {
        let _ = second.read_to_string(&mut text);
        numbers_of(&text).contains(&2).then_some(())
    });
    desk.log.stop();
}

#[test]
fn a_full_disk_loses_what_there_is_no_room_for() {
    let mut desk = Desk::new();
    // Whatever is written to it, there is no room.
    desk.lines_to(Path::new("/dev/full"));
    (0..10).for_each(|number| assert!(desk.say(number)));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!((desk.written(), desk.lost()), (0, 0), "it is still tried");
    let path = desk.path("log");
    desk.lines_to(&path);
    desk.wait_for(&path, 0..10);
    desk.log.stop();
}

#[test]
fn what_a_full_disk_does_not_take_until_the_end_is_counted() {
    let mut desk = Desk::new();
    desk.lines_to(Path::new("/dev/full"));
    assert!(desk.say(0));
    let Desk { log, end, metrics, dir } = desk;
    drop(end);
    log.stop();
    let lost = r#"trimtab_query_log_dropped_total{sink="json",reason="lost"} 1"#;
    assert!(metrics.text().contains(lost), "no {lost}");
    drop(dir);
}

/// Takes frames as the library does; gives what they hold once the other side has taken leave.
fn receive(mut stream: UnixStream) -> std::io::Result<Vec<Vec<u8>>> {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    expect(&mut stream, Control::Ready)?;
    stream.write_all(&control(Control::Accept))?;
    expect(&mut stream, Control::Start)?;
    let mut frames = Vec::new();
    loop {
        let mut len = [0; 4];
        stream.read_exact(&mut len)?;
        if len == [0; 4] {
            let mut stop = [0; 8];
            stream.read_exact(&mut stop)?;
            assert_eq!(stop, *b"\0\0\0\x04\0\0\0\x03");
            stream.write_all(&control(Control::Finish))?;
            return Ok(frames);
        }
        let mut frame = vec![0; u32::from_be_bytes(len) as usize];
        stream.read_exact(&mut frame)?;
        frames.push(frame);
    }
}

/// The fields of a message in the protobuf encoding, by number: numbers as octets, most significant
/// first, and texts and messages as they are. It shares nothing with what wrote them.
fn fields(mut octets: &[u8]) -> Vec<(u64, Vec<u8>)> {
    fn varint(octets: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let (octet, rest) = octets.split_first().unwrap();
            *octets = rest;
            value |= u64::from(octet & 0x7f) << shift;
            if octet & 0x80 == 0 {
                break;
            }
        }
        value
    }
    let mut found = Vec::new();
    while !octets.is_empty() {
        let key = varint(&mut octets);
        let value = match key & 7 {
            0 => varint(&mut octets).to_be_bytes().to_vec(),
            2 => {
                let len = varint(&mut octets) as usize;
                let (value, rest) = octets.split_at(len);
                octets = rest;
                value.to_vec()
            }
            5 => {
                let (value, rest) = octets.split_at(4);
                octets = rest;
                value.iter().rev().copied().collect()
            }
            other => panic!("wire type {other}"),
        };
        found.push((key >> 3, value));
    }
    found
}

fn number(value: u64) -> Vec<u8> {
    value.to_be_bytes().to_vec()
}

#[test]
fn dnstap_is_read_by_whoever_knows_the_protocol() {
    let mut desk = Desk::new();
    let path = desk.path("socket");
    let listener = UnixListener::bind(&path).unwrap();
    desk.socket_to(&path);
    assert!(desk.exchange(b"a query", b"its reply"));
    assert!(desk.exchange(b"for a zone", b""));
    let receiving = std::thread::spawn(move || receive(listener.accept().unwrap().0));
    until("both", || {
        let series = r#"trimtab_query_log_written_total{sink="dnstap"}"#;
        (desk.count(series) == 2).then_some(())
    });
    desk.log.stop();
    let frames = receiving.join().unwrap().unwrap();
    assert_eq!(frames.len(), 3);
    let told = |kind: u64| {
        vec![
            (1, number(kind)),
            (2, number(1)),
            (3, number(2)),
            (4, vec![192, 0, 2, 7]),
            (5, [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[1]].concat()),
            (6, number(4321)),
            (7, number(53)),
            (8, number(1_700_000_000)),
            (9, vec![0, 0, 0, 8]),
        ]
    };
    let query = |octets: &[u8]| [told(1), vec![(10, octets.to_vec())]].concat();
    let reply =
        vec![(12, number(1_700_000_000)), (13, vec![0, 0, 0, 8]), (14, b"its reply".to_vec())];
    let wanted = [query(b"a query"), [told(2), reply].concat(), query(b"for a zone")];
    for (frame, wanted) in frames.iter().zip(wanted) {
        let of = fields(frame);
        assert_eq!(of.iter().map(|(field, _)| *field).collect::<Vec<_>>(), [1, 2, 14, 15]);
        assert_eq!((&of[0].1[..], &of[1].1[..]), (&b"ns1"[..], &b"trimtab"[..]));
        assert_eq!(of[3].1, number(1));
        assert_eq!(fields(&of[2].1), wanted);
    }
}

#[test]
fn a_socket_that_is_not_there_or_does_not_answer_is_tried_again() {
    let mut desk = Desk::new();
    let path = desk.path("socket");
    desk.socket_to(&path);
    let mut said = 0_u32;
    while desk.exchange(&said.to_be_bytes(), &[1; 1000]) {
        said += 1;
    }
    assert!(said as usize > QUEUE / 1200, "{said}");
    // It is there, and says nothing.
    let listener = UnixListener::bind(&path).unwrap();
    let silent = listener.accept().unwrap();
    // Then it speaks, but something else.
    let mut other = listener.accept().unwrap().0;
    drop(silent);
    let _ = other.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let receiving = std::thread::spawn(move || {
        // Those that were given up meanwhile may be before it: they have hung up.
        loop {
            if let Ok(frames) = receive(listener.accept().unwrap().0) {
                return frames;
            }
        }
    });
    until("all", || {
        let series = r#"trimtab_query_log_written_total{sink="dnstap"}"#;
        (desk.count(series) == u64::from(said)).then_some(())
    });
    desk.log.stop();
    let frames = receiving.join().unwrap();
    let queries = frames.iter().step_by(2).map(|frame| {
        let message = &fields(frame)[2].1;
        let fields = fields(message);
        fields.iter().find(|(field, _)| *field == 10).unwrap().1.clone()
    });
    let wanted = (0..said).map(|number| number.to_be_bytes().to_vec());
    assert!(queries.eq(wanted), "all, in order");
}

#[test]
fn a_socket_that_stops_reading_holds_nothing_up() {
    let mut desk = Desk::new();
    let path = desk.path("socket");
    let listener = UnixListener::bind(&path).unwrap();
    desk.socket_to(&path);
    let mut stream = listener.accept().unwrap().0;
    expect(&mut stream, Control::Ready).unwrap();
    stream.write_all(&control(Control::Accept)).unwrap();
    expect(&mut stream, Control::Start).unwrap();
    // As much as the system, the writer and the queue have room for.
    let end = clock::now() + PATIENCE;
    let mut full_for = 0;
    while full_for < 100 {
        assert!(clock::now() < end);
        let start = clock::now();
        let took = desk.exchange(&[1; 100], &[2; 1000]);
        assert!(clock::now() - start < Duration::from_secs(1));
        full_for = if took { 0 } else { full_for + 1 };
        if !took {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    let start = clock::now();
    desk.log.stop();
    assert!(clock::now() - start < Duration::from_secs(4));
    let series = r#"trimtab_query_log_dropped_total{sink="dnstap",reason="lost"}"#;
    let text = desk.metrics.text();
    let lost = text.lines().find_map(|line| line.strip_prefix(series)).unwrap();
    assert!(lost.trim().parse::<u64>().unwrap() > 500, "{lost}");
}
