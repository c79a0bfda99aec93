//! The packets that cost most: each makes one loop on the answering path as long as it gets.

use trimtab::dns::engine::Transport::{self, Tcp, Udp};

/// The largest messages: over UDP what a worker has room for.
const UDP_MOST: usize = 4096;
const TCP_MOST: usize = 65535;

fn query(name: &str, qtype: u16, additional: &[u8], records: u16) -> Vec<u8> {
    let mut octets = vec![1, 2, 1, 0, 0, 1, 0, 0, 0, 0];
    octets.extend(records.to_be_bytes());
    for label in name.split('.').filter(|label| !label.is_empty()) {
        octets.push(label.len() as u8);
        octets.extend(label.as_bytes());
    }
    octets.push(0);
    octets.extend(qtype.to_be_bytes());
    octets.extend([0, 1]);
    octets.extend(additional);
    octets
}

/// An OPT record with a payload size of 4096.
fn opt(data: &[u8]) -> Vec<u8> {
    let len = (data.len() as u16).to_be_bytes();
    [&[0, 0, 41, 16, 0, 0, 0, 0, 0][..], &len, data].concat()
}

/// A query with as many of these options, or of these records, as there is room for.
fn full_of_options(option: &[u8], most: usize) -> Vec<u8> {
    let head = query("www.example.test", 1, &opt(&[]), 1).len();
    query("www.example.test", 1, &opt(&option.repeat((most - head) / option.len())), 1)
}

fn full_of_records(record: &[u8], most: usize) -> Vec<u8> {
    let head = query("www.example.test", 1, &[], 0).len();
    let count = (most - head) / record.len();
    query("www.example.test", 1, &record.repeat(count), count as u16)
}

/// A message of another opcode whose questions are all of it.
fn full_of_questions(most: usize) -> Vec<u8> {
    let count = (most - 12) / 5;
    let mut octets = vec![1, 2, 0x20, 0];
    octets.extend((count as u16).to_be_bytes());
    octets.extend([0; 6]);
    octets.extend([0, 0, 1, 0, 1].repeat(count));
    octets
}

/// A kind of packet, how it comes, and its octets.
pub(crate) type Packet = (&'static str, Transport, Vec<u8>);

/// The worst of each loop on the answering path, behind ordinary ones.
pub(crate) fn packets() -> Vec<Packet> {
    let label = "l".repeat(63);
    let deep = format!("{}x.b", "a.".repeat(125));
    let subnet = opt(&[0, 8, 0, 7, 0, 1, 24, 0, 8, 8, 8]);
    let cookie = opt(&[&[0, 10, 0, 24][..], &[7; 24]].concat());
    let empty = [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0];
    vec![
        ("an ordinary query", Udp, query("www.example.test", 1, &[], 0)),
        ("the same with EDNS", Udp, query("www.example.test", 1, &opt(&[]), 1)),
        ("127 labels, none of which exists", Udp, query(&deep, 1, &[], 0)),
        ("a draw by the client's place", Udp, query("geo.example.test", 1, &subnet, 1)),
        ("a draw by the client's network", Udp, query("keep.example.test", 1, &subnet, 1)),
        ("a wrong cookie", Udp, query("www.example.test", 1, &cookie, 1)),
        ("many addresses", Udp, query("lots.example.test", 28, &opt(&[]), 1)),
        ("a chain of CNAMEs", Udp, query("n0.example.test", 1, &opt(&[]), 1)),
        ("a chain of CNAMEs", Tcp, query("n0.example.test", 1, &[], 0)),
        (
            "a chain of long CNAMEs",
            Tcp,
            query(&format!("{label}.{label}.{label}.m0.example.test"), 1, &[], 0),
        ),
        ("DNAMEs that lead to each other", Tcp, query("x.dping.example.test", 1, &[], 0)),
        ("a DNAME that leads below itself", Tcp, query("x.dself.example.test", 1, &[], 0)),
        ("a chain of DNAMEs", Tcp, query("x.w0.example.test", 1, &[], 0)),
        ("a delegation to 40 nameservers", Tcp, query("a.wide.example.test", 1, &[], 0)),
        ("60,000 octets of answer", Tcp, query("vast.example.test", 16, &[], 0)),
        ("options without data", Udp, full_of_options(&[0, 99, 0, 0], UDP_MOST)),
        ("options without data", Tcp, full_of_options(&[0, 99, 0, 0], TCP_MOST)),
        ("cookies", Tcp, full_of_options(&[0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8], TCP_MOST)),
        ("records without data", Udp, full_of_records(&empty, UDP_MOST)),
        ("records without data", Tcp, full_of_records(&empty, TCP_MOST)),
        ("records with long names", Tcp, {
            let name = [&[1, b'a'].repeat(126)[..], &[0]].concat();
            full_of_records(&[&name, &empty[1..]].concat(), TCP_MOST)
        }),
        ("questions of an unknown opcode", Udp, full_of_questions(UDP_MOST)),
        ("questions of an unknown opcode", Tcp, full_of_questions(TCP_MOST)),
    ]
}
